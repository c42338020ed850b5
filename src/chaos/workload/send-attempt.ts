import { ErrorCode } from '../../wire/error-codes.ts'
import { produceApi, type ProduceResponse } from '../../wire/messages/00-produce.ts'
import { ConnectionError } from '../../base/errors.ts'
import type { ClientLink } from './client-link.ts'
import { errorOfCode } from './outcome.ts'

/** Since this version topics of Produce are named by id. */
const TOPIC_ID_VERSION = 13

export interface SendAttempt {
  readonly topic: string
  readonly partition: number
  readonly acks: -1 | 0 | 1
  readonly records: Buffer
  /** What the broker is given to replicate it. */
  readonly brokerTimeoutMs: number
}

/** `offset` is that of the first record, -1 for acks=0 or with an error. */
export type SendDone = (error: Error | null, offset: number) => void

/** Sends one batch once. False, with `done` not called, when no leader can be reached now. */
export function sendOnce(link: ClientLink, attempt: SendAttempt, done: SendDone): boolean {
  const { topic, partition, acks, records, brokerTimeoutMs } = attempt
  const leader = link.leaderOf(topic, partition)
  if (leader === null) return false
  const call = {
    api: produceApi,
    timeoutMs: link.requestTimeoutMs,
    body: (version: number) => ({
      acks,
      timeoutMs: brokerTimeoutMs,
      topicData: [
        {
          ...(version >= TOPIC_ID_VERSION ? { topicId: link.topicId(topic) } : { name: topic }),
          partitionData: [{ index: partition, records }],
        },
      ],
    }),
  }
  if (acks === 0) {
    link.requestOneWay(leader.brokerId, 'main', call, (error) => done(error, -1))
    return true
  }
  link.request(leader.brokerId, 'main', call, (error, response) => {
    const result = error ?? resultOf(link, attempt, response)
    if (typeof result === 'number') return done(null, result)
    link.updater.requestUpdate()
    done(result, -1)
  })
  return true
}

function resultOf(
  link: ClientLink,
  { topic, partition }: SendAttempt,
  response: ProduceResponse | null,
): Error | number {
  const answer = response?.responses[0]?.partitionResponses[0]
  if (response === null || answer === undefined)
    return new ConnectionError('an answer without the partition')
  const { errorCode, baseOffset, currentLeader } = answer
  if (errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER && currentLeader.leaderId >= 0) {
    link.learnLeader(topic, partition, currentLeader, response.nodeEndpoints)
  }
  return errorOfCode(errorCode) ?? baseOffset
}
