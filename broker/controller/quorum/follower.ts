import type { BrokerId, LeaderEpoch } from '../../../src/base/ids.ts'
import { electionOf, type Election } from './election.ts'
import type { ReplicaKey } from './replica-key.ts'

export interface FollowerFields {
  readonly epoch: LeaderEpoch
  readonly leaderId: BrokerId
  readonly votedKey: ReplicaKey | null
  readonly fetchDeadlineMs: number
}

/** Fetches from a known leader. A voter looks for another one at the fetch deadline. */
export class Follower {
  readonly kind = 'follower'
  readonly epoch: LeaderEpoch
  readonly leaderId: BrokerId
  readonly votedKey: ReplicaKey | null
  #fetchDeadlineMs: number
  #isInTouch = false
  #lostFetches = 0

  constructor(fields: FollowerFields) {
    this.epoch = fields.epoch
    this.leaderId = fields.leaderId
    this.votedKey = fields.votedKey
    this.#fetchDeadlineMs = fields.fetchDeadlineMs
  }

  get election(): Election {
    return electionOf(this.epoch, this.leaderId, this.votedKey)
  }

  get fetchDeadlineMs(): number {
    return this.#fetchDeadlineMs
  }

  /** The last fetch was answered by the leader. */
  get isInTouch(): boolean {
    return this.#isInTouch
  }

  /** Fetches in a row that the leader refused or whose connection broke. */
  get lostFetches(): number {
    return this.#lostFetches
  }

  onFetched(fetchDeadlineMs: number): void {
    this.#fetchDeadlineMs = fetchDeadlineMs
    this.#isInTouch = true
    this.#lostFetches = 0
  }

  /** The leader is probably gone: pre-votes of others are granted from now on. */
  onFetchLost(): void {
    this.#isInTouch = false
    this.#lostFetches += 1
  }

  /** The leader said that it leaves: the next election begins at `atMs`. */
  onLeaderLeft(atMs: number): void {
    this.#isInTouch = false
    this.#fetchDeadlineMs = atMs
  }

  /** Refuses pre-votes while the leader answers; real votes always, for the epoch has its leader (KIP-996). */
  canGrant(_candidate: ReplicaKey, isLogUpToDate: boolean, isPreVote: boolean): boolean {
    return isPreVote && isLogUpToDate && !this.#isInTouch
  }
}
