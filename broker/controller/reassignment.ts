import type { BrokerId } from '../../src/base/ids.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { Input } from '../../src/wire/schema.ts'
import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../../src/wire/messages/45-alter-partition-reassignments.ts'
import type {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from '../../src/wire/messages/46-list-partition-reassignments.ts'
import type { MetadataRecord } from '../../src/wire/records/metadata.ts'
import { LeaderRecoveryState, type PartitionState } from '../metadata/partition-state.ts'
import type { TopicImage } from '../metadata/topics-image.ts'
import { isUncleanElectionEnabled, type ControlContext } from './control-context.ts'
import {
  apiError,
  BATCH_TOO_LARGE,
  MAX_RECORDS_PER_BATCH,
  NO_ERROR,
  type ApiError,
  type Outcome,
} from './outcome.ts'
import {
  partitionChange,
  type ElectionRequest,
  type TargetAssignment,
} from './partition-election.ts'
import { defaultDirectory, problemWithReplicas } from './replica-assignment.ts'
import { acceptableLeaders, activeBrokers, partitionChangeRecord } from './replica-changes.ts'

type PartitionRequest = AlterPartitionReassignmentsRequest['topics'][number]['partitions'][number]
type OngoingTopic = Input<ListPartitionReassignmentsResponse['topics'][number]>

/**
 * Answers AlterPartitionReassignments (KIP-455): each partition gets other replicas, or with null goes back to those it
 * had. New replicas are added first; the ISR that holds all which stay ends the reassignment (`partitionChange`).
 */
export function alterPartitionReassignments(
  context: ControlContext,
  request: AlterPartitionReassignmentsRequest,
): Outcome<AlterPartitionReassignmentsResponse> {
  const records: MetadataRecord[] = []
  const { allowReplicationFactorChange } = request
  const responses = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((asked) => {
      const changed = reassign(context, name, asked, allowReplicationFactorChange)
      if (!('errorCode' in changed)) records.push(...changed)
      const error = 'errorCode' in changed ? changed : NO_ERROR
      return { partitionIndex: asked.partitionIndex, ...error }
    }),
  }))
  if (records.length > MAX_RECORDS_PER_BATCH) {
    const error = apiError(ErrorCode.POLICY_VIOLATION, BATCH_TOO_LARGE)
    return { records: [], response: { ...error, allowReplicationFactorChange } }
  }
  return {
    records,
    response: {
      errorCode: ErrorCode.NONE,
      // What Kafka answers when nothing is asked for.
      errorMessage: request.topics.length === 0 ? '' : null,
      allowReplicationFactorChange,
      responses,
    },
  }
}

/** Answers ListPartitionReassignments: those of the asked partitions (null: of all) that are being reassigned. */
export function listPartitionReassignments(
  context: ControlContext,
  request: ListPartitionReassignmentsRequest,
): Outcome<ListPartitionReassignmentsResponse> {
  const { topicsByName } = context.image
  const topics =
    request.topics === null
      ? [...topicsByName.values()].map((topic) => ongoingOf(topic, [...topic.partitions.keys()]))
      : request.topics.map(({ name, partitionIndexes }) =>
          ongoingOf(topicsByName.get(name), partitionIndexes),
        )
  const response = {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    topics: topics.flatMap((topic) => topic ?? []),
  }
  return { records: [], response }
}

function ongoingOf(topic: TopicImage | undefined, indexes: readonly number[]): OngoingTopic | null {
  if (topic === undefined) return null
  const ongoing = indexes
    .flatMap((index) => topic.partitions.get(index) ?? [])
    .filter(isBeingReassigned)
    .map(({ partition, replicas, addingReplicas, removingReplicas }) => ({
      partitionIndex: partition,
      replicas,
      addingReplicas,
      removingReplicas,
    }))
  return ongoing.length === 0 ? null : { name: topic.name, partitions: ongoing }
}

function isBeingReassigned({ addingReplicas, removingReplicas }: PartitionState): boolean {
  return addingReplicas.length > 0 || removingReplicas.length > 0
}

function reassign(
  context: ControlContext,
  topicName: string,
  asked: PartitionRequest,
  mayChangeFactor: boolean,
): readonly MetadataRecord[] | ApiError {
  const topic = context.image.topicsByName.get(topicName)
  const unknown = (message: string): ApiError =>
    apiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, message)
  if (topic === undefined) return unknown(`Unable to find a topic named ${topicName}.`)
  const partition = topic.partitions.get(asked.partitionIndex)
  if (partition === undefined) {
    return unknown(`Unable to find partition ${topicName}:${asked.partitionIndex}.`)
  }
  if (asked.replicas === null) return cancel(context, partition)
  const problem =
    problemWithReplicas(context, asked.replicas, null) ??
    (mayChangeFactor ? null : problemWithFactor(partition, asked.replicas))
  return problem ?? begin(context, partition, asked.replicas)
}

/** The factor is that of what the partition will have, not of all that hold it for the time of the move. */
function problemWithFactor(
  { replicas, removingReplicas }: PartitionState,
  target: readonly BrokerId[],
): ApiError | null {
  const factor = replicas.filter((id) => !removingReplicas.includes(id)).length
  if (factor === target.length) return null
  const message = `The replication factor is changed from ${factor} to ${target.length}`
  return apiError(ErrorCode.INVALID_REPLICATION_FACTOR, message)
}

function begin(
  context: ControlContext,
  partition: PartitionState,
  target: readonly BrokerId[],
): readonly MetadataRecord[] {
  const removing = partition.replicas.filter((id) => !target.includes(id)).sort(byNumber)
  const adding = target.filter((id) => !partition.replicas.includes(id)).sort(byNumber)
  const targetAssignment: TargetAssignment = {
    replicas: [...target, ...removing],
    // Those that an earlier move has begun to add stay so, unless they are to go: Kafka waits for them for ever then.
    addingReplicas:
      adding.length > 0 ? adding : partition.addingReplicas.filter((id) => target.includes(id)),
    removingReplicas: removing,
    directoryOf: (id) => defaultDirectory(context, id),
  }
  return recordsOf(context, { partition, targetAssignment })
}

/** Without those that were being added; what is left of the ISR goes on, or nobody can lead cleanly. */
function cancel(
  context: ControlContext,
  partition: PartitionState,
): readonly MetadataRecord[] | ApiError {
  if (!isBeingReassigned(partition)) {
    return { errorCode: ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, errorMessage: null }
  }
  const isOld = (id: BrokerId): boolean => !partition.addingReplicas.includes(id)
  const replicas = partition.replicas.filter(isOld)
  const isr = partition.isr.filter(isOld)
  const targetAssignment: TargetAssignment = {
    replicas,
    addingReplicas: [],
    removingReplicas: [],
    directoryOf: (id) => defaultDirectory(context, id),
  }
  if (isr.length > 0) return recordsOf(context, { partition, targetAssignment, targetIsr: isr })
  const survivor = replicas.find(activeBrokers(context)) ?? replicas[0]
  if (survivor === undefined || !isUncleanElectionEnabled(context, partition.topic)) {
    const message =
      `Unable to revert partition assignment for ${partition.topic}:${partition.partition} ` +
      'because it would require an unclean leader election.'
    return apiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message)
  }
  // Whoever leads now may lack what was acked, and says so until it has recovered.
  return recordsOf(context, {
    partition,
    targetAssignment,
    targetIsr: [survivor],
    targetLeaderRecoveryState: LeaderRecoveryState.RECOVERING,
  })
}

function recordsOf(
  context: ControlContext,
  request: Omit<ElectionRequest, 'election' | 'isAcceptableLeader'>,
): readonly MetadataRecord[] {
  const isAcceptableLeader = acceptableLeaders(context, request.partition)
  const change = partitionChange({ ...request, election: 'online', isAcceptableLeader })
  return change === null ? [] : [partitionChangeRecord(change)]
}

function byNumber(left: number, right: number): number {
  return left - right
}
