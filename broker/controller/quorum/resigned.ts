import type { BrokerId, LeaderEpoch } from '../../../src/base/ids.ts'
import { electionOf, NO_NODE, type Election } from './election.ts'
import type { ReplicaKey } from './replica-key.ts'

export interface ResignedFields {
  readonly epoch: LeaderEpoch
  readonly self: ReplicaKey
  readonly electionDeadlineMs: number
  /** Other voters, best successor first; told of the end of the epoch in this order. */
  readonly successors: readonly BrokerId[]
}

/**
 * Led this epoch and does so no longer: by shutdown, by losing its majority, or by a restart. It neither
 * votes nor stands in this epoch again; at the deadline it goes on to the next one without a vote.
 */
export class Resigned {
  readonly kind = 'resigned'
  readonly epoch: LeaderEpoch
  /** Others are not sent here any more. */
  readonly leaderId: BrokerId = NO_NODE
  readonly self: ReplicaKey
  readonly electionDeadlineMs: number
  readonly successors: readonly BrokerId[]
  readonly #untold: Set<BrokerId>

  constructor(fields: ResignedFields) {
    this.epoch = fields.epoch
    this.self = fields.self
    this.electionDeadlineMs = fields.electionDeadlineMs
    this.successors = fields.successors
    this.#untold = new Set(fields.successors)
  }

  /** The disk keeps the truth: this node led the epoch. */
  get election(): Election {
    return electionOf(this.epoch, this.self.id, this.self)
  }

  /** Voters that have not confirmed the end of the epoch, best successor first. */
  get untold(): readonly BrokerId[] {
    return [...this.#untold]
  }

  onTold(voterId: BrokerId): void {
    this.#untold.delete(voterId)
  }

  canGrant(_candidate: ReplicaKey, isLogUpToDate: boolean, isPreVote: boolean): boolean {
    return isPreVote && isLogUpToDate
  }
}
