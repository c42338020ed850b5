import type { Address } from '../../ports/network.ts'
import type { SimRandom } from '../../sim/sim-random.ts'
import type { SimNode } from '../../sim/sim-node.ts'
import type { SimWorld } from '../../sim/sim-world.ts'
import type { History } from '../history/history.ts'
import type { Fault } from '../plan/fault.ts'
import type { Plan } from '../plan/plan.ts'
import type { Actor } from '../run/stage.ts'
import type { DamageAtlas } from './damage-atlas.ts'
import type { Holds } from './holds.ts'
import type { SimCluster } from './sim-cluster.ts'

/** What the families of faults work on. */
export interface FaultContext {
  readonly plan: Plan
  readonly world: SimWorld
  readonly cluster: SimCluster
  readonly history: History
  readonly bootstrap: readonly Address[]
  /** Choices that a fault leaves open; one stream for all. */
  readonly random: SimRandom
  readonly holds: Holds
  readonly atlas: DamageAtlas
  /** Clients by name. */
  readonly actors: ReadonlyMap<string, Actor>
  /** Disks as they were, for `stale-disk`. */
  readonly backups: Map<Fault, ReadonlyMap<string, ReturnType<SimNode['backup']>>>
  /** A new life of a client on its machine. */
  reviveClient(name: string): void
}

/**
 * What an injection left behind: `idle` when the fault did not apply, otherwise how it is undone, or null when it is
 * over already.
 */
export type Injected = 'idle' | (() => void) | null

/** Injects one fault on one machine; for administration the name is that of a topic. */
export type Inject = (context: FaultContext, fault: Fault, name: string) => Injected

export function numberParam(fault: Fault, name: string, fallback: number): number {
  const value = fault.params?.[name]
  return typeof value === 'number' ? value : fallback
}

export function textParam(fault: Fault, name: string): string | null {
  const value = fault.params?.[name]
  return typeof value === 'string' ? value : null
}
