import type { NodeEvent } from '../../ports/events.ts'
import type { MetadataWatch } from './metadata-watch.ts'
import type { ReplicaWatch } from './replica-watch.ts'
import type { StateCheck } from './state-check.ts'

const ISR_EVENTS: ReadonlySet<string> = new Set(['partition.isr-shrunk', 'partition.isr-expanded'])

/**
 * Q13 Stale controllers are inert: every decision of a controller is committed before it is visible. An ISR that
 * a leader has taken over from an answer stands in the committed metadata by then, so no leader is ahead of them
 * within its epoch; a controller that answers first may be deposed, and its successor knows nothing of it.
 */
export class ControllerAnswersCheck implements StateCheck {
  readonly invariants = ['Q13'] as const
  readonly #watch: ReplicaWatch
  readonly #metadata: MetadataWatch

  constructor(watch: ReplicaWatch, metadata: MetadataWatch) {
    this.#watch = watch
    this.#metadata = metadata
  }

  onEvent(event: NodeEvent): void {
    if (!ISR_EVENTS.has(event.kind) || !this.#watch.state.budget.holdsQuorum) return
    const replica = this.#watch.replicaOfEvent(event)
    if (replica === null) return
    const { partition, name, nodeId, ghost } = replica
    const node = this.#watch.state.nodes.get(nodeId)
    // A node may commit metadata and act on them in one step, before anybody has looked.
    if (node !== undefined) this.#metadata.afterNode(node)
    const committed = this.#metadata.partition(ghost)
    if (committed === null || committed.leaderEpoch !== partition.leaderEpoch) return
    const { report } = this.#watch
    report.evaluated('Q13')
    if (partition.partitionEpoch <= committed.partitionEpoch) return
    const isr = [...(partition.leaderRole?.inSync.committed ?? [])].join()
    report.violated(
      'Q13',
      `${name} leads with the ISR [${isr}] of partition epoch ${partition.partitionEpoch}, ` +
        `committed is ${committed.partitionEpoch}`,
    )
  }
}
