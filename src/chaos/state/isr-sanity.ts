import { isActiveBroker } from '../../../broker/metadata/cluster-image.ts'
import type { MetadataImage, PartitionState } from '../../../broker/metadata/image.ts'
import { LeaderRecoveryState, NO_LEADER } from '../../../broker/metadata/partition-state.ts'
import type { ReplicaGhost, ReplicaObserver } from './ghosts.ts'
import type { MetadataObserver, MetadataWatch } from './metadata-watch.ts'
import type { ReplicaWatch } from './replica-watch.ts'
import type { StateCheck } from './state-check.ts'

/**
 * R16 ISR sanity, on every committed record about a partition: the ISR lies within the replicas and is never
 * empty; the partition epoch rises with each record (which is what compare-and-set stands on); a new leader
 * raises the leader epoch (R6) and comes from the ISR before, unless the election was an unclean one, which
 * a plan must allow. After each batch no fenced broker and none that shuts down is in an ISR of several.
 */
export class IsrSanityCheck implements StateCheck, MetadataObserver, ReplicaObserver {
  readonly invariants = ['R16', 'R6'] as const
  readonly #metadata: MetadataWatch
  readonly #watch: ReplicaWatch
  /** Partitions that have had an unclean election, by topic id and index. */
  readonly #unclean = new Set<string>()

  constructor(metadata: MetadataWatch, watch: ReplicaWatch) {
    this.#metadata = metadata
    this.#watch = watch
    metadata.observe(this)
    watch.observe(this)
  }

  onReplica({ ghost }: ReplicaGhost): void {
    if (this.#unclean.has(`${ghost.topicId}-${ghost.index}`)) ghost.isUnclean = true
  }

  onPartition(before: PartitionState | null, now: PartitionState): void {
    const { report } = this.#metadata
    const where = `${now.topic}-${now.partition} at partition epoch ${now.partitionEpoch}`
    report.evaluated('R16')
    if (now.isr.length === 0) report.violated('R16', `${where}: the ISR is empty`)
    if (!now.isr.every((id) => now.replicas.includes(id))) {
      report.violated('R16', `${where}: ISR [${now.isr.join()}] of [${now.replicas.join()}]`)
    }
    if (now.leader !== NO_LEADER && !now.isr.includes(now.leader)) {
      report.violated('R16', `${where}: leader ${now.leader} is not in the ISR [${now.isr.join()}]`)
    }
    if (before !== null) this.#checkChange(before, now, where)
  }

  onApplied(image: MetadataImage): void {
    for (const topic of image.topicsById.values()) {
      for (const state of topic.partitions.values()) this.#checkMembers(state, image)
    }
  }

  #checkChange(before: PartitionState, now: PartitionState, where: string): void {
    const { report } = this.#metadata
    if (now.partitionEpoch <= before.partitionEpoch) {
      report.violated('R16', `${where}: it was ${before.partitionEpoch} before`)
    }
    if (now.leader === before.leader) return
    report.evaluated('R6')
    if (now.leaderEpoch <= before.leaderEpoch) {
      const change = `${before.leader} to ${now.leader}`
      report.violated('R6', `${where}: leader ${change} within leader epoch ${now.leaderEpoch}`)
    }
    if (now.leader === NO_LEADER || before.isr.includes(now.leader)) return
    this.#onUnclean(before, now, where)
  }

  #onUnclean(before: PartitionState, now: PartitionState, where: string): void {
    const { report, state } = this.#metadata
    const isMarked = now.leaderRecoveryState === LeaderRecoveryState.RECOVERING
    if (!state.budget.isUnclean || !isMarked) {
      const isr = before.isr.join()
      report.violated(
        'R16',
        `${where}: leader ${now.leader} comes from outside of the ISR [${isr}]`,
      )
    }
    const id = `${now.topicId}-${now.partition}`
    this.#unclean.add(id)
    const ghost = this.#watch.ghosts.get(id)
    if (ghost !== undefined) ghost.isUnclean = true
  }

  #checkMembers(state: PartitionState, image: MetadataImage): void {
    // The last member stays, fenced or not: it alone has everything.
    if (state.isr.length < 2) return
    const bad = state.isr.find((id) => !isActiveBroker(image.brokers.get(id)))
    if (bad === undefined) return
    const { report } = this.#metadata
    const where = `${state.topic}-${state.partition}`
    report.violated(
      'R16',
      `${where}: ${bad} of the ISR [${state.isr.join()}] is fenced or shutting down`,
    )
  }
}
