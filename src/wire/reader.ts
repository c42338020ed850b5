import type { Uuid } from '../base/uuid.ts'
import { WireError } from '../base/errors.ts'
import { SHORT_TEXT_MAX, shortText } from './short-text.ts'
import { readUuid } from './uuid-bytes.ts'

const TWO_32 = 0x1_0000_0000
/** High halves outside of this range cannot belong to a safe integer. */
const SAFE_HIGH_MAX = 0x1f_ffff
const SAFE_HIGH_MIN = -0x20_0000
const STRING_BYTES_MAX = 0x7fff

/**
 * Reads Kafka's primitive types from a part of a buffer. Every verb checks what remains and throws
 * `WireError` when the bytes are short or illegal, so no answer is ever made of bytes beyond `end`.
 * `bytes` and `records` share memory with the buffer.
 */
export class Reader {
  readonly buffer: Buffer
  position: number
  end: number

  constructor(buffer: Buffer, position = 0, end = buffer.length) {
    if (position < 0 || end > buffer.length || position > end) {
      throw new WireError(`cannot read [${position}, ${end}) of ${buffer.length} bytes`)
    }
    this.buffer = buffer
    this.position = position
    this.end = end
  }

  get remaining(): number {
    return this.end - this.position
  }

  /** Moves over `count` bytes and returns where they begin. */
  advance(count: number): number {
    const at = this.position
    if (count < 0 || count > this.end - at) throw short(count, this.end - at)
    this.position = at + count
    return at
  }

  boolean(): boolean {
    return this.uint8() !== 0
  }

  uint8(): number {
    const at = this.position
    if (at >= this.end) throw short(1, 0)
    this.position = at + 1
    return this.buffer[at] as number
  }

  int8(): number {
    return (this.uint8() << 24) >> 24
  }

  uint16(): number {
    const at = this.advance(2)
    const { buffer } = this
    return ((buffer[at] as number) << 8) | (buffer[at + 1] as number)
  }

  int16(): number {
    return (this.uint16() << 16) >> 16
  }

  int32(): number {
    const at = this.advance(4)
    const { buffer } = this
    return (
      ((buffer[at] as number) << 24) |
      ((buffer[at + 1] as number) << 16) |
      ((buffer[at + 2] as number) << 8) |
      (buffer[at + 3] as number)
    )
  }

  uint32(): number {
    return this.int32() >>> 0
  }

  /** Long.MAX_VALUE is `Infinity`, Long.MIN_VALUE `-Infinity`; other unsafe integers are refused. */
  int64(): number {
    const high = this.int32()
    return joinHalves(high, this.int32() >>> 0)
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.advance(8))
  }

  uuid(): Uuid {
    const at = this.advance(16)
    return readUuid(this.buffer, at)
  }

  unsignedVarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.uint8()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw new WireError('a varint of more than 5 bytes')
  }

  /** Zigzag, 32 bits; only inside records. */
  varint(): number {
    const raw = this.unsignedVarint()
    return (raw >>> 1) ^ -(raw & 1)
  }

  /** Zigzag, 64 bits; only inside records. The same range as `int64`. */
  varlong(): number {
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.uint8()
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high = bits >>> 4
      } else high |= bits << (shift - 32)
      if (byte < 0x80) return joinZigzag(high, low)
    }
    throw new WireError('a varlong of more than 10 bytes')
  }

  /** `count` bytes that share memory with the buffer. */
  bytes(count: number): Buffer {
    const at = this.advance(count)
    return this.buffer.subarray(at, at + count)
  }

  /** `count` bytes as UTF-8. */
  text(count: number): string {
    const at = this.advance(count)
    if (count <= SHORT_TEXT_MAX) return shortText(this.buffer, at, count)
    return this.buffer.toString('utf8', at, at + count)
  }

  string(): string {
    const length = this.int16()
    if (length < 0) throw nullNotAllowed('string')
    return this.text(length)
  }

  nullableString(): string | null {
    const length = this.int16()
    return length < 0 ? checkNull(length) : this.text(length)
  }

  compactString(): string {
    const text = this.compactNullableString()
    if (text === null) throw nullNotAllowed('string')
    return text
  }

  compactNullableString(): string | null {
    const length = this.unsignedVarint() - 1
    if (length > STRING_BYTES_MAX) throw new WireError(`a string of ${length} bytes`)
    return length < 0 ? null : this.text(length)
  }

  sizedBytes(): Buffer {
    const length = this.int32()
    if (length < 0) throw nullNotAllowed('bytes')
    return this.bytes(length)
  }

  nullableBytes(): Buffer | null {
    const length = this.int32()
    return length < 0 ? checkNull(length) : this.bytes(length)
  }

  compactBytes(): Buffer {
    const length = this.unsignedVarint() - 1
    if (length < 0) throw nullNotAllowed('bytes')
    return this.bytes(length)
  }

  compactNullableBytes(): Buffer | null {
    const length = this.unsignedVarint() - 1
    return length < 0 ? null : this.bytes(length)
  }

  /** Element count of an array, -1 for null; refused when that many elements cannot follow. */
  arrayLength(elementBytesMin: number): number {
    return this.checkCount(this.int32(), elementBytesMin)
  }

  compactArrayLength(elementBytesMin: number): number {
    return this.checkCount(this.unsignedVarint() - 1, elementBytesMin)
  }

  /** Reads over a tag section of which no tag is known. */
  skipTags(): void {
    for (let left = this.unsignedVarint(); left > 0; left -= 1) {
      this.unsignedVarint()
      this.advance(this.unsignedVarint())
    }
  }

  private checkCount(count: number, elementBytesMin: number): number {
    if (count < -1) throw new WireError(`an array of ${count} elements`)
    if (count * elementBytesMin > this.end - this.position) {
      throw new WireError(`an array of ${count} elements in ${this.end - this.position} bytes`)
    }
    return count
  }
}

function joinHalves(high: number, low: number): number {
  if (high > SAFE_HIGH_MAX || high < SAFE_HIGH_MIN || (high === SAFE_HIGH_MIN && low === 0)) {
    if (high === 0x7fff_ffff && low === 0xffff_ffff) return Infinity
    if (high === -0x8000_0000 && low === 0) return -Infinity
    throw new WireError(`a 64-bit integer beyond 2^53: high ${high}, low ${low}`)
  }
  return high * TWO_32 + low
}

function joinZigzag(high: number, low: number): number {
  const sign = -(low & 1)
  const shiftedLow = ((low >>> 1) | (high << 31)) ^ sign
  return joinHalves((high >>> 1) ^ sign, shiftedLow >>> 0)
}

function checkNull(length: number): null {
  if (length !== -1) throw new WireError(`a length of ${length}`)
  return null
}

function short(wanted: number, remaining: number): WireError {
  return new WireError(`${wanted} bytes wanted, ${remaining} remain`)
}

function nullNotAllowed(what: string): WireError {
  return new WireError(`a ${what} that must not be null`)
}
