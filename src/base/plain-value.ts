import { Packr } from 'msgpackr'

const packr = new Packr({ useRecords: false, moreTypes: true })

/**
 * A deep copy as a store on disk would give it back: plain data only, bytes come back as `Buffer`.
 * Throws for what msgpackr cannot carry.
 */
export function copyOfPlain(value: unknown): unknown {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return value
  return packr.unpack(packr.pack(value))
}
