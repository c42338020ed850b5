import { ErrorCode } from '../../../src/wire/error-codes.ts'
import type {
  DescribeQuorumRequest,
  DescribeQuorumResponse,
} from '../../../src/wire/messages/55-describe-quorum.ts'
import type { Input } from '../../../src/wire/schema.ts'
import type { Leader } from './leader.ts'
import { METADATA_TOPIC } from '../../metadata/topic-name.ts'
import { METADATA_PARTITION } from './quorum-messages.ts'
import type { RaftContext } from './raft-context.ts'
import type { ReplicaProgress } from './replica-progress.ts'

type TopicResult = DescribeQuorumResponse['topics'][number]
type PartitionResult = TopicResult['partitions'][number]
type ReplicaResult = PartitionResult['currentVoters'][number]

/** Since when answers carry directory ids, error messages and endpoints. */
const DIRECTORY_VERSION = 2
const LISTENER_NAME = 'CONTROLLER'

/** The answer to DescribeQuorum (KIP-595, KIP-836); only the leader knows the replicas. */
export function describeQuorum(
  context: RaftContext,
  version: number,
  request: DescribeQuorumRequest,
): Input<DescribeQuorumResponse> {
  const topics = request.topics.map((topic) => ({
    topicName: topic.topicName,
    partitions: topic.partitions.map(({ partitionIndex }) => {
      const isOurs = topic.topicName === METADATA_TOPIC && partitionIndex === METADATA_PARTITION
      return isOurs
        ? describePartition(context, version)
        : { partitionIndex, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
    }),
  }))
  if (version < DIRECTORY_VERSION) return { topics }
  const nodes = context.voters.ids.flatMap((nodeId) => {
    const voter = context.voters.get(nodeId)
    if (voter === null) return []
    const { host, port } = voter
    return [{ nodeId, listeners: [{ name: LISTENER_NAME, host, port }] }]
  })
  return { topics, nodes }
}

function describePartition(context: RaftContext, version: number): Input<PartitionResult> {
  const { role } = context.state
  const known = {
    partitionIndex: METADATA_PARTITION,
    leaderId: context.state.leaderId,
    leaderEpoch: context.state.epoch,
  }
  if (role.kind !== 'leader') return { ...known, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER }
  return {
    ...known,
    errorCode: ErrorCode.NONE,
    highWatermark: role.highWatermark,
    currentVoters: voters(context, role, version),
    observers: role.observerProgress.map((observer) => describeReplica(observer, version)),
  }
}

function voters(context: RaftContext, leader: Leader, version: number): Input<ReplicaResult>[] {
  const { clock, log, nodeId, directoryId } = context
  const nowMs = Math.floor(clock.wallMs())
  const self = {
    replicaId: nodeId,
    ...(version < DIRECTORY_VERSION ? {} : { replicaDirectoryId: directoryId }),
    logEndOffset: log.endOffset,
    lastFetchTimestamp: nowMs,
    lastCaughtUpTimestamp: nowMs,
  }
  const others = leader.voterProgress.map((voter) => describeReplica(voter, version))
  return [self, ...others].sort((a, b) => a.replicaId - b.replicaId)
}

function describeReplica(progress: ReplicaProgress, version: number) {
  return {
    replicaId: progress.key.id,
    ...(version < DIRECTORY_VERSION ? {} : { replicaDirectoryId: progress.key.directoryId }),
    logEndOffset: progress.endOffset,
    lastFetchTimestamp: progress.lastFetchTimestampMs,
    lastCaughtUpTimestamp: progress.lastCaughtUpTimestampMs,
  }
}
