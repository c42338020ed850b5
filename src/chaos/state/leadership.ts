import type { NodeView } from '../../../broker/index.ts'
import type { NodeEvent } from '../../ports/events.ts'
import { batchAt } from './batch.ts'
import type { ReplicaGhost, ReplicaObserver } from './ghosts.ts'
import type { ReplicaWatch } from './replica-watch.ts'
import type { StateCheck } from './state-check.ts'

/**
 * R5 Single leader per epoch: at most one broker takes up leadership of a partition in a leader epoch.
 * R6 Epoch monotonic: the leader epoch that a broker acts on for a partition never decreases, restart or not.
 * R7 Leader completeness: a cleanly elected leader begins with every committed record, and with the history
 * that was committed. Not asked after an unclean election, nor when more is lost than the budget allows.
 */
export class LeadershipCheck implements StateCheck, ReplicaObserver {
  readonly invariants = ['R5', 'R6', 'R7'] as const
  readonly #watch: ReplicaWatch
  readonly #committedAtStart = new Map<ReplicaGhost, number>()

  constructor(watch: ReplicaWatch) {
    this.#watch = watch
    watch.observe(this)
  }

  onEvent(event: NodeEvent): void {
    if (event.kind !== 'partition.leader-changed' || event.fields['role'] !== 'leader') return
    const replica = this.#watch.replicaOfEvent(event)
    if (replica !== null) this.#committedAtStart.set(replica, replica.ghost.trueHighWatermark)
  }

  onRole(replica: ReplicaGhost, node: NodeView): void {
    const { ghost, partition } = replica
    const { leaderEpoch } = partition
    this.#checkEpoch(replica, leaderEpoch)
    const committedEnd = this.#committedAtStart.get(replica) ?? ghost.trueHighWatermark
    this.#committedAtStart.delete(replica)
    if (!partition.isLeader) return
    const { report } = this.#watch
    const known = ghost.leaders.get(leaderEpoch)
    report.evaluated('R5')
    if (known !== undefined && known !== node.nodeId) {
      const leaders = `${known} and ${node.nodeId}`
      report.violated('R5', `${ghost.key} has two leaders in epoch ${leaderEpoch}: ${leaders}`)
    }
    if (known === undefined) {
      ghost.leaders.set(leaderEpoch, node.nodeId)
      this.#checkComplete(replica, committedEnd)
    }
  }

  #checkEpoch({ ghost, nodeId, name }: ReplicaGhost, epoch: number): void {
    const { state, report } = this.#watch
    // Lost metadata take leader epochs with them.
    if (!state.budget.holdsQuorum || epoch === -1) return
    const seen = ghost.epochSeen.get(nodeId)
    if (seen !== undefined) {
      report.evaluated('R6')
      if (epoch < seen) report.violated('R6', `${name} went from leader epoch ${seen} to ${epoch}`)
    }
    ghost.epochSeen.set(nodeId, Math.max(seen ?? epoch, epoch))
  }

  #checkComplete(replica: ReplicaGhost, committedEnd: number): void {
    const { state, report } = this.#watch
    const { ghost, partition, name } = replica
    if (ghost.isUnclean || !state.budget.holdsDurability || committedEnd === 0) return
    report.evaluated('R7')
    const start = partition.leaderRole?.epochStartOffset ?? partition.log.logEndOffset
    const where = `${name} leads epoch ${partition.leaderEpoch}`
    if (start < committedEnd) {
      report.violated('R7', `${where} with an end of ${start}, committed is up to ${committedEnd}`)
      return
    }
    const last = ghost.committed.at(-1)
    if (last === undefined || last.base < partition.log.logStartOffset) return
    if (!replica.log.isRooted || replica.log.endOffset < last.end) return
    const own = batchAt(replica.log.batches, last.base)
    if (own !== last) {
      const held = own === null ? 'nothing' : `epoch ${own.epoch}`
      report.violated(
        'R7',
        `${where} with ${held} at ${last.base}, where epoch ${last.epoch} is committed`,
      )
    }
  }
}
