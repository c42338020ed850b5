import type { Random } from '../../src/ports/random.ts'

const VERSION_BYTE = 6
const VARIANT_BYTE = 8

/** `<prefix>-<uuid>`: the prefix is the client id, for static members their group.instance.id. */
export function memberIdFor(prefix: string, random: Random): string {
  return `${prefix}-${canonicalUuid(random)}`
}

/** A random uuid (version 4) in the 8-4-4-4-12 form. */
export function canonicalUuid(random: Random): string {
  const bytes = random.bytes(16)
  bytes.writeUInt8((bytes.readUInt8(VERSION_BYTE) & 0x0f) | 0x40, VERSION_BYTE)
  bytes.writeUInt8((bytes.readUInt8(VARIANT_BYTE) & 0x3f) | 0x80, VARIANT_BYTE)
  const hex = bytes.toString('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-')
}
