const PRIME_1 = 0x9e37_79b1
const PRIME_2 = 0x85eb_ca77
const PRIME_3 = 0xc2b2_ae3d
const PRIME_4 = 0x27d4_eb2f
const PRIME_5 = 0x1656_67b1
const STRIPE_BYTES = 16

/** xxHash, 32 bits, seed 0, as an unsigned number: the checksum inside LZ4 frames. */
export function xxhash32(bytes: Buffer): number {
  const { length } = bytes
  let position = 0
  let hash = PRIME_5
  if (length >= STRIPE_BYTES) {
    let a = (PRIME_1 + PRIME_2) | 0
    let b = PRIME_2 | 0
    let c = 0
    let d = -PRIME_1 | 0
    for (; position <= length - STRIPE_BYTES; position += STRIPE_BYTES) {
      a = round(a, bytes.readInt32LE(position))
      b = round(b, bytes.readInt32LE(position + 4))
      c = round(c, bytes.readInt32LE(position + 8))
      d = round(d, bytes.readInt32LE(position + 12))
    }
    hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)
  }
  return finish((hash + length) | 0, bytes, position)
}

function finish(hash: number, bytes: Buffer, start: number): number {
  let position = start
  for (; position <= bytes.length - 4; position += 4) {
    const mixed = (hash + Math.imul(bytes.readInt32LE(position), PRIME_3)) | 0
    hash = Math.imul(rotate(mixed, 17), PRIME_4)
  }
  for (; position < bytes.length; position += 1) {
    const mixed = (hash + Math.imul(bytes.readUInt8(position), PRIME_5)) | 0
    hash = Math.imul(rotate(mixed, 11), PRIME_1)
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2)
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3)
  return (hash ^ (hash >>> 16)) >>> 0
}

function round(lane: number, input: number): number {
  return Math.imul(rotate((lane + Math.imul(input, PRIME_2)) | 0, 13), PRIME_1)
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
