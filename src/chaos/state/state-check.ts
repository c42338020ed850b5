import type { NodeView } from '../../../broker/index.ts'
import type { NodeEvent } from '../../ports/events.ts'
import type { HistoryEntry } from '../history/history.ts'
import type { InvariantId } from '../invariants.ts'
import type { FaultBudget } from '../plan/fault-budget.ts'

/** The cluster as the state checks see it. */
export interface ClusterState {
  nowMs(): number
  /** Views of the nodes that are up (paused ones too), by node id. */
  readonly nodes: ReadonlyMap<number, NodeView>
  readonly budget: FaultBudget
  /**
   * Bytes of a node's file as the node wrote them, fewer at its end: past planted damage, and without using
   * up a planted read error (a look must change nothing). Without it checks read through the node's log.
   */
  readonly readFile?: (nodeId: number, path: string, position: number, length: number) => Buffer
}

/** What checks share and report to. */
export interface StateReport {
  /** Notes a broken invariant; the run ends with it. */
  violated(invariant: InvariantId, message: string): void
  /** The invariant was looked at with something to find. */
  evaluated(invariant: InvariantId): void
  /** Faults over the budget have destroyed committed metadata: the cluster cannot become what it was. */
  metadataLost(): void
}

/**
 * Invariants checked on the state of brokers (S). `afterNode` may do work in proportion to what changed;
 * whole logs are read at barriers only. A check keeps its ghosts in itself: one instance a run.
 */
export interface StateCheck {
  readonly invariants: readonly InvariantId[]
  /** A node ran one event (and is up). */
  afterNode?(node: NodeView): void
  onEvent?(event: NodeEvent): void
  onHistory?(entry: HistoryEntry): void
  /** A new life of a node begins; its view is new. `lostDisk`: with a wiped or older disk. */
  onStart?(node: NodeView, life: { readonly lostDisk: boolean; readonly lostTail: boolean }): void
  /** Every leader change, every restart, every 2,000 events. */
  atBarrier?(): void
  /** Healed, caught up, nothing under way. */
  atEnd?(): void
}
