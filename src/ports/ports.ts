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
  readonly disk: Disk
  readonly store: Store
  readonly random: Random
  readonly events: EventSink
}
