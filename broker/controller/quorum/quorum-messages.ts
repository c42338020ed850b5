import type { BrokerId, LeaderEpoch, Offset } from '../../../src/base/ids.ts'
import { ZERO_UUID, type Uuid } from '../../../src/base/uuid.ts'
import type { ErrorCode } from '../../../src/wire/error-codes.ts'
import type {
  BeginQuorumEpochRequest,
  BeginQuorumEpochResponse,
} from '../../../src/wire/messages/53-begin-quorum-epoch.ts'
import type {
  EndQuorumEpochRequest,
  EndQuorumEpochResponse,
} from '../../../src/wire/messages/54-end-quorum-epoch.ts'
import type { VoteRequest, VoteResponse } from '../../../src/wire/messages/52-vote.ts'
import type { Input } from '../../../src/wire/schema.ts'
import { METADATA_TOPIC } from '../../metadata/topic-name.ts'
import type { ReplicaKey } from './replica-key.ts'
import type { Voter } from './voter-set.ts'

export const METADATA_PARTITION = 0
export const VOTE_VERSION = 2
export const BEGIN_QUORUM_EPOCH_VERSION = 1
export const END_QUORUM_EPOCH_VERSION = 1
/** Name under which the leader gives its endpoint; the quorum has one listener. */
const LISTENER_NAME = 'CONTROLLER'

/** Who leads which epoch, as far as a node knows. */
export interface LeaderAndEpoch {
  readonly leaderId: BrokerId
  readonly leaderEpoch: LeaderEpoch
}

/** The only entry of a request or answer about the metadata partition, or null. */
export function onlyPartition<P extends { readonly partitionIndex: number }>(
  topics: readonly { readonly topicName: string; readonly partitions: readonly P[] }[],
): P | null {
  const [topic, ...otherTopics] = topics
  if (topic === undefined || otherTopics.length > 0) return null
  const [partition, ...otherPartitions] = topic.partitions
  if (partition === undefined || otherPartitions.length > 0) return null
  const isOurs =
    topic.topicName === METADATA_TOPIC && partition.partitionIndex === METADATA_PARTITION
  return isOurs ? partition : null
}

export interface VoteFields {
  readonly clusterId: string
  readonly voterId: BrokerId
  readonly epoch: LeaderEpoch
  readonly self: ReplicaKey
  readonly lastOffsetEpoch: LeaderEpoch
  readonly lastOffset: Offset
  readonly isPreVote: boolean
}

export function voteRequestOf(fields: VoteFields): Input<VoteRequest> {
  return {
    clusterId: fields.clusterId,
    voterId: fields.voterId,
    topics: inMetadataTopic({
      partitionIndex: METADATA_PARTITION,
      replicaEpoch: fields.epoch,
      replicaId: fields.self.id,
      replicaDirectoryId: fields.self.directoryId,
      voterDirectoryId: ZERO_UUID,
      lastOffsetEpoch: fields.lastOffsetEpoch,
      lastOffset: fields.lastOffset,
      preVote: fields.isPreVote,
    }),
  }
}

export function voteResponseOf(
  errorCode: ErrorCode,
  voteGranted: boolean,
  known: LeaderAndEpoch,
  endpoint: Voter | null,
): Input<VoteResponse> {
  const partition = { partitionIndex: METADATA_PARTITION, errorCode, voteGranted, ...known }
  return { topics: inMetadataTopic(partition), ...nodeEndpoints(endpoint) }
}

export function beginQuorumEpochRequestOf(
  clusterId: string,
  voterId: BrokerId,
  leader: LeaderAndEpoch,
  endpoint: Voter | null,
): Input<BeginQuorumEpochRequest> {
  const partition = {
    partitionIndex: METADATA_PARTITION,
    voterDirectoryId: ZERO_UUID,
    ...leader,
  }
  return {
    clusterId,
    voterId,
    topics: inMetadataTopic(partition),
    leaderEndpoints: leaderEndpoints(endpoint),
  }
}

export function endQuorumEpochRequestOf(
  clusterId: string,
  leader: LeaderAndEpoch,
  successors: readonly BrokerId[],
  endpoint: Voter | null,
): Input<EndQuorumEpochRequest> {
  const partition = {
    partitionIndex: METADATA_PARTITION,
    preferredCandidates: successors.map((candidateId) => ({
      candidateId,
      candidateDirectoryId: ZERO_UUID,
    })),
    ...leader,
  }
  return {
    clusterId,
    topics: inMetadataTopic(partition),
    leaderEndpoints: leaderEndpoints(endpoint),
  }
}

/** The answer to BeginQuorumEpoch and EndQuorumEpoch. */
export function epochResponseOf(
  errorCode: ErrorCode,
  known: LeaderAndEpoch,
  endpoint: Voter | null,
): Input<BeginQuorumEpochResponse & EndQuorumEpochResponse> {
  const partition = { partitionIndex: METADATA_PARTITION, errorCode, ...known }
  return { topics: inMetadataTopic(partition), ...nodeEndpoints(endpoint) }
}

/** A directory id that was sent, or null for the unknown one. */
export function directoryOf(id: Uuid): Uuid | null {
  return id === ZERO_UUID ? null : id
}

function inMetadataTopic<P>(partition: P) {
  return [{ topicName: METADATA_TOPIC, partitions: [partition] }]
}

function nodeEndpoints(endpoint: Voter | null) {
  if (endpoint === null) return {}
  const { nodeId, host, port } = endpoint
  return { nodeEndpoints: [{ nodeId, host, port }] }
}

function leaderEndpoints(endpoint: Voter | null) {
  if (endpoint === null) return []
  return [{ name: LISTENER_NAME, host: endpoint.host, port: endpoint.port }]
}
