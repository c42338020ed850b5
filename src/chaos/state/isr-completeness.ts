import type { NodeView } from '../../../broker/index.ts'
import type { PartitionState } from '../../../broker/metadata/image.ts'
import type { PartitionGhost } from './ghosts.ts'
import type { MetadataObserver, MetadataWatch } from './metadata-watch.ts'
import type { ReplicaWatch } from './replica-watch.ts'
import type { StateCheck } from './state-check.ts'

/**
 * R8 Candidate completeness: every live member of the ISR in the committed metadata has every committed
 * record. It fails before R7 does and points closer to the bug. Looked at when the metadata change and at
 * barriers, while durability is within the budget and no unclean election was held.
 */
export class IsrCompletenessCheck implements StateCheck, MetadataObserver {
  readonly invariants = ['R8'] as const
  readonly #metadata: MetadataWatch
  readonly #watch: ReplicaWatch

  constructor(metadata: MetadataWatch, watch: ReplicaWatch) {
    this.#metadata = metadata
    this.#watch = watch
    metadata.observe(this)
  }

  onPartition(_before: PartitionState | null, now: PartitionState): void {
    const ghost = this.#watch.ghosts.get(`${now.topicId}-${now.partition}`)
    if (ghost !== undefined) this.#check(ghost, now)
  }

  atBarrier(): void {
    for (const ghost of this.#watch.ghosts.values()) {
      const state = this.#metadata.partition(ghost)
      if (state !== null) this.#check(ghost, state)
    }
  }

  #check(ghost: PartitionGhost, { isr }: PartitionState): void {
    const { state, report } = this.#watch
    const committed = ghost.trueHighWatermark
    if (!state.budget.holdsDurability || ghost.isUnclean || committed === 0) return
    for (const id of isr) {
      const node = state.nodes.get(id)
      const replica = node?.partition(ghost.key) ?? null
      if (node === undefined || replica === null || replica.topicId !== ghost.topicId) continue
      if (!this.#isElectable(node)) continue
      report.evaluated('R8')
      const end = replica.log.logEndOffset
      if (end >= committed) continue
      report.violated(
        'R8',
        `${ghost.key}: member ${id} of the ISR [${isr.join()}] ends at ${end}, committed is up to ${committed}`,
      )
    }
  }

  /** Unfenced, and in the very life that is registered: only such a one can be elected and lead. */
  #isElectable(node: NodeView): boolean {
    const registration = this.#metadata.image.brokers.get(node.nodeId)
    return (
      registration !== undefined &&
      !registration.isFenced &&
      node.brokerEpoch !== -1 &&
      registration.epoch === node.brokerEpoch
    )
  }
}
