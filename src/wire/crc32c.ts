import { crc32c as nativeCrc32c } from '@node-rs/crc32'

/** CRC-32C (Castagnoli) as an unsigned 32-bit number. */
export function crc32c(bytes: Buffer): number {
  return nativeCrc32c(bytes)
}
