import type { BrokerId, Offset } from '../../src/base/ids.ts'
import type { ClientConnection } from '../../src/client/connection.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { listOffsetsApi } from '../../src/wire/messages/02-list-offsets.ts'
import type { Partition } from './partition.ts'
import { isStorageFailure, type StorageFailure } from './storage-failure.ts'

const LIST_OFFSETS_VERSION = 7
const LATEST = -1
const EARLIEST = -2

export interface ResetOptions {
  readonly connection: ClientConnection
  readonly brokerId: BrokerId
  readonly partition: Partition
  readonly timeoutMs: number
  /** Whether the partition is still followed in the same leader epoch. */
  readonly isCurrent: () => boolean
  readonly step: (fn: () => void) => void
  readonly onStorageFailure: (error: StorageFailure) => void
  /** Called once unless the partition is not current any more. */
  readonly done: (isReset: boolean) => void
}

/**
 * A follower's position is outside of its leader's log. If the leader's log ends before the one here, the
 * rest here is cut; if it begins after the end of the one here, the log here is restarted at that point.
 */
export function resetFromLeader(options: ResetOptions): void {
  const { partition } = options
  askOffset(options, LATEST, (leaderEnd) => {
    if (leaderEnd < partition.log.logEndOffset) {
      partition.truncateTo(leaderEnd, 'leader-log-end')
      return options.done(true)
    }
    askOffset(options, EARLIEST, (leaderStart) => {
      if (leaderStart > partition.log.logEndOffset) {
        partition.restartAt(leaderStart, 'leader-log-start')
      }
      options.done(true)
    })
  })
}

function askOffset(
  options: ResetOptions,
  timestamp: number,
  onOffset: (offset: Offset) => void,
): void {
  const { partition, brokerId } = options
  const request = {
    replicaId: brokerId,
    isolationLevel: 0,
    topics: [
      {
        name: partition.topic,
        partitions: [
          {
            partitionIndex: partition.partition,
            currentLeaderEpoch: partition.leaderEpoch,
            timestamp,
          },
        ],
      },
    ],
  }
  options.connection.request(
    listOffsetsApi,
    LIST_OFFSETS_VERSION,
    request,
    options.timeoutMs,
    (error, response) => {
      if (!options.isCurrent()) return
      options.step(() => {
        const answer = response?.topics[0]?.partitions[0]
        const isGood = error === null && answer?.errorCode === ErrorCode.NONE && answer.offset >= 0
        if (!isGood) return options.done(false)
        try {
          onOffset(answer.offset)
        } catch (failure) {
          if (!isStorageFailure(failure)) throw failure
          options.onStorageFailure(failure)
        }
      })
    },
  )
}
