export type DamageKind = 'flipped-bit' | 'lost-write' | 'misdirected-write'

/** Bytes of a file that read other than they were written. */
export interface Damage {
  readonly kind: DamageKind
  readonly position: number
  readonly length: number
}

interface Layer extends Damage {
  /** Stands in the place of the pristine bytes; for a flipped bit it is a mask over them. */
  readonly bytes: Buffer
}

/**
 * Damage of one file, kept apart from its pristine bytes, so that it can be told and undone. What is cut
 * off or written anew is not damaged any more.
 */
export class DamageOverlay {
  #layers: Layer[] = []

  get isEmpty(): boolean {
    return this.#layers.length === 0
  }

  get damages(): readonly Damage[] {
    return this.#layers.map(({ kind, position, length }) => ({ kind, position, length }))
  }

  flip(position: number, bit: number): void {
    this.#add('flipped-bit', position, Buffer.from([1 << bit]))
  }

  replace(kind: DamageKind, position: number, bytes: Buffer): void {
    if (bytes.length > 0) this.#add(kind, position, bytes)
  }

  /** The file ends at `size`. */
  truncate(size: number): void {
    this.#layers = this.#layers.flatMap((layer) => {
      const length = Math.min(layer.length, size - layer.position)
      if (length <= 0) return []
      return [{ ...layer, length, bytes: layer.bytes.subarray(0, length) }]
    })
  }

  clear(): void {
    this.#layers = []
  }

  /** The pristine bytes from `position` as they read; a copy where anything differs. */
  applied(position: number, pristine: Buffer): Buffer {
    let bytes = pristine
    for (const layer of this.#layers) {
      const from = Math.max(position, layer.position)
      const to = Math.min(position + pristine.length, layer.position + layer.length)
      if (from >= to) continue
      if (bytes === pristine) bytes = Buffer.from(pristine)
      for (let at = from; at < to; at += 1) {
        const value = layer.bytes[at - layer.position] ?? 0
        const before = bytes[at - position] ?? 0
        bytes[at - position] = layer.kind === 'flipped-bit' ? before ^ value : value
      }
    }
    return bytes
  }

  clone(): DamageOverlay {
    const copy = new DamageOverlay()
    copy.#layers = [...this.#layers]
    return copy
  }

  #add(kind: DamageKind, position: number, bytes: Buffer): void {
    this.#layers.push({ kind, position, length: bytes.length, bytes })
  }
}
