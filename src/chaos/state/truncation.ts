import { hasBatch, indexAt } from './batch.ts'
import type { ReplicaGhost, ReplicaObserver } from './ghosts.ts'
import type { ReplicaWatch } from './replica-watch.ts'
import type { StateCheck } from './state-check.ts'

/**
 * R14 Truncation rule (KIP-101, 279, 320). When a follower cuts its log
 * (a, b) what it cuts is not in the log of the leader of its epoch: a comparison of epochs ends at the last
 * common point, while a cut at the own high watermark drops records that the leader has;
 * (d) no committed batch is cut, unless it lies below the log start of the leader (a full reset).
 * That it appends only after it has converged shows in R1, whose chains would differ.
 */
export class TruncationCheck implements StateCheck, ReplicaObserver {
  readonly invariants = ['R14'] as const
  readonly #watch: ReplicaWatch

  constructor(watch: ReplicaWatch) {
    this.#watch = watch
    watch.observe(this)
  }

  onTruncating(replica: ReplicaGhost, to: number): void {
    const { batches } = replica.log
    const from = indexAt(batches, to)
    if (from === batches.length) return
    const { report, state } = this.#watch
    report.evaluated('R14')
    const { ghost, partition, name } = replica
    if (partition.isLeader) {
      report.violated('R14', `${name} cut its log at ${to} while it leads`)
    }
    const leader = this.#leaderOf(replica)
    const isCommittedSafe = state.budget.holdsDurability && !ghost.isUnclean
    const leaderStart = leader?.partition.log.logStartOffset ?? 0
    for (let index = from; index < batches.length; index += 1) {
      const batch = batches[index]
      if (batch === undefined || batch.end <= leaderStart) continue
      if (isCommittedSafe && hasBatch(ghost.committed, batch)) {
        const committed = ghost.trueHighWatermark
        report.violated(
          'R14',
          `${name} cut its log at ${to}, ${batch.base} of it is committed (${committed})`,
        )
        return
      }
      if (leader !== null && hasBatch(leader.log.batches, batch)) {
        const who = leader.nodeId
        report.violated(
          'R14',
          `${name} cut its log at ${to}, its leader ${who} has ${batch.base} of it`,
        )
        return
      }
    }
  }

  /** The leader of the epoch that the follower is in, when it is up and still leads it. */
  #leaderOf({ ghost, partition }: ReplicaGhost): ReplicaGhost | null {
    const leader = this.#watch.live(ghost, partition.leaderId)
    const isCurrent =
      leader !== null &&
      leader.partition.isLeader &&
      leader.partition.leaderEpoch === partition.leaderEpoch
    return isCurrent ? leader : null
  }
}
