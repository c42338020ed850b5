/** Timing of the quorum; Kafka's `controller.quorum.*` settings. */
export interface RaftConfig {
  /** Least time without a leader before a voter stands for election; the real time-out lies in [t, 2t). */
  readonly electionTimeoutMs: number
  /** Most a voter waits after a lost election before it tries again. */
  readonly electionBackoffMaxMs: number
  /** A follower that fetched nothing for so long looks for another leader; a leader resigns after 1.5 times it. */
  readonly fetchTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly retryBackoffMs: number
  /** How long the leader may hold a fetch that has nothing to return. */
  readonly fetchMaxWaitMs: number
}
