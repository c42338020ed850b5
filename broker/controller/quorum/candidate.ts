import type { BrokerId, LeaderEpoch } from '../../../src/base/ids.ts'
import { electionOf, NO_NODE, type Election } from './election.ts'
import type { ReplicaKey } from './replica-key.ts'
import type { VoteTally } from './vote-tally.ts'

/** Voted for itself in a new epoch and asks the others. Its own vote counts once it is durable. */
export class Candidate {
  readonly kind = 'candidate'
  readonly epoch: LeaderEpoch
  readonly leaderId: BrokerId = NO_NODE
  readonly self: ReplicaKey
  readonly electionDeadlineMs: number
  readonly tally: VoteTally
  #backoffUntilMs: number | null = null

  constructor(epoch: LeaderEpoch, self: ReplicaKey, electionDeadlineMs: number, tally: VoteTally) {
    this.epoch = epoch
    this.self = self
    this.electionDeadlineMs = electionDeadlineMs
    this.tally = tally
  }

  get election(): Election {
    return electionOf(this.epoch, NO_NODE, this.self)
  }

  /** Set once the election is lost: when to try again. */
  get backoffUntilMs(): number | null {
    return this.#backoffUntilMs
  }

  backOff(untilMs: number): void {
    this.#backoffUntilMs = untilMs
  }

  /** Its vote of this epoch is its own. */
  canGrant(_candidate: ReplicaKey, isLogUpToDate: boolean, isPreVote: boolean): boolean {
    return isPreVote && isLogUpToDate
  }
}
