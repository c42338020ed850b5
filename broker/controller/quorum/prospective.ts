import type { BrokerId, LeaderEpoch } from '../../../src/base/ids.ts'
import { electionOf, NO_NODE, type Election } from './election.ts'
import { isSameReplica, type ReplicaKey } from './replica-key.ts'
import type { VoteTally } from './vote-tally.ts'

export interface ProspectiveFields {
  readonly epoch: LeaderEpoch
  /** Leader of this epoch that is not heard of any more, or -1. */
  readonly leaderId: BrokerId
  readonly votedKey: ReplicaKey | null
  readonly electionDeadlineMs: number
  readonly tally: VoteTally
}

/**
 * Asks the voters whether they would vote for it, without raising the epoch, so that a node which was
 * merely cut off disturbs nobody (KIP-996).
 */
export class Prospective {
  readonly kind = 'prospective'
  readonly epoch: LeaderEpoch
  readonly leaderId: BrokerId
  readonly votedKey: ReplicaKey | null
  readonly electionDeadlineMs: number
  readonly tally: VoteTally

  constructor(fields: ProspectiveFields) {
    this.epoch = fields.epoch
    this.leaderId = fields.leaderId
    this.votedKey = fields.votedKey
    this.electionDeadlineMs = fields.electionDeadlineMs
    this.tally = fields.tally
  }

  get election(): Election {
    return electionOf(this.epoch, this.leaderId, this.votedKey)
  }

  /** A real vote is refused while a leader of this epoch is known, as a follower would. */
  canGrant(candidate: ReplicaKey, isLogUpToDate: boolean, isPreVote: boolean): boolean {
    if (isPreVote) return isLogUpToDate
    if (this.votedKey !== null) return isSameReplica(this.votedKey, candidate)
    return this.leaderId === NO_NODE && isLogUpToDate
  }
}
