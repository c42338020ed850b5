import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import {
  BATCH_HEADER_BYTES,
  batchMagic,
  batchSizeBytes,
  LOG_OVERHEAD_BYTES,
  readBatchHeader,
  type BatchHeader,
} from '../../wire/batch-header.ts'
import { ToolError } from '../tool-errors.ts'

/** The least that a batch's length field may say (the header of the oldest messages). */
const LENGTH_MIN = 14
const BATCH_MAGIC = 2

/** One batch of a file. */
export interface FileBatch {
  readonly header: BatchHeader
  /** Where it begins in the file. */
  readonly position: number
  readonly bytes: Buffer
}

/** Bytes of a file that are read when they are asked for. */
export class LogFile {
  readonly path: string
  readonly sizeBytes: number
  readonly #fd: number

  /** Throws `ToolError` with the path as its message when there is no such file. */
  constructor(path: string) {
    this.path = path
    try {
      this.#fd = openSync(path, 'r')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw code === 'ENOENT'
        ? new ToolError(`no such file: ${path}`, 'java.nio.file.NoSuchFileException')
        : new ToolError((error as Error).message, 'java.io.IOException')
    }
    this.sizeBytes = fstatSync(this.#fd).size
  }

  /** Shorter only at the end of the file. */
  read(position: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.sizeBytes - position)))
    let done = 0
    while (done < buffer.length) {
      const count = readSync(this.#fd, buffer, done, buffer.length - done, position + done)
      if (count === 0) break
      done += count
    }
    return buffer.subarray(0, done)
  }

  /** Whole batches from `position` on that end before `end`. Throws `ToolError` for what is no batch. */
  *batches(position = 0, end = this.sizeBytes): Generator<FileBatch> {
    let at = position
    while (end - at > LOG_OVERHEAD_BYTES) {
      const head = this.read(at, BATCH_HEADER_BYTES)
      if (head.length < LOG_OVERHEAD_BYTES) return
      const sizeBytes = batchSizeBytes(head, 0)
      if (sizeBytes - LOG_OVERHEAD_BYTES < LENGTH_MIN) {
        throw new ToolError(
          `Found record size ${sizeBytes - LOG_OVERHEAD_BYTES} smaller than minimum record overhead ` +
            `(${LENGTH_MIN}) in file ${this.path}.`,
          'org.apache.kafka.common.errors.CorruptRecordException',
        )
      }
      if (at + sizeBytes > end || head.length < BATCH_HEADER_BYTES) return
      if (batchMagic(head, 0) !== BATCH_MAGIC) {
        throw new ToolError(
          `${this.path}: the batch at position ${at} has magic ${batchMagic(head, 0)}; this tool reads magic 2 only`,
        )
      }
      const bytes = this.read(at, sizeBytes)
      yield { header: readBatchHeader(bytes, 0), position: at, bytes }
      at += sizeBytes
    }
  }

  close(): void {
    closeSync(this.#fd)
  }
}
