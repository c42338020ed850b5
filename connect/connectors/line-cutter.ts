import { ConnectError } from '../errors.ts'

const LF = 0x0a
const CR = 0x0d
const EMPTY = Buffer.alloc(0)
const MAX_LINE_BYTES = 256 * 1024 * 1024

/**
 * Cuts bytes into lines that end with `\n`, `\r\n` or `\r`. A `\r` at the very end waits for the byte after it,
 * and a line without an end waits for the rest.
 */
export class LineCutter {
  /** The first byte of `#bytes` in the file. */
  #start: number
  #bytes: Buffer = EMPTY
  /** Where in `#bytes` the next line begins. */
  #at = 0
  /** Up to here no end of a line was found. */
  #searched = 0
  /** The next `\r` at or after `#searched`; -1: there is none, null: not looked for. */
  #nextCr: number | null = null
  /** Bytes of an unfinished line, joined when more of them have come: a very long line is not copied each time. */
  #parts: Buffer[] = []
  #partBytes = 0

  constructor(position: number) {
    this.#start = position
  }

  /** After the last line that was taken, in bytes. */
  get position(): number {
    return this.#start + this.#at
  }

  /** Where the bytes that `add` expects begin. */
  get readPosition(): number {
    return this.#start + this.#bytes.length + this.#partBytes
  }

  /** To be called when `next` has nothing more. Throws `ConnectError` for a line of more than 256 MiB. */
  add(bytes: Buffer): void {
    const hasEnd = bytes.includes(LF) || bytes.includes(CR) || this.#bytes.at(-1) === CR
    this.#parts.push(bytes)
    this.#partBytes += bytes.length
    if (hasEnd) this.#join()
    else if (this.#partBytes > MAX_LINE_BYTES) {
      throw new ConnectError(
        `A line at byte ${this.position} is longer than ${MAX_LINE_BYTES} bytes`,
      )
    }
  }

  /** The next line without its end; null when no whole line is there. */
  next(): string | null {
    const bytes = this.#bytes
    const lf = bytes.indexOf(LF, this.#searched)
    this.#nextCr ??= bytes.indexOf(CR, this.#searched)
    const cr = this.#nextCr
    const end = cr !== -1 && (lf === -1 || cr < lf) ? cr : lf
    if (end === -1 || (bytes[end] === CR && end + 1 === bytes.length)) {
      this.#searched = end === -1 ? bytes.length : end
      return null
    }
    const line = bytes.toString('utf8', this.#at, end)
    const isPair = bytes[end] === CR && bytes[end + 1] === LF
    this.#at = end + (isPair ? 2 : 1)
    this.#searched = this.#at
    if (cr !== -1 && cr < this.#at) this.#nextCr = null
    return line
  }

  #join(): void {
    const rest = this.#bytes.subarray(this.#at)
    const searched = Math.max(0, this.#searched - this.#at)
    this.#start += this.#at
    this.#bytes = Buffer.concat([rest, ...this.#parts])
    this.#parts = []
    this.#partBytes = 0
    this.#at = 0
    this.#searched = Math.min(searched, rest.length)
    this.#nextCr = null
  }
}
