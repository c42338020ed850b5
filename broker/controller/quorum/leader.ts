import { assert, present } from '../../../src/base/assert.ts'
import type { BrokerId, LeaderEpoch, Offset } from '../../../src/base/ids.ts'
import { ZERO_UUID } from '../../../src/base/uuid.ts'
import { electionOf, type Election } from './election.ts'
import type { ReplicaKey } from './replica-key.ts'
import { ReplicaProgress, type FetchMoment } from './replica-progress.ts'
import type { VoterSet } from './voter-set.ts'

const MAX_OBSERVERS = 1000
const OBSERVER_SESSION_MS = 300_000
const CHECK_QUORUM_FACTOR = 1.5

export interface LeaderFields {
  readonly epoch: LeaderEpoch
  readonly self: ReplicaKey
  readonly voters: VoterSet
  /** Voters that elected it, ascending. */
  readonly granting: readonly BrokerId[]
  /** Offset of its LeaderChange record. */
  readonly epochStartOffset: Offset
  readonly nowMs: number
  readonly fetchTimeoutMs: number
}

/**
 * Leads one epoch: knows how far every replica is, finds the high watermark and notices when it has lost
 * its majority.
 */
export class Leader {
  readonly kind = 'leader'
  readonly epoch: LeaderEpoch
  readonly leaderId: BrokerId
  readonly granting: readonly BrokerId[]
  readonly epochStartOffset: Offset
  readonly #self: ReplicaKey
  readonly #voters: VoterSet
  readonly #fetchTimeoutMs: number
  readonly #others = new Map<BrokerId, ReplicaProgress>()
  readonly #observers = new Map<BrokerId, ReplicaProgress>()
  /** Voters that have fetched since the deadline was set. */
  readonly #fetched = new Set<BrokerId>()
  #checkQuorumDeadlineMs: number
  #durableEnd: Offset = -1
  #highWatermark: Offset = -1

  constructor(fields: LeaderFields) {
    this.epoch = fields.epoch
    this.leaderId = fields.self.id
    this.granting = fields.granting
    this.epochStartOffset = fields.epochStartOffset
    this.#self = fields.self
    this.#voters = fields.voters
    this.#fetchTimeoutMs = fields.fetchTimeoutMs
    for (const id of fields.voters.othersThan(fields.self.id)) {
      this.#others.set(id, new ReplicaProgress({ id, directoryId: ZERO_UUID }))
    }
    this.#checkQuorumDeadlineMs = this.#quorumDeadline(fields.nowMs)
  }

  get election(): Election {
    return electionOf(this.epoch, this.leaderId, this.#self)
  }

  /** -1 until a record of this epoch is on a majority: before that nothing may be concluded (Q7). */
  get highWatermark(): Offset {
    return this.#highWatermark
  }

  /** When it must have heard of a majority again; `Infinity` for a single voter. */
  get checkQuorumDeadlineMs(): number {
    return this.#checkQuorumDeadlineMs
  }

  get voterProgress(): readonly ReplicaProgress[] {
    return [...this.#others.values()]
  }

  get observerProgress(): readonly ReplicaProgress[] {
    return [...this.#observers.values()].sort((a, b) => a.key.id - b.key.id)
  }

  /** Its own log is durable up to here. True when the high watermark moved. */
  onDurable(endOffset: Offset): boolean {
    this.#durableEnd = endOffset
    return this.#advance()
  }

  /** A replica has fetched from an offset that its log and this one agree on. True when the high watermark moved. */
  onFetch(key: ReplicaKey, moment: FetchMoment): boolean {
    const voter = this.#others.get(key.id)
    if (voter === undefined) {
      this.#observer(key, moment.nowMs).onFetch(key, moment)
      return false
    }
    voter.onFetch(key, moment)
    this.onVoterHeard(key.id, moment.nowMs)
    return this.#advance()
  }

  /** Any fetch of a voter in this epoch shows that the two can talk (check quorum, KIP-853). */
  onVoterHeard(voterId: BrokerId, nowMs: number): void {
    if (!this.#others.has(voterId)) return
    this.#fetched.add(voterId)
    if (this.#fetched.size < this.#voters.majority - 1) return
    this.#fetched.clear()
    this.#checkQuorumDeadlineMs = this.#quorumDeadline(nowMs)
  }

  /** When a voter is to be told of this epoch: at once if never heard of, again when silent for long. */
  announcementDueMs(voterId: BrokerId): number {
    const voter = present(this.#others.get(voterId), `voter ${voterId}`)
    return Math.max(voter.lastFetchMs, voter.toldAtMs) + this.#fetchTimeoutMs / 2
  }

  onAnnounced(voterId: BrokerId, nowMs: number): void {
    present(this.#others.get(voterId), `voter ${voterId}`).toldAtMs = nowMs
  }

  /** The other voters, longest log first. */
  successors(): readonly BrokerId[] {
    return [...this.#others.values()]
      .sort((a, b) => b.endOffset - a.endOffset || a.key.id - b.key.id)
      .map((voter) => voter.key.id)
  }

  canGrant(): boolean {
    return false
  }

  #advance(): boolean {
    const ends = [this.#durableEnd, ...this.voterProgress.map((voter) => voter.endOffset)]
    ends.sort((a, b) => b - a)
    const candidate = present(ends[this.#voters.majority - 1], 'the offset of a majority')
    if (candidate <= this.epochStartOffset || candidate <= this.#highWatermark) return false
    this.#highWatermark = candidate
    return true
  }

  #quorumDeadline(nowMs: number): number {
    if (this.#voters.size === 1) return Infinity
    return nowMs + this.#fetchTimeoutMs * CHECK_QUORUM_FACTOR
  }

  #observer(key: ReplicaKey, nowMs: number): ReplicaProgress {
    const known = this.#observers.get(key.id)
    if (known !== undefined) return known
    for (const [id, observer] of this.#observers) {
      if (nowMs - observer.lastFetchMs > OBSERVER_SESSION_MS) this.#observers.delete(id)
    }
    if (this.#observers.size >= MAX_OBSERVERS) {
      const oldest = this.#observers.keys().next().value
      assert(oldest !== undefined, 'a full map has a first key')
      this.#observers.delete(oldest)
    }
    const added = new ReplicaProgress(key)
    this.#observers.set(key.id, added)
    return added
  }
}
