import { ConnectionError } from '../../base/errors.ts'
import { listOffsetsApi } from '../../wire/messages/02-list-offsets.ts'
import type { History } from '../history/history.ts'
import type { ListOffsetsOperation } from '../history/operation.ts'
import type { ClientLink } from './client-link.ts'
import { errorNameOf, errorOfCode } from './outcome.ts'

const TIMESTAMPS = { latest: -1, earliest: -2 } as const

export interface OffsetQuery {
  readonly link: ClientLink
  readonly history: History
  readonly process: string
  readonly topic: string
  readonly partition: number
  readonly which: 'earliest' | 'latest'
}

/**
 * One ListOffsets of one partition, recorded from its invocation to its end. A query changes nothing, so one
 * without an answer is a `fail` too. False, with `done` not called, when no leader can be reached now.
 */
export function queryOffset(
  query: OffsetQuery,
  done: (error: Error | null, offset: number) => void,
): boolean {
  const { link, history, process, topic, partition, which } = query
  const leader = link.leaderOf(topic, partition)
  if (leader === null) return false
  const operation: ListOffsetsOperation = { op: 'list-offsets', topic, partition, which }
  const index = history.invoke(process, operation)
  const asked = {
    partitionIndex: partition,
    currentLeaderEpoch: leader.leaderEpoch,
    timestamp: TIMESTAMPS[which],
  }
  const call = {
    api: listOffsetsApi,
    timeoutMs: link.requestTimeoutMs,
    body: () => ({
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: topic, partitions: [asked] }],
      timeoutMs: link.requestTimeoutMs,
    }),
  }
  link.request(leader.brokerId, 'main', call, (error, response) => {
    const answer = response?.topics[0]?.partitions[0]
    const missing =
      answer === undefined ? new ConnectionError('an answer without the partition') : null
    const problem = error ?? missing ?? errorOfCode(answer?.errorCode ?? 0)
    if (problem === null) {
      const offset = answer?.offset ?? -1
      history.end(index, process, 'ok', { ...operation, offset })
      return done(null, offset)
    }
    history.end(index, process, 'fail', { ...operation, error: errorNameOf(problem) })
    link.updater.requestUpdate()
    done(problem, -1)
  })
  return true
}
