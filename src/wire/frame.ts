import { WireError } from '../base/errors.ts'

const SIZE_BYTES = 4
const NOTHING = Buffer.alloc(0)
/** Up to this size the room for a whole frame is made at once; beyond it as its bytes arrive. */
const TRUSTED_BYTES = 1024 * 1024

/**
 * Cuts a stream of bytes into frames: an int32 size, then that many bytes. Frames are given without
 * the size and in order, one call each. A frame that lies inside one chunk shares memory with it; a
 * frame of several chunks is gathered in a buffer of its own, which grows by doubling.
 */
export class FrameCutter {
  private readonly maxFrameBytes: number
  private readonly onFrame: (frame: Buffer) => void
  /** The first bytes, size included, of a frame that did not end in the chunks so far. */
  private partial = NOTHING
  private partialBytes = 0
  /** Size and frame together; only the size's own bytes while it is not known. */
  private neededBytes = SIZE_BYTES

  constructor(maxFrameBytes: number, onFrame: (frame: Buffer) => void) {
    this.maxFrameBytes = maxFrameBytes
    this.onFrame = onFrame
  }

  /** Throws `WireError` on a size below 0 or above the limit; the stream is then of no more use. */
  push(chunk: Buffer): void {
    let position = 0
    while (position < chunk.length) {
      if (this.partialBytes > 0) position += this.extendPartial(chunk, position)
      else position += this.cutFrom(chunk, position)
    }
  }

  /** Takes a whole frame, or all that is left, from the chunk; returns how many bytes it took. */
  private cutFrom(chunk: Buffer, position: number): number {
    const available = chunk.length - position
    if (available >= SIZE_BYTES) {
      const neededBytes = SIZE_BYTES + this.checkSize(chunk.readInt32BE(position))
      if (available >= neededBytes) {
        this.onFrame(chunk.subarray(position + SIZE_BYTES, position + neededBytes))
        return neededBytes
      }
      this.neededBytes = neededBytes
    }
    this.keep(chunk, position, available)
    return available
  }

  private extendPartial(chunk: Buffer, position: number): number {
    const isSizeKnown = this.partialBytes >= SIZE_BYTES
    const taken = Math.min(this.neededBytes - this.partialBytes, chunk.length - position)
    this.keep(chunk, position, taken)
    if (!isSizeKnown && this.partialBytes === SIZE_BYTES) {
      this.neededBytes += this.checkSize(this.partial.readInt32BE(0))
    }
    const isSizeComplete = this.partialBytes >= SIZE_BYTES
    if (isSizeComplete && this.partialBytes === this.neededBytes) this.finishPartial()
    return taken
  }

  private finishPartial(): void {
    const frame = this.partial.subarray(SIZE_BYTES, this.neededBytes)
    this.partial = NOTHING
    this.partialBytes = 0
    this.neededBytes = SIZE_BYTES
    this.onFrame(frame)
  }

  private keep(chunk: Buffer, position: number, count: number): void {
    const filled = this.partialBytes + count
    if (filled > this.partial.length) {
      const doubled = Math.max(this.partial.length * 2, TRUSTED_BYTES)
      const grown = Buffer.allocUnsafe(Math.max(filled, Math.min(this.neededBytes, doubled)))
      this.partial.copy(grown, 0, 0, this.partialBytes)
      this.partial = grown
    }
    chunk.copy(this.partial, this.partialBytes, position, position + count)
    this.partialBytes = filled
  }

  private checkSize(size: number): number {
    if (size < 0 || size > this.maxFrameBytes) {
      throw new WireError(`a frame of ${size} bytes; at most ${this.maxFrameBytes} are allowed`)
    }
    return size
  }
}
