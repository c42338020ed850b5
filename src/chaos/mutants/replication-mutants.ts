import type { Mutant } from './mutant.ts'

/** Bugs of partitions: leaders, followers, in-sync sets, acknowledgements. */
export const REPLICATION_MUTANTS: readonly Mutant[] = [
  {
    name: 'truncate-to-high-watermark',
    says: 'a follower of a new leader cuts its log at its own high watermark, as Kafka did before KIP-101',
    invariants: ['R14', 'R8', 'R7', 'R1', 'R2', 'D1', 'CRASH'],
    profile: 'data',
    file: 'broker/replica/partition.ts',
    find: `    if (isNewEpoch || wasLeader) {
      this.#hasCaughtUp = false
`,
    replace: `    if (isNewEpoch || wasLeader) {
      this.#hasCaughtUp = false
      this.log.truncateTo(this.log.highWatermark)
`,
    maxSeeds: 1000,
  },
  {
    name: 'unfenced-fetch',
    says: 'a leader serves fetches of any leader epoch, and counts them for its in-sync set (before KIP-320)',
    invariants: ['R15', 'R14', 'R1', 'R2', 'R8', 'R7', 'R10', 'CRASH'],
    profile: 'data',
    file: 'broker/replica/partition-read.ts',
    find: 'const error = partition.accessError(entry.currentLeaderEpoch, needsLeader)',
    replace: 'const error = partition.accessError(-1, needsLeader)',
    maxSeeds: 1000,
  },
  {
    name: 'isr-expansion-too-early',
    says: 'a follower is admitted at the high watermark, though the leader has older epochs to commit above it (KAFKA-7128)',
    invariants: ['R8', 'R7', 'R11', 'D1', 'R14'],
    profile: 'data',
    file: 'broker/replica/leader-role.ts',
    find: 'follower.logEndOffset >= highWatermark && follower.logEndOffset >= this.epochStartOffset',
    replace: 'follower.logEndOffset >= highWatermark',
    maxSeeds: 1000,
  },
  {
    name: 'hw-over-committed-isr',
    says: 'the high watermark waits for the in-sync set that was confirmed, not for the members just proposed (KIP-497)',
    invariants: ['R9', 'R10', 'R8', 'R7', 'D1'],
    profile: 'data',
    file: 'broker/replica/leader-role.ts',
    find: 'this.inSync.maximal.has(follower.brokerId) || this.#isJoining(follower, logEndOffset, nowMs)',
    replace: 'this.inSync.committed.has(follower.brokerId)',
    maxSeeds: 1000,
  },
  {
    name: 'ack-before-hw',
    says: 'acks=all is answered as soon as the leader has the records itself',
    invariants: ['D8', 'D1'],
    profile: 'data',
    file: 'broker/replica/partition.ts',
    find: 'if (this.log.highWatermark < offset) return null',
    replace: 'if (this.log.logEndOffset < offset) return null',
    maxSeeds: 1000,
  },
]
