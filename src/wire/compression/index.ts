import type { CodecId } from '../batch-header.ts'
import { WireError } from '../../base/errors.ts'
import { gunzip, gzip } from './gzip.ts'
import { compressLz4, decompressLz4 } from './lz4.ts'
import { compressSnappy, decompressSnappy } from './snappy.ts'
import { compressZstd, decompressZstd } from './zstd.ts'

/** What one batch may grow to when nothing else is said. */
export const DECOMPRESSED_BYTES_MAX = 100 * 1024 * 1024

/**
 * The records of a batch in the framing that Java readers take. `level` is for gzip and zstd; snappy has none, and our
 * lz4 has one level only.
 */
export function compress(codec: CodecId, bytes: Buffer, level?: number): Buffer {
  switch (codec) {
    case 0:
      return bytes
    case 1:
      return gzip(bytes, level)
    case 2:
      return compressSnappy(bytes)
    case 3:
      return compressLz4(bytes)
    case 4:
      return compressZstd(bytes, level)
  }
}

/** Throws `WireError` for an unknown codec, illegal bytes and for more than `maxBytes` of output. */
export function decompress(
  codec: number,
  bytes: Buffer,
  maxBytes: number = DECOMPRESSED_BYTES_MAX,
): Buffer {
  switch (codec) {
    case 0:
      return bytes
    case 1:
      return gunzip(bytes, maxBytes)
    case 2:
      return decompressSnappy(bytes, maxBytes)
    case 3:
      return decompressLz4(bytes, maxBytes)
    case 4:
      return decompressZstd(bytes, maxBytes)
    default:
      throw new WireError(`the unknown compression codec ${codec}`)
  }
}
