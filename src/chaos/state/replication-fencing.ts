import type { NodeEvent } from '../../ports/events.ts'
import type { ReplicaGhost } from './ghosts.ts'
import type { ReplicaWatch } from './replica-watch.ts'
import type { StateCheck } from './state-check.ts'

/**
 * R15 Fenced replication: a leader counts only fetches of its own epoch and of a registered life. So what it
 * believes of a follower that is in its epoch, and in the life that the leader has heard of, is at most the
 * true log end there.
 */
export class ReplicationFencingCheck implements StateCheck {
  readonly invariants = ['R15'] as const
  readonly #watch: ReplicaWatch

  constructor(watch: ReplicaWatch) {
    this.#watch = watch
  }

  onEvent(event: NodeEvent): void {
    if (event.kind !== 'partition.high-watermark' && event.kind !== 'partition.isr-expanded') return
    const replica = this.#watch.replicaOfEvent(event)
    if (replica !== null) this.#check(replica)
  }

  atBarrier(): void {
    for (const ghost of this.#watch.ghosts.values()) {
      for (const nodeId of ghost.replicas.keys()) {
        const replica = this.#watch.live(ghost, nodeId)
        if (replica !== null) this.#check(replica)
      }
    }
  }

  #check(leader: ReplicaGhost): void {
    const role = leader.partition.leaderRole
    if (role === null) return
    const { state, report } = this.#watch
    for (const follower of role.followers.values()) {
      if (follower.logEndOffset <= 0) continue
      const node = state.nodes.get(follower.brokerId)
      const replica = node?.partition(leader.ghost.key) ?? null
      if (node === undefined || replica === null) continue
      const isSame =
        replica.topicId === leader.ghost.topicId &&
        replica.leaderEpoch === role.leaderEpoch &&
        (follower.brokerEpoch === -1 || follower.brokerEpoch === node.brokerEpoch)
      if (!isSame) continue
      report.evaluated('R15')
      const end = replica.log.logEndOffset
      if (end >= follower.logEndOffset) continue
      report.violated(
        'R15',
        `${leader.name} counts ${follower.brokerId} up to ${follower.logEndOffset} in epoch ` +
          `${role.leaderEpoch}, its log ends at ${end}`,
      )
    }
  }
}
