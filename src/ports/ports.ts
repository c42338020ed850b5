import type { Clock } from './clock.ts'
import type { Disk } from './disk.ts'
import type { EventSink } from './events.ts'
import type { Network } from './network.ts'
import type { Random } from './random.ts'
import type { Store } from './store.ts'

/** Everything a node may use of the world outside. */
export interface NodePorts {
  readonly clock: Clock
  readonly network: Network
  /** Of the log directory that has the metadata log. */
  readonly disk: Disk
  /**
   * Another of the log directories, by its path in `log.dirs`; throws `DiskError` when it cannot be used. A node with one
   * directory never asks.
   */
  readonly logDisk?: (path: string) => Disk
  readonly store: Store
  readonly random: Random
  readonly events: EventSink
}
