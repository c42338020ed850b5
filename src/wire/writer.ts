import type { Uuid } from '../base/uuid.ts'
import { WireError } from '../base/errors.ts'
import { ZERO_UUID } from '../base/uuid.ts'
import { writeUuid } from './uuid-bytes.ts'

const TWO_32 = 0x1_0000_0000
const FIRST_CHUNK_BYTES = 256
const CHUNK_BYTES_MAX = 64 * 1024
/** From this size on a buffer is kept by reference; copying smaller ones costs less than a chunk. */
const REFERENCE_BYTES_MIN = 1024
/** Up to this length a string is tried as ASCII in a loop, which beats the call into native code. */
const ASCII_LENGTH_MAX = 40
const STRING_BYTES_MAX = 0x7fff
const INT32_MAX = 0x7fff_ffff
const FRAME_SIZE_BYTES = 4
const NOTHING = Buffer.alloc(0)

/** Where a size will be written. */
export interface SizeMark {
  readonly chunk: number
  readonly position: number
  readonly start: number
}

/**
 * Writes Kafka's primitive types into growing chunks. Values that do not fit their type throw
 * `WireError`. Big buffers given to `bytes` are kept by reference and must not change afterwards.
 */
export class Writer {
  private readonly chunks: Buffer[] = []
  private chunksBytes = 0
  private buffer: Buffer
  private position = 0
  private nextChunkBytes: number

  constructor(sizeHint = FIRST_CHUNK_BYTES) {
    this.buffer = Buffer.allocUnsafe(sizeHint)
    this.nextChunkBytes = sizeHint * 2
  }

  /** Bytes written so far. */
  get size(): number {
    return this.chunksBytes + this.position
  }

  boolean(value: boolean): void {
    this.uint8(value ? 1 : 0)
  }

  uint8(value: number): void {
    if ((value & 0xff) !== value) throw outside('uint8', value)
    const at = this.reserve(1)
    this.buffer[at] = value
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) throw outside('int8', value)
    const at = this.reserve(1)
    this.buffer[at] = value
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) throw outside('uint16', value)
    this.put16(value)
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) throw outside('int16', value)
    this.put16(value)
  }

  int32(value: number): void {
    if ((value | 0) !== value) throw outside('int32', value)
    this.put32(value)
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) throw outside('uint32', value)
    this.put32(value)
  }

  /** `Infinity` is Long.MAX_VALUE, `-Infinity` Long.MIN_VALUE. */
  int64(value: number): void {
    if (Number.isSafeInteger(value)) {
      this.put32(Math.floor(value / TWO_32))
      this.put32(value)
    } else if (value === Infinity) {
      this.put32(INT32_MAX)
      this.put32(-1)
    } else if (value === -Infinity) {
      this.put32(-0x8000_0000)
      this.put32(0)
    } else throw outside('int64', value)
  }

  float64(value: number): void {
    const at = this.reserve(8)
    this.buffer.writeDoubleBE(value, at)
  }

  uuid(value: Uuid): void {
    const at = this.reserve(16)
    if (value === ZERO_UUID) this.buffer.fill(0, at, at + 16)
    else if (value.length !== 22 || !writeUuid(this.buffer, at, value)) {
      throw new WireError(`not a uuid: ${JSON.stringify(value)}`)
    }
  }

  unsignedVarint(value: number): void {
    let left = value >>> 0
    if (left !== value) throw outside('unsigned varint', value)
    let at = this.reserve(5)
    const { buffer } = this
    while (left > 0x7f) {
      buffer[at++] = (left & 0x7f) | 0x80
      left >>>= 7
    }
    buffer[at++] = left
    this.position = at
  }

  /** Zigzag, 32 bits; only inside records. */
  varint(value: number): void {
    if ((value | 0) !== value) throw outside('varint', value)
    this.unsignedVarint(((value << 1) ^ (value >> 31)) >>> 0)
  }

  /** Zigzag, 64 bits; only inside records. The same range as `int64`. */
  varlong(value: number): void {
    let high: number
    let low: number
    if (Number.isSafeInteger(value)) {
      high = Math.floor(value / TWO_32) | 0
      low = value | 0
    } else if (value === Infinity) {
      high = INT32_MAX
      low = -1
    } else if (value === -Infinity) {
      high = -0x8000_0000
      low = 0
    } else throw outside('varlong', value)
    const sign = high >> 31
    this.unsignedVarlong(((high << 1) | (low >>> 31)) ^ sign, (low << 1) ^ sign)
  }

  /** The bytes themselves, without a length. */
  bytes(value: Buffer): void {
    const { length } = value
    if (length >= REFERENCE_BYTES_MIN) {
      this.cutChunk()
      this.chunks.push(value)
      this.chunksBytes += length
      return
    }
    const at = this.reserve(length)
    value.copy(this.buffer, at)
  }

  /** The UTF-8 bytes of `value`, without a length and of any size. */
  utf8(value: string): void {
    const bytes = Buffer.byteLength(value)
    const at = this.reserve(bytes)
    this.buffer.write(value, at, bytes, 'utf8')
  }

  string(value: string): void {
    this.text(value, false)
  }

  nullableString(value: string | null): void {
    if (value === null) this.put16(-1)
    else this.text(value, false)
  }

  compactString(value: string): void {
    this.text(value, true)
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.uint8(0)
    else this.text(value, true)
  }

  sizedBytes(value: Buffer): void {
    this.int32(value.length)
    this.bytes(value)
  }

  nullableBytes(value: Buffer | null): void {
    if (value === null) this.put32(-1)
    else this.sizedBytes(value)
  }

  compactBytes(value: Buffer): void {
    this.unsignedVarint(value.length + 1)
    this.bytes(value)
  }

  compactNullableBytes(value: Buffer | null): void {
    if (value === null) this.uint8(0)
    else this.compactBytes(value)
  }

  arrayLength(count: number): void {
    this.int32(count)
  }

  compactArrayLength(count: number): void {
    this.unsignedVarint(count + 1)
  }

  /**
   * Leaves room for the size of what is written from here to `endSized`, as an unsigned varint. Returns what
   * `endSized` wants. Pairs may be nested. Nearly all sizes take the one byte that is kept.
   */
  beginSized(): SizeMark {
    const position = this.reserve(1)
    return { chunk: this.chunks.length, position, start: this.chunksBytes + position + 1 }
  }

  endSized({ chunk, position, start }: SizeMark): void {
    const size = this.size - start
    if (size > 0x7f) this.insertSize(chunk, position, size)
    else (this.chunks[chunk] ?? this.buffer)[position] = size
  }

  /** Leaves room for the int32 that begins a frame; to be called first, before `toFrame`. */
  beginFrame(): void {
    this.reserve(FRAME_SIZE_BYTES)
  }

  /** Everything written as one frame, without copying. The writer must not be used afterwards. */
  toFrame(): Buffer[] {
    const first = this.chunks[0] ?? this.buffer
    first.writeInt32BE(this.size - FRAME_SIZE_BYTES, 0)
    return this.toBuffers()
  }

  /** Everything written, in order, without copying. The writer must not be used afterwards. */
  toBuffers(): Buffer[] {
    if (this.position > 0) this.chunks.push(this.buffer.subarray(0, this.position))
    return this.chunks
  }

  /** Everything written as one buffer. The writer must not be used afterwards. */
  toBuffer(): Buffer {
    if (this.chunks.length === 0) return this.buffer.subarray(0, this.position)
    return Buffer.concat(this.toBuffers())
  }

  /** Makes the kept byte into a varint of several: what follows it moves, or is put into a chunk of its own. */
  private insertSize(chunk: number, position: number, size: number): void {
    const bytes: number[] = []
    for (let left = size; left > 0; left >>>= 7)
      bytes.push(left > 0x7f ? (left & 0x7f) | 0x80 : left)
    const kept = this.chunks[chunk]
    if (kept === undefined) {
      const end = this.reserve(bytes.length - 1)
      // The room may have come with a new chunk; the byte then lies in the one before.
      if (this.chunks.length === chunk) {
        this.buffer.copyWithin(position + bytes.length, position + 1, end)
        this.buffer.set(bytes, position)
        return
      }
      this.position -= bytes.length - 1
    }
    const whole = this.chunks[chunk] ?? NOTHING
    const parts = [whole.subarray(0, position), Buffer.from(bytes), whole.subarray(position + 1)]
    this.chunks.splice(chunk, 1, ...parts.filter((part) => part.length > 0))
    this.chunksBytes += bytes.length - 1
  }

  private put16(value: number): void {
    const at = this.reserve(2)
    this.buffer[at] = value >> 8
    this.buffer[at + 1] = value
  }

  private put32(value: number): void {
    const at = this.reserve(4)
    const { buffer } = this
    buffer[at] = value >>> 24
    buffer[at + 1] = value >>> 16
    buffer[at + 2] = value >>> 8
    buffer[at + 3] = value
  }

  private unsignedVarlong(high: number, low: number): void {
    let at = this.reserve(10)
    const { buffer } = this
    while (high !== 0 || low >>> 0 > 0x7f) {
      buffer[at++] = (low & 0x7f) | 0x80
      low = (low >>> 7) | (high << 25)
      high >>>= 7
    }
    buffer[at++] = low
    this.position = at
  }

  private text(value: string, isCompact: boolean): void {
    const { length } = value
    if (length <= ASCII_LENGTH_MAX && this.asciiText(value, length, isCompact)) return
    const bytes = Buffer.byteLength(value)
    if (bytes > STRING_BYTES_MAX) throw new WireError(`a string of ${bytes} bytes`)
    this.textLength(bytes, isCompact)
    const at = this.reserve(bytes)
    this.buffer.write(value, at, bytes, 'utf8')
  }

  private asciiText(value: string, length: number, isCompact: boolean): boolean {
    const start = this.reserve(length + 2)
    const { buffer } = this
    let at = start + (isCompact ? 1 : 2)
    for (let index = 0; index < length; index += 1) {
      const unit = value.charCodeAt(index)
      if (unit > 0x7f) {
        this.position = start
        return false
      }
      buffer[at++] = unit
    }
    if (isCompact) buffer[start] = length + 1
    else {
      buffer[start] = 0
      buffer[start + 1] = length
    }
    this.position = at
    return true
  }

  private textLength(bytes: number, isCompact: boolean): void {
    if (isCompact) this.unsignedVarint(bytes + 1)
    else this.put16(bytes)
  }

  /** Makes room for `count` bytes, moves over them and returns where they begin. */
  private reserve(count: number): number {
    if (this.position + count > this.buffer.length) this.grow(count)
    const at = this.position
    this.position = at + count
    return at
  }

  private grow(count: number): void {
    this.cutChunk()
    this.buffer = Buffer.allocUnsafe(Math.max(this.nextChunkBytes, count))
    this.nextChunkBytes = Math.min(this.nextChunkBytes * 2, CHUNK_BYTES_MAX)
  }

  private cutChunk(): void {
    if (this.position === 0) return
    this.chunks.push(this.buffer.subarray(0, this.position))
    this.chunksBytes += this.position
    this.buffer = this.buffer.subarray(this.position)
    this.position = 0
  }
}

function outside(type: string, value: unknown): WireError {
  return new WireError(`${String(value)} is not a value of ${type}`)
}
