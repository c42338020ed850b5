import type { SimRandom } from './sim-random.ts'

export const SECTOR_BYTES = 512

/**
 * How the bytes of a file leave a power cut that were not synced: `ordered`, as a prefix of what was
 * written, torn at a sector; `any`, each sector of that prefix for itself kept, torn, zeros or garbage.
 */
export type PowerCutMode = 'ordered' | 'any'

/** The first sectors of an append that was under way. */
export function tear(bytes: Buffer, random: SimRandom): Buffer {
  const sectors = random.below(Math.ceil(bytes.length / SECTOR_BYTES))
  return bytes.subarray(0, sectors * SECTOR_BYTES)
}

/** An append at `position` of which each sector of the file fared for itself; a copy. */
export function scatter(bytes: Buffer, position: number, random: SimRandom): Buffer {
  const found = Buffer.from(bytes)
  let from = 0
  while (from < found.length) {
    const to = Math.min(found.length, from + SECTOR_BYTES - ((position + from) % SECTOR_BYTES))
    spoil(found.subarray(from, to), random)
    from = to
  }
  return found
}

function spoil(sector: Buffer, random: SimRandom): void {
  const fate = random.below(8)
  if (fate === 0) sector.fill(0)
  else if (fate === 1) random.bytes(sector.length).copy(sector)
  else if (fate === 2) sector.fill(0, random.below(sector.length))
}
