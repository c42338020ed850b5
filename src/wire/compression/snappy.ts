import { compressSync, uncompressSync } from 'snappy'
import { WireError } from '../../base/errors.ts'
import { Reader } from '../reader.ts'
import { nativeError } from './native-error.ts'

/** The stream of snappy-java: magic, version and oldest compatible version, both 1. */
const XERIAL_HEADER = Buffer.from('82534e41505059000000000100000001', 'hex')
const XERIAL_MAGIC_BYTES = 8
const BLOCK_BYTES = 32 * 1024
const SIZE_BYTES = 4
/** No element of the format grows by more than this, so a larger claim is a lie. */
const EXPANSION_MAX = 64

/** A stream of snappy-java: what Java, kafkajs and sarama read, and librdkafka too. */
export function compressSnappy(bytes: Buffer): Buffer {
  const chunks: Buffer[] = [XERIAL_HEADER]
  for (let position = 0; position < bytes.length; position += BLOCK_BYTES) {
    const block = compressSync(bytes.subarray(position, position + BLOCK_BYTES))
    const size = Buffer.allocUnsafe(SIZE_BYTES)
    size.writeInt32BE(block.length)
    chunks.push(size, block)
  }
  return Buffer.concat(chunks)
}

/** A stream of snappy-java, or one raw block as librdkafka and franz-go send it. */
export function decompressSnappy(bytes: Buffer, maxBytes: number): Buffer {
  return isXerial(bytes, 0) ? decompressXerial(bytes, maxBytes) : decompressBlock(bytes, maxBytes)
}

function isXerial(bytes: Buffer, position: number): boolean {
  const magicEnd = position + XERIAL_MAGIC_BYTES
  if (bytes.length < magicEnd) return false
  return XERIAL_HEADER.compare(bytes, position, magicEnd, 0, XERIAL_MAGIC_BYTES) === 0
}

function decompressXerial(bytes: Buffer, maxBytes: number): Buffer {
  const reader = new Reader(bytes)
  const blocks: Buffer[] = []
  let outputBytes = 0
  while (reader.remaining > 0) {
    if (isXerial(bytes, reader.position)) {
      reader.advance(XERIAL_HEADER.length)
      continue
    }
    const block = decompressBlock(reader.sizedBytes(), maxBytes - outputBytes)
    outputBytes += block.length
    blocks.push(block)
  }
  return Buffer.concat(blocks, outputBytes)
}

function decompressBlock(bytes: Buffer, maxBytes: number): Buffer {
  const outputBytes = new Reader(bytes).unsignedVarint()
  if (outputBytes > maxBytes || outputBytes > bytes.length * EXPANSION_MAX) {
    throw new WireError(`a snappy block that says ${outputBytes} bytes`)
  }
  try {
    return uncompressSync(bytes, { asBuffer: true }) as Buffer
  } catch (error) {
    throw nativeError('snappy', error)
  }
}
