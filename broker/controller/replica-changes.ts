import type { BrokerId } from '../../src/base/ids.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import { metadataRecord } from '../../src/wire/metadata-record.ts'
import type { Input } from '../../src/wire/schema.ts'
import type { MetadataRecord, PartitionChangeRecord } from '../../src/wire/records/metadata.ts'
import { isActiveBroker, type BrokerRegistration } from '../metadata/cluster-image.ts'
import { assignedDirectory, isOnlineDirectory } from '../metadata/directory-id.ts'
import { NO_LEADER, type PartitionState } from '../metadata/partition-state.ts'
import { isUncleanElectionEnabled, type ControlContext } from './control-context.ts'
import { partitionChange } from './partition-election.ts'

/** Version of the partition records that Kafka 4.0 and later write; it can carry the ELR of KIP-966. */
const PARTITION_RECORD_VERSION = 2
const FENCED_CHANGE_VERSION = 0
const SHUTDOWN_CHANGE_VERSION = 1
const DIRECTORY_CHANGE_VERSION = 2
const SET = 1
const CLEAR = -1

export function partitionChangeRecord(change: Input<PartitionChangeRecord>): MetadataRecord {
  return metadataRecord('PartitionChangeRecord', change, PARTITION_RECORD_VERSION)
}

/** Takes the broker out of every ISR and leadership, then fences it. */
export function fenceRecords(
  context: ControlContext,
  broker: BrokerRegistration,
): readonly MetadataRecord[] {
  return [
    ...removalRecords(context, broker.id),
    metadataRecord(
      'BrokerRegistrationChangeRecord',
      { brokerId: broker.id, brokerEpoch: broker.epoch, fenced: SET },
      FENCED_CHANGE_VERSION,
    ),
  ]
}

/** Unfences the broker, then gives it the leaderless partitions that it may lead. */
export function unfenceRecords(
  context: ControlContext,
  broker: BrokerRegistration,
): readonly MetadataRecord[] {
  const isActive = activeBrokers(context)
  const isAlive = (id: BrokerId): boolean => id === broker.id || isActive(id)
  return [
    metadataRecord(
      'BrokerRegistrationChangeRecord',
      { brokerId: broker.id, brokerEpoch: broker.epoch, fenced: CLEAR },
      FENCED_CHANGE_VERSION,
    ),
    ...changesOf(context, isAlive, (partition) =>
      partition.leader === NO_LEADER ? partition.isr : null,
    ),
  ]
}

/** Marks the broker as shutting down and moves its leaderships and ISR memberships to others. */
export function controlledShutdownRecords(
  context: ControlContext,
  broker: BrokerRegistration,
): readonly MetadataRecord[] {
  return [
    metadataRecord(
      'BrokerRegistrationChangeRecord',
      { brokerId: broker.id, brokerEpoch: broker.epoch, inControlledShutdown: SET },
      SHUTDOWN_CHANGE_VERSION,
    ),
    ...removalRecords(context, broker.id),
  ]
}

/** Takes the broker out of every ISR, then out of the cluster. */
export function unregisterRecords(
  context: ControlContext,
  broker: BrokerRegistration,
): readonly MetadataRecord[] {
  return [
    ...removalRecords(context, broker.id),
    metadataRecord('UnregisterBrokerRecord', {
      brokerId: broker.id,
      brokerEpoch: broker.epoch,
    }),
  ]
}

/**
 * Moves leaderships and ISR memberships away from the replicas in these directories of the broker, and takes the
 * directories from its registration (KIP-858). Empty when it has none of them any more.
 */
export function offlineDirectoryRecords(
  context: ControlContext,
  broker: BrokerRegistration,
  offline: readonly Uuid[],
): readonly MetadataRecord[] {
  const failed = broker.logDirs.filter((id) => offline.includes(id))
  if (failed.length === 0) return []
  const logDirs = broker.logDirs.filter((id) => !failed.includes(id))
  const isActive = activeBrokers(context)
  const isHit = (partition: PartitionState): boolean =>
    failed.includes(assignedDirectory(partition, broker.id))
  const changes = changesOf(
    context,
    // Only partitions that are hit are looked at, and in them the broker cannot lead.
    (id) => id !== broker.id && isActive(id),
    (partition) =>
      partition.isr.includes(broker.id) && isHit(partition)
        ? partition.isr.filter((id) => id !== broker.id)
        : null,
  )
  // An empty list would say that nothing changes; a broker without any directory ends by itself.
  if (logDirs.length === 0) return changes
  const change = { brokerId: broker.id, brokerEpoch: broker.epoch, logDirs }
  return [
    ...changes,
    metadataRecord('BrokerRegistrationChangeRecord', change, DIRECTORY_CHANGE_VERSION),
  ]
}

/**
 * Whether a broker may lead the partition: registered, unfenced, not shutting down, and with its replica in a directory
 * that is online (Kafka's LeaderAcceptor).
 */
export function acceptableLeaders(
  context: ControlContext,
  partition: Pick<PartitionState, 'replicas' | 'directories'>,
): (id: BrokerId) => boolean {
  return withOnlineDirectory(context, partition, activeBrokers(context))
}

/** Whether a broker is registered, unfenced and not shutting down. */
export function activeBrokers(context: ControlContext): (id: BrokerId) => boolean {
  return (id) => isActiveBroker(context.image.brokers.get(id))
}

export function hasLeaderships(context: ControlContext, id: BrokerId): boolean {
  for (const topic of context.image.topicsById.values()) {
    for (const partition of topic.partitions.values()) if (partition.leader === id) return true
  }
  return false
}

function removalRecords(context: ControlContext, removed: BrokerId): readonly MetadataRecord[] {
  const isActive = activeBrokers(context)
  const isAlive = (id: BrokerId): boolean => id !== removed && isActive(id)
  return changesOf(context, isAlive, (partition) =>
    partition.isr.includes(removed) ? partition.isr.filter((id) => id !== removed) : null,
  )
}

/** Those that are alive and have the partition in a directory that is online. */
function withOnlineDirectory(
  context: ControlContext,
  partition: Pick<PartitionState, 'replicas' | 'directories'>,
  isAlive: (id: BrokerId) => boolean,
): (id: BrokerId) => boolean {
  return (id) => {
    const broker = context.image.brokers.get(id)
    return (
      broker !== undefined &&
      isAlive(id) &&
      isOnlineDirectory(broker, assignedDirectory(partition, id))
    )
  }
}

/** One change for each partition for which `targetIsr` gives an ISR, in the order of creation. */
function changesOf(
  context: ControlContext,
  isAlive: (id: BrokerId) => boolean,
  targetIsr: (partition: PartitionState) => readonly BrokerId[] | null,
): readonly MetadataRecord[] {
  const records: MetadataRecord[] = []
  for (const topic of context.image.topicsById.values()) {
    const election = isUncleanElectionEnabled(context, topic.name) ? 'unclean' : 'online'
    for (const partition of topic.partitions.values()) {
      const target = targetIsr(partition)
      if (target === null) continue
      const isAcceptableLeader = withOnlineDirectory(context, partition, isAlive)
      const request = { partition, election, isAcceptableLeader, targetIsr: target } as const
      const change = partitionChange(request)
      if (change !== null) records.push(partitionChangeRecord(change))
    }
  }
  return records
}
