import {
  BATCH_HEADER_BYTES,
  batchBaseOffset,
  batchSizeBytes,
  isBatchCrcValid,
  readBatchHeader,
} from '../../wire/record-batch.ts'

/**
 * A batch of a log with the checksum of everything up to and with it. All replicas that hold the same
 * history share one object, so that equal histories are recognised by identity.
 */
export interface Batch {
  readonly base: number
  /** The offset after its last record. */
  readonly end: number
  readonly epoch: number
  readonly chain: number
  readonly crc: number
  /** -1 without one. */
  readonly producerId: number
  readonly producerEpoch: number
  readonly firstSequence: number
  readonly lastSequence: number
  readonly isControl: boolean
  readonly maxTimestampMs: number
}

export const NO_CHAIN = 0
const EPOCH_STEP = 0x10_0000_0000
const MULTIPLIER = 0x9e37_79b1

/** One number for a place in a log: offset and epoch. Offsets stay below 2^36. */
export function placeOf(base: number, epoch: number): number {
  return (epoch + 1) * EPOCH_STEP + base
}

/** Reads the batch at `position`; null when no whole batch begins there. */
export function readBatch(bytes: Buffer, position: number, chain: number): Batch | null {
  const left = bytes.length - position
  if (left < BATCH_HEADER_BYTES) return null
  const sizeBytes = batchSizeBytes(bytes, position)
  if (sizeBytes < BATCH_HEADER_BYTES || sizeBytes > left) return null
  const header = headerOf(bytes, position)
  if (header === null) return null
  const { baseOffset: base, lastOffsetDelta, partitionLeaderEpoch: epoch, crc } = header
  return {
    base,
    end: base + lastOffsetDelta + 1,
    epoch,
    chain: linked(linked(linked(chain, crc), base), epoch),
    crc,
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    firstSequence: header.baseSequence,
    lastSequence: header.lastSequence,
    isControl: header.isControl,
    maxTimestampMs: header.maxTimestamp,
  }
}

export { batchBaseOffset, batchSizeBytes, isBatchCrcValid }

/** Index of the batch that holds `offset`; of the first one above it when none does; the length above all. */
export function indexAt(batches: readonly Batch[], offset: number): number {
  let low = 0
  let high = batches.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const batch = batches[middle]
    if (batch !== undefined && batch.end <= offset) low = middle + 1
    else high = middle
  }
  return low
}

/** The batch that holds `offset`, or null. */
export function batchAt(batches: readonly Batch[], offset: number): Batch | null {
  const batch = batches[indexAt(batches, offset)]
  return batch !== undefined && batch.base <= offset ? batch : null
}

/** Whether two logs, seen as lists of batches, have the same history where this batch of one stands. */
export function hasBatch(batches: readonly Batch[], batch: Batch): boolean {
  return batches[indexAt(batches, batch.base)] === batch
}

function headerOf(bytes: Buffer, position: number): ReturnType<typeof readBatchHeader> | null {
  try {
    return readBatchHeader(bytes, position)
  } catch {
    return null
  }
}

function linked(chain: number, value: number): number {
  const mixed = Math.imul(chain ^ (value | 0), MULTIPLIER)
  return ((mixed ^ (mixed >>> 15)) + 1) | 0
}
