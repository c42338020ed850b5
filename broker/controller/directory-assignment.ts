import type { Uuid } from '../../src/base/uuid.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type {
  AssignReplicasToDirsRequest,
  AssignReplicasToDirsResponse,
} from '../../src/wire/messages/73-assign-replicas-to-dirs.ts'
import type { MetadataRecord } from '../../src/wire/records/metadata.ts'
import { present } from '../../src/base/assert.ts'
import type { BrokerRegistration } from '../metadata/cluster-image.ts'
import { assignedDirectory, isOnlineDirectory } from '../metadata/directory-id.ts'
import type { PartitionState } from '../metadata/partition-state.ts'
import { isCurrentBroker } from './broker-heartbeat.ts'
import { isUncleanElectionEnabled, type ControlContext } from './control-context.ts'
import type { Outcome } from './outcome.ts'
import { partitionChange } from './partition-election.ts'
import { acceptableLeaders, partitionChangeRecord } from './replica-changes.ts'

interface Assignment {
  readonly partition: PartitionState
  readonly directory: Uuid
}

/**
 * Answers AssignReplicasToDirs (KIP-858): a broker says in which of its directories its replicas lie. A replica in
 * a directory that is offline, or that the broker does not have, loses leadership and ISR membership; one that
 * comes to lie in one that is online may lead a partition that nobody else can. Of two entries for one replica the
 * later one counts.
 */
export function assignReplicasToDirs(
  context: ControlContext,
  request: AssignReplicasToDirsRequest,
): Outcome<AssignReplicasToDirsResponse> {
  if (!isCurrentBroker(context, request.brokerId, request.brokerEpoch)) {
    return { records: [], response: { errorCode: ErrorCode.STALE_BROKER_EPOCH } }
  }
  const broker = present(context.image.brokers.get(request.brokerId), 'the broker of this epoch')
  const assignments = new Map<string, Assignment>()
  const directories = request.directories.map(({ id, topics }) => ({
    id,
    topics: topics.map(({ topicId, partitions }) => ({
      topicId,
      partitions: partitions.map(({ partitionIndex }) => {
        const found = findReplica(context, broker, topicId, partitionIndex)
        if (typeof found === 'number') return { partitionIndex, errorCode: found }
        assignments.set(`${topicId} ${partitionIndex}`, { partition: found, directory: id })
        return { partitionIndex, errorCode: ErrorCode.NONE }
      }),
    })),
  }))
  return {
    records: [...assignments.values()].flatMap((each) => recordOf(context, broker, each) ?? []),
    response: { errorCode: ErrorCode.NONE, directories },
  }
}

function findReplica(
  context: ControlContext,
  broker: BrokerRegistration,
  topicId: Uuid,
  index: number,
): PartitionState | ErrorCode {
  const topic = context.image.topicsById.get(topicId)
  if (topic === undefined) return ErrorCode.UNKNOWN_TOPIC_ID
  const partition = topic.partitions.get(index)
  if (partition === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  return partition.replicas.includes(broker.id) ? partition : ErrorCode.NOT_LEADER_OR_FOLLOWER
}

function recordOf(
  context: ControlContext,
  broker: BrokerRegistration,
  { partition, directory }: Assignment,
): MetadataRecord | null {
  const directories = partition.replicas.map((id) =>
    id === broker.id ? directory : assignedDirectory(partition, id),
  )
  const isOnline = isOnlineDirectory(broker, directory)
  const change = partitionChange({
    partition,
    election: isUncleanElectionEnabled(context, partition.topic) ? 'unclean' : 'online',
    isAcceptableLeader: acceptableLeaders(context, { replicas: partition.replicas, directories }),
    targetIsr: isOnline ? partition.isr : partition.isr.filter((id) => id !== broker.id),
    targetDirectories: directories,
  })
  return change === null ? null : partitionChangeRecord(change)
}
