import type { Mutant } from './mutant.ts'

/** Bugs of logs: damaged bytes, and what is derived from batches. */
export const STORAGE_MUTANTS: readonly Mutant[] = [
  {
    name: 'crc-skipped-in-replication',
    says: 'a follower trusts the bytes of its leader, so that a flipped bit spreads (as NATS lost half of its data)',
    invariants: ['D7', 'R1', 'R2', 'D2', 'D9', 'CRASH'],
    profile: 'data',
    file: 'broker/log/append-checks.ts',
    find: `    if (!isBatchCrcValid(records, at)) {
      return refused(ErrorCode.CORRUPT_MESSAGE, \`Wrong CRC in the batch of \${header.baseOffset}\`)
    }
    if (header.partitionLeaderEpoch > leaderEpoch) {
`,
    replace: `    if (header.partitionLeaderEpoch > leaderEpoch) {
`,
    maxSeeds: 1000,
  },
  {
    name: 'producer-state-kept-over-truncation',
    says: 'what is known of producers is not rolled back with the log, so a resent batch is taken for a duplicate or a gap',
    invariants: ['P4', 'P1', 'P2', 'D1', 'D6', 'L3', 'CRASH'],
    profile: 'data',
    file: 'broker/log/partition-log.ts',
    find: `    if (!this.#producers.isEmpty) {
      loadProducers(`,
    replace: `    if (this.#producers.isEmpty) {
      loadProducers(`,
    maxSeeds: 1000,
  },
]
