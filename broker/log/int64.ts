const TWO_32 = 0x1_0000_0000
const HIGH_MAX = 0x7fff_ffff
const LOW_MAX = 0xffff_ffff
const HIGH_MIN = -0x8000_0000

/**
 * A big-endian 64-bit integer of a stored file. Long.MAX_VALUE is `Infinity`, Long.MIN_VALUE
 * `-Infinity`; `NaN` for all else that is no safe integer, which no comparison takes for good.
 */
export function readInt64(bytes: Buffer, position: number): number {
  const high = bytes.readInt32BE(position)
  const low = bytes.readUInt32BE(position + 4)
  const value = high * TWO_32 + low
  if (Number.isSafeInteger(value)) return value
  if (high === HIGH_MAX && low === LOW_MAX) return Infinity
  return high === HIGH_MIN && low === 0 ? -Infinity : NaN
}

/** Writes what `readInt64` reads. */
export function writeInt64(bytes: Buffer, position: number, value: number): void {
  if (Number.isFinite(value)) {
    bytes.writeInt32BE(Math.floor(value / TWO_32), position)
    bytes.writeUInt32BE(((value % TWO_32) + TWO_32) % TWO_32, position + 4)
  } else {
    bytes.writeInt32BE(value > 0 ? HIGH_MAX : HIGH_MIN, position)
    bytes.writeUInt32BE(value > 0 ? LOW_MAX : 0, position + 4)
  }
}
