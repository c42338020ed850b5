import type { Address } from '../../ports/network.ts'
import type { NodeEvent } from '../../ports/events.ts'
import type { NodePorts } from '../../ports/ports.ts'
import type { Fault } from '../plan/fault.ts'
import type { Problem } from './problem.ts'
import type { FiredFault } from './run-result.ts'

/**
 * Where a plan is carried out: the simulated world, real processes on sockets and files, or Apache Kafka.
 * Workload, history and history checks are the same on all of them.
 */
export interface Stage {
  readonly mode: 'sim' | 'real' | 'kafka'
  /** Addresses that clients begin with. */
  readonly bootstrap: readonly Address[]
  /** Milliseconds since the stage was made. */
  nowMs(): number
  /** The ports of a new life of this client; an earlier life has ended or ends now. */
  clientPorts(name: string): NodePorts
  /** Events of the nodes, where they can be heard. */
  onEvent(listener: (event: NodeEvent) => void): void
  /** Resolves the target and injects; what does not apply comes back as idle. Undoing is the stage's: at `untilMs`. */
  inject(fault: Fault): void
  readonly fired: readonly FiredFault[]
  /** Undoes every fault, starts every node that is down. */
  heal(): void
  /** Why the cluster is not whole; null when it is. */
  pending(): Problem | null
}

/** A client of the workload: an actor on ports, of callbacks only. */
export interface Actor {
  readonly name: string
  /** Begins a life on these ports; after a crash of the client it is called again with new ports. */
  start(ports: NodePorts): void
  /** The faults are over: an easy pace, and no commotion of its own making (a group's churn), so that an end is in reach. */
  calm?(): void
  /** Begins nothing new; what is under way ends. */
  stop(): void
  /** What is still under way after `stop`; null when nothing is. */
  pending(): string | null
}
