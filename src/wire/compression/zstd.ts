import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { WireError } from '../../base/errors.ts'
import { nativeError } from './native-error.ts'

const FRAME_MAGIC = 0xfd2f_b528
/** The last four bits of a skippable frame's magic are free. */
const SKIPPABLE_MAGIC = 0x184d_2a50
const WORD_BYTES = 4
const BLOCK_HEADER_BYTES = 3
const RLE_BLOCK = 1
const RESERVED_BLOCK = 3
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const

export function compressZstd(bytes: Buffer, level?: number): Buffer {
  if (level === undefined) return zstdCompressSync(bytes)
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } })
}

/** Takes several frames one after another (Node's own function stops after the first) and skippable ones. */
export function decompressZstd(bytes: Buffer, maxBytes: number): Buffer {
  try {
    return decompressFrames(bytes, maxBytes)
  } catch (error) {
    throw nativeError('zstd', error)
  }
}

function decompressFrames(bytes: Buffer, maxBytes: number): Buffer {
  const outputs: Buffer[] = []
  let leftBytes = maxBytes
  let position = 0
  do {
    const end = frameEnd(bytes, position)
    if (bytes.readUInt32LE(position) === FRAME_MAGIC) {
      const output = zstdDecompressSync(bytes.subarray(position, end), {
        maxOutputLength: Math.max(1, leftBytes),
      })
      leftBytes -= output.length
      if (leftBytes < 0) throw new WireError(`zstd data of more than ${maxBytes} bytes`)
      outputs.push(output)
    }
    position = end
  } while (position < bytes.length)
  return outputs.length === 1 && outputs[0] !== undefined ? outputs[0] : Buffer.concat(outputs)
}

/** Where the frame at `position` ends, by walking over its blocks (RFC 8878, section 3.1.1). */
function frameEnd(bytes: Buffer, position: number): number {
  const magic = bytes.readUInt32LE(position)
  if ((magic & 0xffff_fff0) >>> 0 === SKIPPABLE_MAGIC) {
    return checkEnd(bytes, position + 2 * WORD_BYTES + bytes.readUInt32LE(position + WORD_BYTES))
  }
  if (magic !== FRAME_MAGIC) throw new WireError('no zstd frame')
  const descriptor = bytes.readUInt8(position + WORD_BYTES)
  const hasChecksum = (descriptor & 0x04) !== 0
  let at = position + WORD_BYTES + 1 + frameHeaderBytes(descriptor)
  for (;;) {
    const header = bytes.readUIntLE(at, BLOCK_HEADER_BYTES)
    const type = (header >>> 1) & 0x03
    if (type === RESERVED_BLOCK) throw new WireError('a zstd block of the reserved type')
    at += BLOCK_HEADER_BYTES + (type === RLE_BLOCK ? 1 : header >>> 3)
    if ((header & 1) === 1) return checkEnd(bytes, hasChecksum ? at + WORD_BYTES : at)
  }
}

/** Bytes between the frame's descriptor and its first block. */
function frameHeaderBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0
  const contentSizeFlag = (descriptor >>> 6) as 0 | 1 | 2 | 3
  const dictionaryIdFlag = (descriptor & 0x03) as 0 | 1 | 2 | 3
  const contentSizeBytes =
    contentSizeFlag === 0 && isSingleSegment ? 1 : CONTENT_SIZE_BYTES[contentSizeFlag]
  const windowBytes = isSingleSegment ? 0 : 1
  return windowBytes + DICTIONARY_ID_BYTES[dictionaryIdFlag] + contentSizeBytes
}

function checkEnd(bytes: Buffer, end: number): number {
  if (end > bytes.length) throw new WireError('zstd data that is cut short')
  return end
}
