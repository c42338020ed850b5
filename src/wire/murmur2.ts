const SEED = 0x9747_b28c
const MULTIPLIER = 0x5bd1_e995
const ROTATION = 24
const POSITIVE_MASK = 0x7fff_ffff

/** Kafka's murmur2 of the bytes, as a signed 32-bit number. */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes
  let hash = SEED ^ length
  let position = 0
  for (; position + 4 <= length; position += 4) {
    let word = byteAt(bytes, position) | (byteAt(bytes, position + 1) << 8)
    word |= (byteAt(bytes, position + 2) << 16) | (byteAt(bytes, position + 3) << 24)
    word = Math.imul(word, MULTIPLIER)
    word ^= word >>> ROTATION
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER)
  }
  const rest = length - position
  if (rest >= 3) hash ^= byteAt(bytes, position + 2) << 16
  if (rest >= 2) hash ^= byteAt(bytes, position + 1) << 8
  if (rest >= 1) hash = Math.imul(hash ^ byteAt(bytes, position), MULTIPLIER)
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER)
  return hash ^ (hash >>> 15)
}

/** The partition that Java's default partitioner gives a record with this key. */
export function partitionOfKey(key: Uint8Array, partitionCount: number): number {
  return (murmur2(key) & POSITIVE_MASK) % partitionCount
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0
}
