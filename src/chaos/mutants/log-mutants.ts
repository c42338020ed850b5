import type { Mutant } from './mutant.ts'

/** Bugs of the log of one partition, and of what it knows of producers. */
export const LOG_MUTANTS: readonly Mutant[] = [
  {
    name: 'next-offset-is-the-last',
    says: 'the next batch gets the offset of the last record instead of the one after it',
    invariants: ['R3', 'R1', 'CRASH'],
    profile: 'data',
    file: 'broker/log/segment.ts',
    find: `    this.sizeBytes = position + sizeBytes
    this.endOffset = lastOffset + 1`,
    replace: `    this.sizeBytes = position + sizeBytes
    this.endOffset = Math.max(lastOffset, this.baseOffset + 1)`,
    maxSeeds: 1000,
  },
  {
    name: 'index-entry-after-its-batch',
    says: 'the index points behind the batch that it means, so a read by it begins one batch too late',
    invariants: ['D1', 'D5', 'D9', 'D7', 'L4', 'L2', 'CRASH'],
    profile: 'data',
    file: 'broker/log/segment.ts',
    find: 'this.offsetIndex.append(lastOffset, position)',
    replace: 'this.offsetIndex.append(lastOffset, position + sizeBytes)',
    maxSeeds: 1000,
  },
  {
    name: 'epoch-begins-with-its-last-record',
    says: 'a follower notes that a leader epoch begins at the last offset of its first batch',
    invariants: ['D9', 'R14', 'R1', 'R15', 'CRASH'],
    profile: 'data',
    file: 'broker/log/log-writer.ts',
    find: 'this.#parts.epochs.assign(epoch, header.baseOffset)',
    replace: 'this.#parts.epochs.assign(epoch, header.lastOffset)',
    maxSeeds: 1000,
  },
  {
    name: 'retry-after-failed-fsync',
    says: 'a failed fsync is tried again, though the pages that it was about are gone (fsyncgate of PostgreSQL)',
    invariants: ['D7', 'R8', 'R7', 'D1', 'D9', 'R3', 'L2', 'CRASH'],
    profile: 'data',
    file: 'broker/log/log-flusher.ts',
    find: '    else this.fail(error)\n',
    replace: '',
    maxSeeds: 1000,
  },
  {
    name: 'unclean-stop-not-recovered',
    says: 'after an unclean stop the files are taken as they are, torn tail and all',
    invariants: ['D7', 'R1', 'R3', 'P4', 'D9', 'L2', 'CRASH'],
    profile: 'data',
    file: 'broker/log/recovery.ts',
    find: `const mustRecover = !isCleanShutdown && isUnflushed
      const problem = mustRecover ? null : loadProblem(segment, next)`,
    replace: `const mustRecover = isCleanShutdown && isUnflushed
      const problem = loadProblem(segment, next) === 'offset index' ? 'offset index' : null`,
    maxSeeds: 1000,
  },
  {
    name: 'lost-segment-end-overlooked',
    says: 'recovery does not see that the end of an unsynced segment is missing and goes on with the next one (found by seed 235)',
    invariants: ['R3', 'R1', 'D9', 'D1', 'CRASH'],
    profile: 'data',
    file: 'broker/log/recovery.ts',
    find: 'const isBroken = next !== undefined && this.#isGap(segment, next)',
    replace: 'const isBroken = false as boolean',
    maxSeeds: 1000,
  },
  {
    name: 'duplicate-appended-again',
    says: 'a repeated batch is recognised, and appended all the same',
    invariants: ['P1'],
    profile: 'data',
    file: 'broker/log/producer-state.ts',
    find: `if (batch !== undefined) return { kind: 'duplicate', batch }`,
    replace: `if (batch !== undefined) return null`,
    maxSeeds: 1000,
  },
  {
    name: 'out-of-order-on-duplicate',
    says: 'a repeat is called out of order instead of being recognised, so that clients resend it in a new epoch (found in Redpanda)',
    invariants: ['P2', 'P1'],
    profile: 'data',
    file: 'broker/log/producer-state.ts',
    find: `if (batch !== undefined) return { kind: 'duplicate', batch }`,
    replace: `if (batch !== undefined) return outOfOrder(header, producer)`,
    maxSeeds: 1000,
  },
  {
    name: 'gap-in-the-sequence-accepted',
    says: 'any sequence after the last one is taken, also when batches between are missing',
    invariants: ['P2', 'P5', 'P1'],
    profile: 'data',
    file: 'broker/log/producer-state.ts',
    find: 'return header.baseSequence === (last + 1) % SEQUENCES',
    replace: 'return header.baseSequence > last || last + 1 === SEQUENCES',
    maxSeeds: 1000,
  },
  {
    name: 'old-producer-epoch-accepted',
    says: 'a producer that was fenced by a newer epoch of its id may still write',
    invariants: ['P3'],
    profile: 'data',
    file: 'broker/log/producer-state.ts',
    find: 'if (producer !== undefined && header.producerEpoch < producer.epoch) {',
    replace: 'if (producer !== undefined && header.isControl) {',
    maxSeeds: 1000,
  },
  {
    name: 'duplicate-answered-with-zero',
    says: 'a repeat is acknowledged at offset 0 instead of the offset of the first time (found in Redpanda)',
    invariants: ['D6', 'R3'],
    profile: 'data',
    file: 'broker/log/log-writer.ts',
    find: '      baseOffset: lastOffset - offsetDelta,\n      lastOffset,',
    replace: '      baseOffset: 0,\n      lastOffset: Math.min(lastOffset, offsetDelta),',
    maxSeeds: 1000,
  },
  {
    name: 'acknowledged-by-the-last-offset',
    says: 'a batch is acknowledged with the offset of its last record, which only single records forgive',
    invariants: ['D6', 'R3', 'R4'],
    profile: 'data',
    file: 'broker/replica/produce-service.ts',
    find: 'baseOffset: result.baseOffset,',
    replace: 'baseOffset: result.lastOffset,',
    maxSeeds: 1000,
  },
  {
    name: 'retention-passes-the-high-watermark',
    says: 'retention deletes segments that are not committed yet',
    invariants: ['R13', 'R10', 'CRASH'],
    profile: 'data',
    file: 'broker/log/partition-log.ts',
    find: `      highWatermark: this.#highWatermark,
      nowMs,
    })
    if (count === 0) return 0
    if (count === this.#segments.all.length) this.#writer.roll(this.logEndOffset, nowMs)
    const first = this.#segments.all[count]
    assert(first !== undefined, 'a segment is left after retention')
    this.#snapshotAt(first.baseOffset)
    // The start moves before any file goes, so that no reader is sent to a file that is gone.
    this.incrementLogStartOffset(first.baseOffset)`,
    replace: `      highWatermark: this.logEndOffset,
      nowMs,
    })
    if (count === 0) return 0
    if (count === this.#segments.all.length) this.#writer.roll(this.logEndOffset, nowMs)
    const first = this.#segments.all[count]
    assert(first !== undefined, 'a segment is left after retention')
    this.#snapshotAt(first.baseOffset)
    this.#logStartOffset = first.baseOffset`,
    maxSeeds: 1000,
  },
  {
    name: 'unlimited-retention-taken-for-a-size',
    says: 'retention.bytes of -1 is compared like any other size, so that all that is committed goes',
    invariants: ['D1', 'R11', 'D5', 'L4'],
    profile: 'data',
    file: 'broker/log/retention.ts',
    find: 'mayDelete && config.retentionBytes >= 0',
    replace: 'mayDelete && config.retentionBytes >= -1',
    maxSeeds: 1000,
  },
]
