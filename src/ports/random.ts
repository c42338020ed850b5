/** A stream of random numbers. Seeded in simulation, so a run can be repeated. */
export interface Random {
  /** Uniform integer in [0, 2^32). */
  u32(): number
  /** Uniform integer in [0, limit); `limit` from 1 to 2^32. */
  below(limit: number): number
  /** `count` random bytes. */
  bytes(count: number): Buffer
  /** An independent stream; the same label of the same parent gives the same stream in simulation. */
  fork(label: string): Random
}
