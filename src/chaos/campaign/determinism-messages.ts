import type { Swarm } from '../swarm/swarm-profile.ts'

/** What a process of the determinism gate is asked: by its argument, as JSON. */
export type DeterminismTask = HashesTask | TraceTask

/** Runs these seeds, in this order, and tells the hash of each run. */
export interface HashesTask {
  readonly kind: 'hashes'
  readonly swarm: Swarm
  readonly seeds: readonly number[]
}

/** Runs the seeds before, then this one, and tells of its trace. */
export interface TraceTask {
  readonly kind: 'trace'
  readonly swarm: Swarm
  readonly before: readonly number[]
  readonly seed: number
  readonly fromRow: number
  readonly toRow: number
}

export interface SeedHash {
  readonly seed: number
  readonly hash: string
}

export interface SeedTrace {
  readonly hash: string
  readonly rowCount: number
  /** Hash after every 10,000 rows. */
  readonly checkpoints: readonly string[]
  /** Canonical text of the rows asked for, as far as they are kept. */
  readonly rows: readonly string[]
}
