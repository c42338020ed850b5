import type { Mutant } from './mutant.ts'

/** Bugs of followers: what they take from a leader, and where they cut. */
export const FOLLOWER_MUTANTS: readonly Mutant[] = [
  {
    name: 'one-step-truncation',
    says: 'a leader compares ends of epochs, not the epochs themselves, so one cut counts as enough after two fast failovers (KIP-101 before KIP-279)',
    invariants: ['R1', 'R2', 'R14', 'D9', 'CRASH'],
    profile: 'data',
    file: 'broker/replica/partition-read.ts',
    find: 'const isDiverging = end.epoch < entry.lastFetchedEpoch || end.endOffset < entry.fetchOffset',
    replace: 'const isDiverging = end.endOffset < entry.fetchOffset',
    maxSeeds: 1000,
  },
  {
    name: 'divergence-not-told',
    says: 'a leader answers a follower whose log has left its own as if nothing were wrong (truncation on fetch of KIP-595 left out)',
    invariants: ['R1', 'R2', 'R8', 'R7', 'R15', 'D9', 'D3', 'CRASH'],
    profile: 'data',
    file: 'broker/replica/partition-read.ts',
    find: 'const diverging = entry.lastFetchedEpoch === -1 ? null : divergence(partition, entry)',
    replace: 'const diverging = null as ReturnType<typeof divergence>',
    maxSeeds: 1000,
  },
  {
    name: 'cut-at-the-leaders-end-of-another-epoch',
    says: 'a follower that lacks the epoch the leader named cuts where the leader’s epoch ends, not where its own does',
    invariants: ['R1', 'R2', 'R14', 'L2', 'D9'],
    profile: 'data',
    file: 'broker/replica/follower-truncation.ts',
    find: `  const common = own.epoch === leaderEpoch ? leaderEndOffset : Infinity
  return Math.min(own.endOffset, common, log.logEndOffset)`,
    replace: `  return Math.min(leaderEndOffset, log.logEndOffset)`,
    maxSeeds: 1000,
  },
  {
    name: 'answers-matched-by-topic-only',
    says: 'a follower gives every partition of a topic the answer for the last one that it asked for',
    invariants: ['R1', 'R3', 'R10', 'R14', 'R15', 'L2', 'CRASH'],
    profile: 'data',
    file: 'broker/replica/follower-fetcher.ts',
    find: 'const fetched = fetchedByIndex?.get(data.partitionIndex)',
    replace: 'const fetched = [...(fetchedByIndex?.values() ?? [])].at(-1)',
    maxSeeds: 1000,
  },
  {
    name: 'follower-trusts-its-own-end',
    says: 'a follower takes its log end for its high watermark as soon as it has heard of the leader',
    invariants: ['R10', 'D3', 'R2'],
    profile: 'data',
    file: 'broker/replica/partition.ts',
    find: 'Math.min(data.highWatermark, log.logEndOffset),',
    replace: 'log.logEndOffset,',
    maxSeeds: 1000,
  },
  {
    name: 'high-watermark-only-with-records',
    says: 'a follower takes the high watermark only from answers with records, so the last one never reaches it',
    invariants: ['D9', 'L2'],
    profile: 'data',
    file: 'broker/replica/partition.ts',
    find: 'const hasMoved = highWatermark !== log.highWatermark',
    replace: 'const hasMoved = hasRecords && highWatermark !== log.highWatermark',
    maxSeeds: 1000,
  },
  {
    name: 'resigned-leader-keeps-its-role',
    says: 'a leader that was replaced takes the new epoch and goes on leading in it',
    invariants: ['R5', 'R1', 'R4', 'R14', 'CRASH'],
    profile: 'data',
    file: 'broker/replica/partition.ts',
    find: `    const wasLeader = this.#role !== null
    this.#role = null
`,
    replace: `    const wasLeader = this.#role !== null
`,
    maxSeeds: 1000,
  },
  {
    name: 'cut-to-the-checkpoint-on-start',
    says: 'a replica that starts again drops what lies above its stored high watermark (Kafka before KIP-101)',
    invariants: ['R8', 'R7', 'R14', 'R15', 'D1'],
    profile: 'data',
    file: 'broker/replica/hosted-partitions.ts',
    find: '    log.updateHighWatermark(checkpoints.highWatermark(key))\n',
    replace:
      '    log.updateHighWatermark(checkpoints.highWatermark(key))\n    log.truncateTo(log.highWatermark)\n',
    maxSeeds: 1000,
  },
]
