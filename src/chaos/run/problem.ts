import type { InvariantId } from '../invariants.ts'

/** What a cluster still lacks, and which invariant of liveness asks for it. */
export interface Problem {
  readonly invariant: InvariantId & `L${number}`
  readonly reason: string
}

/** No problem when there is no reason. */
export function problemOf(
  invariant: Problem['invariant'],
  reason: string | null | undefined,
): Problem | null {
  return reason === null || reason === undefined ? null : { invariant, reason }
}
