import { ErrorCode } from '../../src/wire/error-codes.ts'
import { topicPartitionKey } from '../../src/base/topic-partition.ts'
import type { Input } from '../../src/wire/schema.ts'
import type {
  ElectLeadersRequest,
  ElectLeadersResponse,
} from '../../src/wire/messages/43-elect-leaders.ts'
import type { MetadataRecord } from '../../src/wire/records/metadata.ts'
import { NO_LEADER, type PartitionState } from '../metadata/partition-state.ts'
import { isUncleanElectionEnabled, type ControlContext } from './control-context.ts'
import {
  apiError,
  BATCH_TOO_LARGE,
  MAX_RECORDS_PER_BATCH,
  NO_ERROR,
  type ApiError,
  type Outcome,
} from './outcome.ts'
import { partitionChange, type ElectionKind } from './partition-election.ts'
import { acceptableLeaders, partitionChangeRecord } from './replica-changes.ts'

/** How many leaders one run of a periodic task may change. */
export const MAX_ELECTIONS_PER_RUN = 1000

const ElectionType = { PREFERRED: 0, UNCLEAN: 1 } as const

type TopicResult = Input<ElectLeadersResponse['replicaElectionResults'][number]>
type PartitionResult = Input<
  ElectLeadersResponse['replicaElectionResults'][number]['partitionResult'][number]
>

interface Election {
  readonly error: ApiError
  readonly record: MetadataRecord | null
}

/**
 * Answers ElectLeaders, preferred or unclean, for the given partitions or for all.
 * Asked for all, it leaves out those for which there is nothing to do.
 */
export function electLeaders(
  context: ControlContext,
  version: number,
  request: ElectLeadersRequest,
): Outcome<ElectLeadersResponse> {
  const refuse = (error: ApiError): Outcome<ElectLeadersResponse> => ({
    records: [],
    response: refusedElection(version, request, error),
  })
  const { PREFERRED, UNCLEAN } = ElectionType
  if (request.electionType !== PREFERRED && request.electionType !== UNCLEAN) {
    const message = `Unknown election type ${request.electionType}`
    return refuse(apiError(ErrorCode.INVALID_REQUEST, message))
  }
  const kind = request.electionType === UNCLEAN ? 'unclean' : 'preferred'
  const isForAll = request.topicPartitions === null
  const records: MetadataRecord[] = []
  /** One that is asked for twice is held once, and told twice. */
  const elections = new Map<string, Election>()
  const results = (request.topicPartitions ?? allPartitions(context)).map((asked): TopicResult => {
    const partitionResult: PartitionResult[] = []
    for (const partitionId of asked.partitions) {
      const key = topicPartitionKey(asked.topic, partitionId)
      const isRepeated = elections.has(key)
      const election = elections.get(key) ?? electOne(context, kind, asked.topic, partitionId)
      elections.set(key, election)
      const { error, record } = election
      if (record !== null && !isRepeated) records.push(record)
      if (isForAll && error.errorCode === ErrorCode.ELECTION_NOT_NEEDED) continue
      partitionResult.push({ partitionId, ...error })
    }
    return { topic: asked.topic, partitionResult }
  })
  if (records.length > MAX_RECORDS_PER_BATCH) {
    return refuse(apiError(ErrorCode.POLICY_VIOLATION, BATCH_TOO_LARGE))
  }
  return { records, response: { errorCode: ErrorCode.NONE, replicaElectionResults: results } }
}

/** Every partition carries the error; from version 1 on so does the answer. */
export function refusedElection(
  version: number,
  request: ElectLeadersRequest,
  error: ApiError,
): Input<ElectLeadersResponse> {
  const replicaElectionResults = (request.topicPartitions ?? []).map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions.map((partitionId) => ({ partitionId, ...error })),
  }))
  return { ...(version > 0 && { errorCode: error.errorCode }), replicaElectionResults }
}

/** Gives leadership back to preferred leaders that may lead again; at most `MAX_ELECTIONS_PER_RUN` records. */
export function balanceRecords(context: ControlContext): readonly MetadataRecord[] {
  return electionRecords(context, (partition) =>
    partition.leader === partition.replicas[0] ? null : 'preferred',
  )
}

/** Elects leaders for leaderless partitions of topics that allow it uncleanly; at most `MAX_ELECTIONS_PER_RUN` records. */
export function uncleanElectionRecords(context: ControlContext): readonly MetadataRecord[] {
  return electionRecords(context, (partition) =>
    partition.leader === NO_LEADER && isUncleanElectionEnabled(context, partition.topic)
      ? 'unclean'
      : null,
  )
}

function electionRecords(
  context: ControlContext,
  electionFor: (partition: PartitionState) => ElectionKind | null,
): readonly MetadataRecord[] {
  const records: MetadataRecord[] = []
  for (const topic of context.image.topicsById.values()) {
    for (const partition of topic.partitions.values()) {
      if (records.length === MAX_ELECTIONS_PER_RUN) return records
      const election = electionFor(partition)
      const record = election === null ? null : electionRecord(context, partition, election)
      if (record !== null) records.push(record)
    }
  }
  return records
}

function electOne(
  context: ControlContext,
  kind: 'preferred' | 'unclean',
  topic: string,
  index: number,
): Election {
  const refuse = (code: ErrorCode, message?: string): Election => ({
    error: apiError(code, message),
    record: null,
  })
  if (!context.image.topicsByName.has(topic)) {
    return refuse(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `No such topic as ${topic}`)
  }
  const partition = context.image.partition(topic, index)
  if (partition === null) {
    return refuse(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `No such partition as ${topic}-${index}`)
  }
  const isNeeded =
    kind === 'preferred'
      ? partition.leader !== partition.replicas[0]
      : partition.leader === NO_LEADER
  if (!isNeeded) return refuse(ErrorCode.ELECTION_NOT_NEEDED)
  const record = electionRecord(context, partition, kind)
  if (record !== null) return { error: NO_ERROR, record }
  return refuse(
    kind === 'preferred'
      ? ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE
      : ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE,
  )
}

function electionRecord(
  context: ControlContext,
  partition: PartitionState,
  election: ElectionKind,
): MetadataRecord | null {
  const isAcceptableLeader = acceptableLeaders(context, partition)
  const change = partitionChange({ partition, election, isAcceptableLeader })
  return change === null ? null : partitionChangeRecord(change)
}

function allPartitions(
  context: ControlContext,
): readonly { readonly topic: string; readonly partitions: readonly number[] }[] {
  return [...context.image.topicsById.values()].map(({ name, partitions }) => ({
    topic: name,
    partitions: [...partitions.keys()],
  }))
}
