import { assert } from '../../src/base/assert.ts'
import type { LeaderEpoch, Offset } from '../../src/base/ids.ts'
import type { ErrorCode } from '../../src/wire/error-codes.ts'
import { NO_RECORDS } from './fetch-result.ts'
import type { AppendedTransaction } from './partition-exchange.ts'
import type { Partition } from './partition.ts'
import type { ReplicaManager } from './replica-manager.ts'

/** What a coordinator may do with the logs of its topic; has the shape its runtime declares. */
export interface PartitionLogAccess {
  append(
    partition: number,
    batch: Buffer,
    leaderEpoch: LeaderEpoch,
    transaction?: AppendedTransaction,
  ): { readonly error: ErrorCode; readonly lastOffset: Offset }
  whenCommitted(
    partition: number,
    offset: Offset,
    leaderEpoch: LeaderEpoch,
    timeoutMs: number,
    done: (error: ErrorCode) => void,
  ): void
  read(partition: number, offset: Offset, maxBytes: number): Buffer
  logStartOffset(partition: number): Offset
  logEndOffset(partition: number): Offset
  highWatermark(partition: number): Offset
  readonly maxBatchBytes: number
}

/**
 * Gives a coordinator the logs of `topic`. `append` is made as acks=all and does not wait; the offsets and
 * `read` are for partitions that are hosted here. `maxBatchBytes` stands in for the topic's own
 * max.message.bytes until one of its partitions was used.
 */
export function partitionLogAccess(
  replicas: ReplicaManager,
  topic: string,
  maxBatchBytes: number,
): PartitionLogAccess {
  let latest: Partition | null = null
  const hosted = (index: number): Partition => {
    const partition = replicas.partition(topic, index)
    assert(partition !== null, `${topic}-${index} is not hosted here`)
    latest = partition
    return partition
  }
  return {
    append: (index, batch, leaderEpoch, transaction) =>
      replicas.appendAsCoordinator(topic, index, batch, leaderEpoch, transaction),
    whenCommitted: (index, offset, leaderEpoch, timeoutMs, done) =>
      replicas.whenCommitted(topic, index, offset, leaderEpoch, timeoutMs, done),
    read: (index, offset, maxBytes) => {
      const partition = hosted(index)
      const { logStartOffset, logEndOffset } = partition.log
      if (offset < logStartOffset || offset >= logEndOffset) return NO_RECORDS
      return replicas.readAsCoordinator(partition, offset, maxBytes)
    },
    logStartOffset: (index) => hosted(index).log.logStartOffset,
    logEndOffset: (index) => hosted(index).log.logEndOffset,
    highWatermark: (index) => hosted(index).log.highWatermark,
    get maxBatchBytes() {
      return latest?.config.log.maxMessageBytes ?? maxBatchBytes
    },
  }
}
