import type { BrokerId } from '../../src/base/ids.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { metadataRecord } from '../../src/wire/metadata-record.ts'
import type { MetadataRecord } from '../../src/wire/records/metadata.ts'
import { DirectoryId } from '../metadata/directory-id.ts'
import type { ControlContext } from './control-context.ts'
import { apiError, type ApiError } from './outcome.ts'
import { activeBrokers } from './replica-changes.ts'
import { placeReplicas, type Placement } from './replica-placer.ts'

const PARTITION_RECORD_VERSION = 2

/** Places replicas on all registered brokers that are not shutting down. */
export function placeOnCluster(
  context: ControlContext,
  partitionCount: number,
  replicationFactor: number,
): Placement {
  const brokers = [...context.image.brokers.values()].filter(
    (broker) => !broker.isInControlledShutdown,
  )
  return placeReplicas({ brokers, partitionCount, replicationFactor }, context.random)
}

/** Why replicas chosen by hand cannot be used; `replicationFactor` null: the first partition sets it. */
export function problemWithReplicas(
  context: ControlContext,
  replicas: readonly BrokerId[],
  replicationFactor: number | null,
): ApiError | null {
  const invalid = (message: string): ApiError =>
    apiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, `The manual partition assignment ${message}`)
  if (replicas.length === 0) return invalid('includes an empty replica list.')
  const unknown = replicas.find((id) => !context.image.brokers.has(id))
  if (unknown !== undefined) {
    return invalid(`includes broker ${unknown}, but no such broker is registered.`)
  }
  const repeated = replicas.find((id, index) => replicas.indexOf(id) !== index)
  if (repeated !== undefined) return invalid(`includes the broker ${repeated} more than once.`)
  if (replicationFactor !== null && replicas.length !== replicationFactor) {
    return invalid(
      `includes a partition with ${replicas.length} replica(s), but this is not consistent with ` +
        `previous partitions, which have ${replicationFactor} replica(s).`,
    )
  }
  return null
}

/** Those of the replicas that begin in the ISR; the first of them is the first leader. */
export function initialIsr(
  context: ControlContext,
  replicas: readonly BrokerId[],
): readonly BrokerId[] {
  return replicas.filter(activeBrokers(context))
}

export interface NewPartition {
  readonly topicId: Uuid
  readonly partition: number
  readonly replicas: readonly BrokerId[]
  /** Not empty. */
  readonly isr: readonly BrokerId[]
}

export function partitionRecord(context: ControlContext, created: NewPartition): MetadataRecord {
  return metadataRecord(
    'PartitionRecord',
    {
      topicId: created.topicId,
      partitionId: created.partition,
      replicas: created.replicas,
      isr: created.isr,
      leader: created.isr[0],
      leaderEpoch: 0,
      partitionEpoch: 0,
      directories: created.replicas.map((id) => defaultDirectory(context, id)),
    },
    PARTITION_RECORD_VERSION,
  )
}

/** Where a new replica of the broker goes as far as the controller can say. */
export function defaultDirectory(context: ControlContext, id: BrokerId): Uuid {
  const [only, ...others] = context.image.brokers.get(id)?.logDirs ?? []
  return only === undefined || others.length > 0 ? DirectoryId.UNASSIGNED : only
}
