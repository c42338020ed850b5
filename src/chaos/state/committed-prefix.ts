import { batchAt } from './batch.ts'
import type { ReplicaWatch } from './replica-watch.ts'
import type { StateCheck } from './state-check.ts'

/**
 * R2 Committed prefix agreement: below the high watermarks of two replicas both hold the same bytes. Every
 * replica is compared with what is committed, at its own high watermark: the chain there speaks for all that
 * lies below (invariants, section 1). Valid within one recovery generation, so not after an unclean election.
 */
export class CommittedPrefixCheck implements StateCheck {
  readonly invariants = ['R2'] as const
  readonly #watch: ReplicaWatch

  constructor(watch: ReplicaWatch) {
    this.#watch = watch
  }

  atBarrier(): void {
    const { state, report } = this.#watch
    if (!state.budget.holdsDurability) return
    for (const ghost of this.#watch.ghosts.values()) {
      if (ghost.isUnclean) continue
      const end = ghost.committed.at(-1)?.end ?? 0
      for (const nodeId of ghost.replicas.keys()) {
        const replica = this.#watch.live(ghost, nodeId)
        if (replica === null) continue
        const { log } = replica.partition
        const last = Math.min(log.highWatermark, end, replica.log.endOffset) - 1
        if (last < log.logStartOffset || !replica.log.isRooted) continue
        const own = batchAt(replica.log.batches, last)
        const committed = batchAt(ghost.committed, last)
        if (own === null || committed === null) continue
        report.evaluated('R2')
        if (own === committed) continue
        report.violated(
          'R2',
          `${replica.name} has epoch ${own.epoch} at ${last} below its high watermark ` +
            `${log.highWatermark}, epoch ${committed.epoch} with another history is committed there`,
        )
      }
    }
  }
}
