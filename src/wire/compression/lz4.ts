import { compressFrameSync, uncompressSync } from 'lz4-napi'
import { WireError } from '../../base/errors.ts'
import { nativeError } from './native-error.ts'
import { xxhash32 } from './xxhash32.ts'

const MAGIC = 0x184d_2204
const MAGIC_BYTES = 4
const WORD_BYTES = 4
const CONTENT_SIZE_BYTES = 8
const UNCOMPRESSED_BIT = 0x8000_0000
/** No element of the format grows by more than this. */
const EXPANSION_MAX = 256
/** By the block size id in the header, of which 4 to 7 exist. */
const BLOCK_BYTES_MAX: Readonly<Record<number, number>> = {
  4: 64 * 1024,
  5: 256 * 1024,
  6: 1024 * 1024,
  7: 4 * 1024 * 1024,
}

interface FrameHeader {
  readonly blockBytesMax: number
  readonly hasBlockChecksum: boolean
  /** Where the first block stands. */
  readonly blocksAt: number
}

/** One LZ4 frame of independent blocks, without checksums of blocks or content, as Java writes it. */
export function compressLz4(bytes: Buffer): Buffer {
  return compressFrameSync(bytes)
}

/**
 * One LZ4 frame. As in Kafka's reader the blocks must not depend on each other, the header's and the
 * blocks' checksums must be right and the content's checksum is not looked at.
 */
export function decompressLz4(bytes: Buffer, maxBytes: number): Buffer {
  try {
    return decompressFrame(bytes, maxBytes)
  } catch (error) {
    throw nativeError('lz4', error)
  }
}

function decompressFrame(bytes: Buffer, maxBytes: number): Buffer {
  const header = readFrameHeader(bytes)
  const blocks: Buffer[] = []
  let outputBytes = 0
  let position = header.blocksAt
  for (;;) {
    const word = bytes.readUInt32LE(position)
    position += WORD_BYTES
    if (word === 0) break
    const isCompressed = word < UNCOMPRESSED_BIT
    const size = isCompressed ? word : word - UNCOMPRESSED_BIT
    if (size > header.blockBytesMax || size > bytes.length - position) {
      throw new WireError(`an lz4 block of ${size} bytes`)
    }
    const input = bytes.subarray(position, position + size)
    position += size
    if (header.hasBlockChecksum) {
      if (bytes.readUInt32LE(position) !== xxhash32(input)) {
        throw new WireError('a wrong checksum of an lz4 block')
      }
      position += WORD_BYTES
    }
    const output = isCompressed ? decompressBlock(input, header.blockBytesMax) : input
    outputBytes += output.length
    if (outputBytes > maxBytes) throw new WireError(`lz4 data of more than ${maxBytes} bytes`)
    blocks.push(output)
  }
  return Buffer.concat(blocks, outputBytes)
}

function readFrameHeader(bytes: Buffer): FrameHeader {
  if (bytes.readUInt32LE(0) !== MAGIC) throw new WireError('no lz4 frame')
  const flags = bytes.readUInt8(MAGIC_BYTES)
  const blockDescriptor = bytes.readUInt8(MAGIC_BYTES + 1)
  if (flags >>> 6 !== 1) throw new WireError(`an lz4 frame of version ${flags >>> 6}`)
  if ((flags & 0x20) === 0) throw new WireError('an lz4 frame whose blocks depend on each other')
  if ((flags & 0x03) !== 0 || (blockDescriptor & 0x8f) !== 0) {
    throw new WireError('an lz4 frame with a dictionary or reserved bits')
  }
  const blockBytesMax = BLOCK_BYTES_MAX[blockDescriptor >>> 4]
  if (blockBytesMax === undefined) throw new WireError('an lz4 frame with an unknown block size')
  const contentSizeBytes = (flags & 0x08) === 0 ? 0 : CONTENT_SIZE_BYTES
  const checksumAt = MAGIC_BYTES + 2 + contentSizeBytes
  const checksum = (xxhash32(bytes.subarray(MAGIC_BYTES, checksumAt)) >>> 8) & 0xff
  if (bytes.readUInt8(checksumAt) !== checksum) {
    throw new WireError('a wrong checksum of an lz4 header')
  }
  return { blockBytesMax, hasBlockChecksum: (flags & 0x10) !== 0, blocksAt: checksumAt + 1 }
}

/** The library wants the largest possible output size before the block. */
function decompressBlock(input: Buffer, blockBytesMax: number): Buffer {
  const outputBytesMax = Math.min(blockBytesMax, input.length * EXPANSION_MAX)
  const prefixed = Buffer.allocUnsafe(WORD_BYTES + input.length)
  prefixed.writeUInt32LE(outputBytesMax)
  input.copy(prefixed, WORD_BYTES)
  return uncompressSync(prefixed)
}
