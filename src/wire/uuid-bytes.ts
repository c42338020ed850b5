import type { Uuid } from '../base/uuid.ts'

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const NO_DIGIT = 0xff
const SLOTS = 256
const WORDS = 4

/** Value of a base64url digit by its code. */
const VALUES = Uint8Array.from({ length: 128 }, (_, code) => {
  const value = DIGITS.indexOf(String.fromCharCode(code))
  return value < 0 ? NO_DIGIT : value
})

/** The uuid that was last read into each slot, as its bytes and as text: most are of topics read all the time. */
const recentWords = new Int32Array(SLOTS * WORDS)
const recentTexts: Uuid[] = Array.from({ length: SLOTS }, () => 'AAAAAAAAAAAAAAAAAAAAAA')

/** The uuid in 16 bytes of `buffer`. What is returned depends on the bytes alone. */
export function readUuid(buffer: Buffer, at: number): Uuid {
  const a = word(buffer, at)
  const b = word(buffer, at + 4)
  const c = word(buffer, at + 8)
  const d = word(buffer, at + 12)
  const slot = (a ^ b ^ c ^ d ^ (d >>> 11) ^ (a >>> 19)) & (SLOTS - 1)
  const first = slot * WORDS
  const isKnown =
    recentWords[first] === a &&
    recentWords[first + 1] === b &&
    recentWords[first + 2] === c &&
    recentWords[first + 3] === d
  const known = recentTexts[slot]
  if (isKnown && known !== undefined) return known
  const text = buffer.toString('base64url', at, at + 16)
  recentWords[first] = a
  recentWords[first + 1] = b
  recentWords[first + 2] = c
  recentWords[first + 3] = d
  recentTexts[slot] = text
  return text
}

/** Writes the 16 bytes of a text of 22 digits; false when one of them is no base64url digit. */
export function writeUuid(buffer: Buffer, at: number, text: Uuid): boolean {
  let position = at
  let seen = 0
  for (let index = 0; index < 20; index += 4) {
    const a = value(text, index)
    const b = value(text, index + 1)
    const c = value(text, index + 2)
    const d = value(text, index + 3)
    seen |= a | b | c | d
    buffer[position] = (a << 2) | (b >> 4)
    buffer[position + 1] = (b << 4) | (c >> 2)
    buffer[position + 2] = (c << 6) | d
    position += 3
  }
  const a = value(text, 20)
  const b = value(text, 21)
  buffer[position] = (a << 2) | (b >> 4)
  return ((seen | a | b) & 0x80) === 0
}

function value(text: string, index: number): number {
  return VALUES[text.charCodeAt(index)] ?? NO_DIGIT
}

function word(buffer: Buffer, at: number): number {
  return (
    ((buffer[at] ?? 0) << 24) |
    ((buffer[at + 1] ?? 0) << 16) |
    ((buffer[at + 2] ?? 0) << 8) |
    (buffer[at + 3] ?? 0)
  )
}
