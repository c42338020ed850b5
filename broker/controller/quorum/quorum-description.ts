import { ErrorCode, errorMessage } from '../../../src/wire/error-codes.ts'
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
const ENDPOINTS_VERSION = 2
const LISTENER_NAME = 'CONTROLLER'

/** The answer to DescribeQuorum (KIP-595, KIP-836); only the leader knows the replicas. */
export function describeQuorum(
  context: RaftContext,
  version: number,
  request: DescribeQuorumRequest,
): Input<DescribeQuorumResponse> {
  if (!isOfMetadata(request)) return refusal(request, version)
  const topics = [{ topicName: METADATA_TOPIC, partitions: [describePartition(context, version)] }]
  if (version < ENDPOINTS_VERSION) return { topics }
  const nodes = context.voters.ids.flatMap((nodeId) => {
    const voter = context.voters.get(nodeId)
    if (voter === null) return []
    const { host, port } = voter
    return [{ nodeId, listeners: [{ name: LISTENER_NAME, host, port }] }]
  })
  return { topics, nodes }
}

/** Kafka describes one partition, and only when nothing else is asked for. */
function isOfMetadata({ topics }: DescribeQuorumRequest): boolean {
  const [topic, ...others] = topics
  if (topic?.topicName !== METADATA_TOPIC || others.length > 0) return false
  const [partition, ...more] = topic.partitions
  return partition?.partitionIndex === METADATA_PARTITION && more.length === 0
}

function refusal(request: DescribeQuorumRequest, version: number): Input<DescribeQuorumResponse> {
  const errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  const told = version < ENDPOINTS_VERSION ? {} : { errorMessage: errorMessage(errorCode) }
  const topics = request.topics.map(({ topicName, partitions }) => ({
    topicName,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode, ...told })),
  }))
  return { topics }
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
    currentVoters: voters(context, role),
    observers: role.observerProgress.map((observer) => describeObserver(observer, version)),
  }
}

/** Voters that the configuration names have no directory id: that comes with kraft.version 1. */
function voters(context: RaftContext, leader: Leader): Input<ReplicaResult>[] {
  const { clock, log, nodeId } = context
  const nowMs = Math.floor(clock.wallMs())
  const self = {
    replicaId: nodeId,
    logEndOffset: log.endOffset,
    lastFetchTimestamp: nowMs,
    lastCaughtUpTimestamp: nowMs,
  }
  const others = leader.voterProgress.map(describeReplica)
  return [self, ...others].sort((a, b) => a.replicaId - b.replicaId)
}

function describeObserver(progress: ReplicaProgress, version: number): Input<ReplicaResult> {
  const described = describeReplica(progress)
  if (version < ENDPOINTS_VERSION) return described
  return { ...described, replicaDirectoryId: progress.key.directoryId }
}

function describeReplica(progress: ReplicaProgress) {
  return {
    replicaId: progress.key.id,
    logEndOffset: progress.endOffset,
    lastFetchTimestamp: progress.lastFetchTimestampMs,
    lastCaughtUpTimestamp: progress.lastCaughtUpTimestampMs,
  }
}
