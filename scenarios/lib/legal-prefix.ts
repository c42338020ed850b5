import type { HistoryEntry } from '../../src/chaos/history/history.ts'

export interface Crash {
  readonly crashMs: number
  /** The power went: a tail may be lost, but nothing from the middle. */
  readonly mayLoseTail: boolean
}

interface Place {
  readonly offset: number
  readonly value: string
}

/**
 * Null when what was acknowledged before the crash is in the final log up to some offset of each partition, and nothing
 * of it is there behind that offset; else the first place where it is not so. Offsets that retention took are left out.
 */
export function tornPrefix(
  history: readonly HistoryEntry[],
  topic: string,
  { crashMs, mayLoseTail }: Crash,
): string | null {
  const found = new Map<string, Place>()
  const starts = new Map<number, number>()
  const acked = new Map<number, Place[]>()
  for (const { kind, atMs, operation } of history) {
    if (operation.op === 'poll' && operation.purpose === 'final' && operation.topic === topic) {
      for (const { offset, value } of operation.records ?? []) {
        found.set(`${operation.partition}@${offset}`, { offset, value })
        const start = starts.get(operation.partition) ?? Infinity
        starts.set(operation.partition, Math.min(start, offset))
      }
    }
    if (operation.op !== 'send' || operation.topic !== topic || kind !== 'ok') continue
    if (atMs > crashMs || operation.offset === undefined) continue
    const places = acked.get(operation.partition) ?? []
    places.push({ offset: operation.offset, value: operation.value })
    acked.set(operation.partition, places)
  }
  for (const [partition, places] of acked) {
    let firstLost: Place | null = null
    for (const place of places.toSorted((a, b) => a.offset - b.offset)) {
      if (place.offset < (starts.get(partition) ?? 0)) continue
      const isThere = found.get(`${partition}@${place.offset}`)?.value === place.value
      if (!isThere && !mayLoseTail) return `${place.value} at ${place.offset} is lost`
      if (!isThere) firstLost ??= place
      if (isThere && firstLost !== null) {
        return `${place.value} at ${place.offset} is there, ${firstLost.value} at ${firstLost.offset} before it is not`
      }
    }
  }
  return null
}
