import type { BrokerId, LeaderEpoch, Offset } from '../../src/base/ids.ts'
import type { PartitionState } from '../metadata/image.ts'
import { FollowerState } from './follower-state.ts'
import { InSyncSet, type IsrProposal } from './in-sync-set.ts'

/** What a leader must know of the other brokers. */
export interface FollowerEligibility {
  /** Unfenced, not shutting down, and known to the leader by the epoch it is registered with (KIP-903). */
  isEligible(brokerId: BrokerId, brokerEpoch: number | null): boolean
}

export interface LeaderRoleOptions {
  readonly brokerId: BrokerId
  readonly state: PartitionState
  /** The leader's log end when the epoch began. */
  readonly epochStartOffset: Offset
  readonly replicaLagTimeMaxMs: number
  readonly eligibility: FollowerEligibility
  readonly nowMs: number
  /**
   * The role of the epoch just before, when this broker led then as well: no other leader can have made the
   * followers truncate in between, so what is known of their offsets stays true.
   */
  readonly previous: LeaderRole | null
}

/** What is true of a partition only on its leader and within one leader epoch: the followers and the in-sync set. */
export class LeaderRole {
  readonly leaderEpoch: LeaderEpoch
  readonly epochStartOffset: Offset
  readonly inSync: InSyncSet
  readonly #options: LeaderRoleOptions
  readonly #followers = new Map<BrokerId, FollowerState>()

  constructor(options: LeaderRoleOptions) {
    const { state, previous, epochStartOffset, nowMs } = options
    this.#options = options
    this.leaderEpoch = state.leaderEpoch
    this.epochStartOffset = epochStartOffset
    this.inSync = new InSyncSet(state.isr)
    if (previous !== null) {
      for (const follower of previous.followers.values()) {
        follower.onReelection(state.isr.includes(follower.brokerId), epochStartOffset, nowMs)
        this.#followers.set(follower.brokerId, follower)
      }
    }
    this.assign(state.replicas, nowMs)
  }

  get followers(): ReadonlyMap<BrokerId, FollowerState> {
    return this.#followers
  }

  /** Takes the assigned replicas: new ones begin unheard, those gone are forgotten. */
  assign(replicas: readonly BrokerId[], nowMs: number): void {
    for (const id of [...this.#followers.keys()]) {
      if (!replicas.includes(id)) this.#followers.delete(id)
    }
    for (const id of replicas) {
      if (id === this.#options.brokerId || this.#followers.has(id)) continue
      this.#followers.set(id, new FollowerState(id, this.inSync.committed.has(id), nowMs))
    }
  }

  /**
   * How far the high watermark may be: the least log end among the leader, the maximal ISR, and those
   * replicas that are caught up and about to join it (else the watermark runs away from a follower that the
   * controller is just admitting). Null while the committed ISR is smaller than the effective
   * min.insync.replicas: then nothing is committed at all (KIP-966, strict min ISR).
   */
  committedUpTo(logEndOffset: Offset, minInsyncReplicas: number, nowMs: number): Offset | null {
    if (this.inSync.committed.size < minInsyncReplicas) return null
    let upTo = logEndOffset
    for (const follower of this.#followers.values()) {
      if (follower.logEndOffset >= upTo) continue
      const counts =
        this.inSync.maximal.has(follower.brokerId) || this.#isJoining(follower, logEndOffset, nowMs)
      if (counts) upTo = follower.logEndOffset
    }
    return upTo
  }

  /** A proposal that admits `follower`, or null when it may not join, is in, or a proposal is in flight. */
  expansion(
    follower: FollowerState,
    highWatermark: Offset,
    base: ProposalBase,
  ): IsrProposal | null {
    if (this.inSync.proposal !== null || this.inSync.committed.has(follower.brokerId)) return null
    const hasEnough =
      follower.logEndOffset >= highWatermark && follower.logEndOffset >= this.epochStartOffset
    if (!hasEnough || !this.#isEligible(follower)) return null
    return this.#proposal('expand', [...this.inSync.committed, follower.brokerId], base)
  }

  /** A proposal without the members that lag longer than replica.lag.time.max.ms, or null. */
  shrinking(logEndOffset: Offset, nowMs: number, base: ProposalBase): IsrProposal | null {
    if (this.inSync.proposal !== null) return null
    const kept = [...this.inSync.committed].filter((id) => {
      const follower = this.#followers.get(id)
      const maxLagMs = this.#options.replicaLagTimeMaxMs
      return follower === undefined || follower.isCaughtUp(logEndOffset, nowMs, maxLagMs)
    })
    return kept.length === this.inSync.committed.size ? null : this.#proposal('shrink', kept, base)
  }

  #isJoining(follower: FollowerState, logEndOffset: Offset, nowMs: number): boolean {
    const maxLagMs = this.#options.replicaLagTimeMaxMs
    return follower.isCaughtUp(logEndOffset, nowMs, maxLagMs) && this.#isEligible(follower)
  }

  #isEligible(follower: FollowerState): boolean {
    return this.#options.eligibility.isEligible(follower.brokerId, follower.brokerEpoch)
  }

  #proposal(kind: IsrProposal['kind'], isr: readonly BrokerId[], base: ProposalBase): IsrProposal {
    const members = isr.map((brokerId) => {
      const isSelf = brokerId === this.#options.brokerId
      const follower = this.#followers.get(brokerId)
      return { brokerId, brokerEpoch: isSelf ? base.brokerEpoch : (follower?.brokerEpoch ?? -1) }
    })
    const { leaderEpoch } = this
    return { kind, isr, members, leaderEpoch, partitionEpoch: base.partitionEpoch }
  }
}

export interface ProposalBase {
  /** Epoch of the leader's own registration. */
  readonly brokerEpoch: number
  readonly partitionEpoch: number
}
