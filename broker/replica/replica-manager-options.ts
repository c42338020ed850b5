import type { Config } from '../../src/base/config-def.ts'
import type { BrokerId } from '../../src/base/ids.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { EventSink } from '../../src/ports/events.ts'
import type { Network } from '../../src/ports/network.ts'
import type { Random } from '../../src/ports/random.ts'
import type { Store } from '../../src/ports/store.ts'
import type { MetadataImage, PartitionState } from '../metadata/image.ts'
import type { AlterPartitionSender } from './isr-updates.ts'
import type { LogDirectories, LogDirectory } from './log-directories.ts'
import type { StorageFailure } from './storage-failure.ts'

/** What the replicas of a broker need of it. */
export interface ReplicaManagerOptions {
  readonly brokerId: BrokerId
  /** Epoch of this broker's registration, -1 before there is one. */
  readonly brokerEpoch: () => number
  readonly config: Config
  readonly clock: Clock
  readonly network: Network
  readonly directories: LogDirectories
  readonly store: Store
  readonly events: EventSink
  /** The committed metadata. */
  readonly image: () => MetadataImage
  readonly alterPartition: AlterPartitionSender
  readonly interBrokerListenerName: string
  /** For segment.jitter.ms and names of folders. */
  readonly random: Random
  /**
   * A log directory has failed, as it was in use or when a log in it was opened; it and its partitions are offline from
   * now on. Kafka halts a broker whose last log directory fails; whether to do so is the caller's choice.
   */
  readonly onDirectoryFailure?: (directory: LogDirectory, error: StorageFailure) => void
  /** The metadata has a replica elsewhere than in this log directory (LOST: in one that is offline), where it is. */
  readonly assignDirectory?: (state: PartitionState, directoryId: Uuid) => void
}
