import type { Partition } from '../../../broker/replica/partition.ts'
import type { LeaderRole } from '../../../broker/replica/leader-role.ts'
import type { NodeEvent } from '../../ports/events.ts'
import type { PartitionGhost, ReplicaGhost, ReplicaObserver } from './ghosts.ts'
import type { MetadataWatch } from './metadata-watch.ts'
import type { ReplicaWatch } from './replica-watch.ts'
import type { StateCheck } from './state-check.ts'

/** Offsets that were committed while too few replicas were in sync. */
interface WeakCommit {
  readonly from: number
  readonly to: number
  readonly inSync: number
}

/**
 * R9 Replication quorum covers election quorum: the controller's ISR lies within the maximal ISR of the leader
 * of the newest epoch, when its high watermark moves and when the set does.
 * R10 High watermark bounds: on a leader at most the true log end of every member of the maximal ISR and its
 * own, and it stands still while the committed ISR is smaller than the effective min.insync.replicas (the
 * strict rule of KIP-966, which this broker keeps); on a follower at most what a leader has had.
 * R11 (a) it never goes back on one leader within one epoch.
 * The leader's sets are looked at in the very moment of its event: later in the step they may have changed.
 */
export class HighWatermarkCheck implements StateCheck, ReplicaObserver {
  readonly invariants = ['R9', 'R10', 'R11'] as const
  readonly #watch: ReplicaWatch
  readonly #metadata: MetadataWatch
  readonly #weak = new Map<PartitionGhost, WeakCommit[]>()

  constructor(watch: ReplicaWatch, metadata: MetadataWatch) {
    this.#watch = watch
    this.#metadata = metadata
    watch.observe(this)
  }

  /** How many were in sync when `offset` was committed against the rule; null when the rule was kept (D8). */
  weakCommitOf(ghost: PartitionGhost, offset: number): number | null {
    const commits = this.#weak.get(ghost) ?? []
    const found = commits.find(({ from, to }) => from <= offset && offset < to)
    return found?.inSync ?? null
  }

  onEvent(event: NodeEvent): void {
    if (event.kind !== 'partition.high-watermark') return
    const replica = this.#watch.replicaOfEvent(event)
    const role = replica?.partition.leaderRole ?? null
    if (replica === null || role === null) return
    const node = this.#watch.state.nodes.get(replica.nodeId)
    // A node may commit metadata and act on them in one step, before anybody has looked.
    if (node !== undefined) this.#metadata.afterNode(node)
    const now = replica.partition.log.highWatermark
    const { ghost } = replica
    this.#checkMinIsr(replica, role, ghost.trueHighWatermark, now)
    this.#watch.raise(ghost, now)
    this.#checkMembers(replica, role, now)
    this.#checkControllerIsr(replica, role)
  }

  onInSync(replica: ReplicaGhost): void {
    const role = replica.partition.leaderRole
    if (role !== null) this.#checkControllerIsr(replica, role)
  }

  onHighWatermark(replica: ReplicaGhost, before: number, now: number): void {
    const { report } = this.#watch
    const { partition, ghost, name } = replica
    const { log } = partition
    report.evaluated('R10')
    if (now > log.logEndOffset || now < log.logStartOffset) {
      const range = `[${log.logStartOffset}, ${log.logEndOffset}]`
      report.violated('R10', `${name}: the high watermark ${now} is outside of its log ${range}`)
    }
    if (!partition.isLeader) {
      if (now > ghost.trueHighWatermark) {
        const most = ghost.trueHighWatermark
        report.violated('R10', `${name} follows with ${now}, no leader has had more than ${most}`)
      }
      return
    }
    report.evaluated('R11')
    if (replica.isLeader && now < before) {
      const epoch = partition.leaderEpoch
      report.violated('R11', `${name} leads epoch ${epoch} and went from ${before} back to ${now}`)
    }
  }

  #checkMinIsr(replica: ReplicaGhost, role: LeaderRole, from: number, to: number): void {
    const { partition, ghost, name } = replica
    const inSync = role.inSync.committed.size
    const wanted = partition.effectiveMinInsyncReplicas
    if (inSync >= wanted) return
    const commits = this.#weak.get(ghost) ?? []
    commits.push({ from, to, inSync })
    this.#weak.set(ghost, commits)
    this.#watch.report.violated(
      'R10',
      `${name} moved its high watermark to ${to} with ${inSync} in sync, ${wanted} are needed`,
    )
  }

  #checkMembers(replica: ReplicaGhost, role: LeaderRole, now: number): void {
    const { report } = this.#watch
    for (const id of role.inSync.maximal) {
      if (id === replica.nodeId) continue
      const member = this.#memberOf(replica, role, id)
      if (member === null) continue
      report.evaluated('R10')
      if (member.log.logEndOffset >= now) continue
      report.violated(
        'R10',
        `${replica.name} moved its high watermark to ${now}, member ${id} of its maximal ISR ` +
          `[${[...role.inSync.maximal].join()}] ends at ${member.log.logEndOffset}`,
      )
    }
  }

  /** A member in the life that the leader has heard of, or null. */
  #memberOf(replica: ReplicaGhost, role: LeaderRole, id: number): Partition | null {
    const node = this.#watch.state.nodes.get(id)
    const member = node?.partition(replica.ghost.key) ?? null
    if (node === undefined || member === null) return null
    if (member.topicId !== replica.ghost.topicId) return null
    const heard = role.followers.get(id)?.brokerEpoch ?? null
    const isSameLife = heard === null || heard === -1 || heard === node.brokerEpoch
    // The leader may still hold the promise of a life whose disk has lost its tail since.
    const isSound = isSameLife || this.#watch.live(replica.ghost, id)?.hasLostPast === false
    return isSound ? member : null
  }

  #checkControllerIsr(replica: ReplicaGhost, role: LeaderRole): void {
    const { partition, ghost, name } = replica
    const state = this.#metadata.partition(ghost)
    if (state === null || state.leaderEpoch !== partition.leaderEpoch) return
    const { report } = this.#watch
    report.evaluated('R9')
    const maximal = role.inSync.maximal
    if (state.isr.every((id) => maximal.has(id))) return
    report.violated(
      'R9',
      `${name} waits for [${[...maximal].join()}], the controller may elect any of [${state.isr.join()}]`,
    )
  }
}
