import type { Mutant } from './mutant.ts'
import { QUORUM_MUTANTS } from './quorum-mutants.ts'
import { GROUP_MUTANTS } from './group-mutants.ts'
import { REPLICATION_MUTANTS } from './replication-mutants.ts'
import { STORAGE_MUTANTS } from './storage-mutants.ts'

/** Every planted bug; a checker that none of them wakes is not trusted. */
export const MUTANTS: readonly Mutant[] = [
  ...REPLICATION_MUTANTS,
  ...QUORUM_MUTANTS,
  ...STORAGE_MUTANTS,
  ...GROUP_MUTANTS,
]
