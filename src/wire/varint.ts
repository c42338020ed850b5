const TWO_31 = 0x8000_0000

/** Bytes that an unsigned varint takes. */
export function unsignedVarintBytes(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x20_0000) return 3
  return value < 0x1000_0000 ? 4 : 5
}

/** Bytes that a zigzag varint takes. */
export function varintBytes(value: number): number {
  return unsignedVarintBytes(((value << 1) ^ (value >> 31)) >>> 0)
}

/** Bytes that a zigzag varlong takes; also of the two infinities. */
export function varlongBytes(value: number): number {
  if (value >= -TWO_31 && value < TWO_31) return varintBytes(value)
  if (!Number.isFinite(value)) return 10
  let magnitude = value < 0 ? -value - 1 : value
  let bytes = 1
  for (magnitude /= 64; magnitude >= 1; magnitude /= 128) bytes += 1
  return bytes
}
