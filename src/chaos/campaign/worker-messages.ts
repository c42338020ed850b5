import type { Swarm } from '../swarm/swarm-profile.ts'
import type { SeedOutcome } from './seed-outcome.ts'

/** What a campaign asks of a worker process; the answers come in the order of the questions. */
export interface SeedRequest {
  readonly seed: number
  readonly swarm: Swarm
  /** After a broken invariant, to see which others notice. */
  readonly keepGoing: boolean
}

/** A module that workers run seeds with: it exports `runSeed`. */
export interface RunnerModule {
  readonly runSeed: (request: SeedRequest) => Promise<SeedOutcome>
}
