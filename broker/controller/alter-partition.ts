import { assert } from '../../src/base/assert.ts'
import type { BrokerId } from '../../src/base/ids.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { Input } from '../../src/wire/schema.ts'
import type {
  AlterPartitionRequest,
  AlterPartitionResponse,
} from '../../src/wire/messages/56-alter-partition.ts'
import type { MetadataRecord } from '../../src/wire/records/metadata.ts'
import type { TopicImage } from '../metadata/image.ts'
import {
  changedPartition,
  LeaderRecoveryState,
  type PartitionState,
} from '../metadata/partition-state.ts'
import { isCurrentBroker } from './broker-heartbeat.ts'
import { isUncleanElectionEnabled, type ControlContext } from './control-context.ts'
import type { Outcome, PendingEvent } from './outcome.ts'
import { partitionChange } from './partition-election.ts'
import { acceptableLeaders, activeBrokers, partitionChangeRecord } from './replica-changes.ts'

/** First version whose ISR members carry the broker epoch in which the leader saw them (KIP-903). */
const MEMBERS_WITH_EPOCHS_SINCE = 3
/** The broker epoch of a member whose incarnation the leader does not know; it is not checked. */
const ANY_EPOCH = -1

type PartitionRequest = AlterPartitionRequest['topics'][number]['partitions'][number]
type PartitionResult = Input<AlterPartitionResponse['topics'][number]['partitions'][number]>
type Members = PartitionRequest['newIsrWithEpochs']

interface Altered {
  readonly result: PartitionResult
  readonly record: MetadataRecord | null
  readonly event: PendingEvent | null
}

/**
 * Answers AlterPartition: a leader asks for another ISR, compare-and-set on leader and partition epoch.
 * The epoch checks come in Kafka's order: newer than ours means that we are no longer the controller.
 */
export function alterPartition(
  context: ControlContext,
  version: number,
  request: AlterPartitionRequest,
): Outcome<AlterPartitionResponse> {
  if (request.topics.length === 0) return { records: [], response: {} }
  if (!isCurrentBroker(context, request.brokerId, request.brokerEpoch)) {
    return { records: [], response: { errorCode: ErrorCode.STALE_BROKER_EPOCH } }
  }
  const seen = new Set<string>()
  const altered = request.topics.map(({ topicId, partitions }) => {
    const topic = context.image.topicsById.get(topicId)
    const changes = partitions.map((partition) => {
      const key = `${topicId} ${partition.partitionIndex}`
      // The second of two changes would be based on a state that the first has replaced.
      if (seen.has(key)) return refused(partition, ErrorCode.INVALID_UPDATE_VERSION)
      seen.add(key)
      return topic === undefined
        ? refused(partition, ErrorCode.UNKNOWN_TOPIC_ID)
        : alterOne(context, version, request.brokerId, topic, partition)
    })
    return { topicId, changes }
  })
  const all = altered.flatMap(({ changes }) => changes)
  return {
    records: all.flatMap(({ record }) => record ?? []),
    response: {
      errorCode: ErrorCode.NONE,
      topics: altered.map(({ topicId, changes }) => ({
        topicId,
        partitions: changes.map(({ result }) => result),
      })),
    },
    events: all.flatMap(({ event }) => event ?? []),
  }
}

function alterOne(
  context: ControlContext,
  version: number,
  sender: BrokerId,
  topic: TopicImage,
  request: PartitionRequest,
): Altered {
  const partition = topic.partitions.get(request.partitionIndex)
  if (partition === undefined) return refused(request, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  const members = membersOf(version, request)
  const error = problemWith(context, sender, partition, request, members)
  if (error !== ErrorCode.NONE) return refused(request, error)
  const change = partitionChange({
    partition,
    election: isUncleanElectionEnabled(context, topic.name) ? 'unclean' : 'online',
    isAcceptableLeader: acceptableLeaders(context, partition),
    targetIsr: members.map(({ brokerId }) => brokerId),
    targetLeaderRecoveryState: request.leaderRecoveryState,
  })
  if (change === null) return { result: resultOf(partition), record: null, event: null }
  const record = partitionChangeRecord(change)
  assert(record.type === 'PartitionChangeRecord', 'an altered partition is a partition change')
  const after = changedPartition(partition, record.data)
  // Only the end of a reassignment moves the leader here; the old one must read the metadata before it goes on.
  const result =
    after.leader === sender
      ? resultOf(after)
      : { partitionIndex: partition.partition, errorCode: ErrorCode.NEW_LEADER_ELECTED }
  return { result, record, event: isrChanged(partition, after) }
}

function membersOf(version: number, request: PartitionRequest): Members {
  if (version >= MEMBERS_WITH_EPOCHS_SINCE) return request.newIsrWithEpochs
  return request.newIsr.map((brokerId) => ({ brokerId, brokerEpoch: ANY_EPOCH }))
}

function problemWith(
  context: ControlContext,
  sender: BrokerId,
  partition: PartitionState,
  request: PartitionRequest,
  members: Members,
): ErrorCode {
  if (
    request.leaderEpoch > partition.leaderEpoch ||
    request.partitionEpoch > partition.partitionEpoch
  ) {
    return ErrorCode.NOT_CONTROLLER
  }
  if (request.leaderEpoch < partition.leaderEpoch) return ErrorCode.FENCED_LEADER_EPOCH
  if (sender !== partition.leader) return ErrorCode.INVALID_REQUEST
  if (request.partitionEpoch < partition.partitionEpoch) return ErrorCode.INVALID_UPDATE_VERSION
  if (!isPossibleIsr(partition, members)) return ErrorCode.INVALID_REQUEST
  if (!isPossibleRecovery(partition, request, members)) return ErrorCode.INVALID_REQUEST
  return members.every((member) => isEligible(context, member))
    ? ErrorCode.NONE
    : ErrorCode.INELIGIBLE_REPLICA
}

function isPossibleIsr(partition: PartitionState, members: Members): boolean {
  const ids = members.map(({ brokerId }) => brokerId)
  return (
    new Set(ids).size === ids.length &&
    ids.every((id) => partition.replicas.includes(id)) &&
    ids.includes(partition.leader)
  )
}

/** A leader that recovers from an unclean election is alone, and none falls back into recovery by itself. */
function isPossibleRecovery(
  partition: PartitionState,
  request: PartitionRequest,
  members: Members,
): boolean {
  const { RECOVERED, RECOVERING } = LeaderRecoveryState
  const wanted = request.leaderRecoveryState
  if (wanted !== RECOVERED && wanted !== RECOVERING) return false
  if (wanted === RECOVERED) return true
  return members.length === 1 && partition.leaderRecoveryState === RECOVERING
}

function isEligible(context: ControlContext, { brokerId, brokerEpoch }: Members[number]): boolean {
  if (!activeBrokers(context)(brokerId)) return false
  return brokerEpoch === ANY_EPOCH || isCurrentBroker(context, brokerId, brokerEpoch)
}

function resultOf(partition: PartitionState): PartitionResult {
  return {
    partitionIndex: partition.partition,
    errorCode: ErrorCode.NONE,
    leaderId: partition.leader,
    leaderEpoch: partition.leaderEpoch,
    isr: partition.isr,
    leaderRecoveryState: partition.leaderRecoveryState,
    partitionEpoch: partition.partitionEpoch,
  }
}

function refused(request: PartitionRequest, errorCode: ErrorCode): Altered {
  const { partitionIndex, partitionEpoch } = request
  const result = { partitionIndex, errorCode }
  const fields = { partition: partitionIndex, partitionEpoch, errorCode }
  return { result, record: null, event: { kind: 'controller.isr-refused', fields } }
}

function isrChanged(before: PartitionState, after: PartitionState): PendingEvent {
  const { topic, partition, leader, isr, partitionEpoch } = after
  return {
    kind: 'controller.isr-changed',
    fields: { topic, partition, leader, isr, previousIsr: before.isr, partitionEpoch },
  }
}
