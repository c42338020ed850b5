/** Longest text, in bytes, that is looked up. Names of clients and topics are about that long. */
export const SHORT_TEXT_MAX = 40
const SLOTS = 512

/** The text that was last read into each slot. Every node reads the same few names all the time. */
const recent: string[] = Array.from({ length: SLOTS }, () => '')

/**
 * `count` (at most `SHORT_TEXT_MAX`) bytes as UTF-8. A text that was read before is given again as the same
 * string, whose hash is known; comparing it costs less than a call into native code. What is returned depends
 * on the bytes alone.
 */
export function shortText(buffer: Buffer, at: number, count: number): string {
  if (count === 0) return ''
  const first = buffer[at] ?? 0
  const last = buffer[at + count - 1] ?? 0
  const slot = (first * 7 + last * 31 + count * 67) & (SLOTS - 1)
  const known = recent[slot] ?? ''
  if (isText(known, buffer, at, count)) return known
  const text = buffer.toString('utf8', at, at + count)
  recent[slot] = text
  return text
}

/** Only of ASCII can every byte equal a unit of the text. */
function isText(text: string, buffer: Buffer, at: number, count: number): boolean {
  if (text.length !== count) return false
  for (let index = 0; index < count; index += 1) {
    const byte = buffer[at + index] ?? 0
    if (byte > 0x7f || text.charCodeAt(index) !== byte) return false
  }
  return true
}
