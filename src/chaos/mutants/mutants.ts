import { CONNECT_MUTANTS } from './connect-mutants.ts'
import { CONTROLLER_MUTANTS } from './controller-mutants.ts'
import { FOLLOWER_MUTANTS } from './follower-mutants.ts'
import { GROUP_MUTANTS } from './group-mutants.ts'
import { LEADER_MUTANTS } from './leader-mutants.ts'
import { LOG_MUTANTS } from './log-mutants.ts'
import type { Mutant } from './mutant.ts'
import { QUORUM_MUTANTS } from './quorum-mutants.ts'
import { REPLICATION_MUTANTS } from './replication-mutants.ts'
import { STORAGE_MUTANTS } from './storage-mutants.ts'

/** Every planted bug; a checker that none of them wakes is not trusted. */
export const MUTANTS: readonly Mutant[] = [
  ...REPLICATION_MUTANTS,
  ...LEADER_MUTANTS,
  ...FOLLOWER_MUTANTS,
  ...STORAGE_MUTANTS,
  ...LOG_MUTANTS,
  ...CONTROLLER_MUTANTS,
  ...QUORUM_MUTANTS,
  ...GROUP_MUTANTS,
  ...CONNECT_MUTANTS,
]
