import type { BrokerId, LeaderEpoch } from '../../../src/base/ids.ts'
import { electionOf, NO_NODE, type Election } from './election.ts'
import { isSameReplica, type ReplicaKey } from './replica-key.ts'

/** Knows an epoch but no leader of it; may have voted in it. A voter stands for election at the deadline. */
export class Unattached {
  readonly kind = 'unattached'
  readonly epoch: LeaderEpoch
  readonly leaderId: BrokerId = NO_NODE
  readonly votedKey: ReplicaKey | null
  /** Monotonic; `Infinity` for an observer. */
  readonly electionDeadlineMs: number

  constructor(epoch: LeaderEpoch, votedKey: ReplicaKey | null, electionDeadlineMs: number) {
    this.epoch = epoch
    this.votedKey = votedKey
    this.electionDeadlineMs = electionDeadlineMs
  }

  get election(): Election {
    return electionOf(this.epoch, NO_NODE, this.votedKey)
  }

  canGrant(candidate: ReplicaKey, isLogUpToDate: boolean, isPreVote: boolean): boolean {
    if (isPreVote || this.votedKey === null) return isLogUpToDate
    return isSameReplica(this.votedKey, candidate)
  }
}
