/**
 * What the faults of a plan leave of the promises. A lost tail without an fsync before the acknowledgement,
 * a wiped disk or damage on more replicas than min.insync.replicas allows is over the budget of durability:
 * then acknowledged records may be lost (R7, R8, D1 are reported, not failed).
 */
export interface FaultBudget {
  /** Committed records must survive: R7, R8, D1, R14(d) count. */
  readonly holdsDurability: boolean
  /** Unclean elections are allowed in this plan. */
  readonly isUnclean: boolean
  /** Votes and the metadata log must survive: Q2, Q3, Q5, Q7 count. */
  readonly holdsQuorum: boolean
}
