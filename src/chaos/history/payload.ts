/** Ends the value in a payload; filling comes after it. */
export const END_OF_VALUE = '|'
export const FILLER = 'x'
const FILLER_UNIT = FILLER.charCodeAt(0)

/** A record's bytes: the value, filled up to `bytes` in a way that a reader can check. */
export function encodePayload(value: string, bytes: number): Buffer {
  const fillBytes = bytes - value.length - END_OF_VALUE.length
  return Buffer.from(fillBytes < 0 ? value : value + END_OF_VALUE + FILLER.repeat(fillBytes))
}

/**
 * The value of a record. One whose filling was damaged is given as it stands: a value that nobody sent,
 * so that D2 finds it.
 */
export function decodePayload(payload: Buffer | null): string {
  const text = payload?.toString('utf8') ?? ''
  const end = text.indexOf(END_OF_VALUE)
  if (end < 0) return text
  for (let index = end + 1; index < text.length; index += 1) {
    if (text.charCodeAt(index) !== FILLER_UNIT) return text
  }
  return text.slice(0, end)
}
