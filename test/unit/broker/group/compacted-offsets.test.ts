// Goal: a coordinator that is loaded from a compacted partition of __consumer_offsets holds what one
// holds that is loaded from the whole log. Method: random commits, generations and tombstones; the
// dump of a replay before and after each of several compactions.
import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import { SimRandom } from '../../../../src/sim/sim-random.ts'
import { writeBatch } from '../../../../src/wire/record-batch.ts'
import type { CoordinatorRecord } from '../../../../broker/coordinator/outcome.ts'
import { dumpOfReplay } from '../../../../broker/group/group-replay.ts'
import {
  groupMetadataRecord,
  groupTombstone,
  offsetCommitRecord,
  offsetTombstone,
} from '../../../../broker/group/records.ts'
import type { PartitionLog } from '../../../../broker/log/partition-log.ts'
import { compact, NOW_MS, openLog } from '../../../support/log-world.ts'

const TIMES = { leaderEpoch: 0, nowMs: NOW_MS, origin: 'coordinator' } as const

function randomRecord(random: SimRandom, index: number): CoordinatorRecord {
  const group = `g${random.below(5)}`
  const key = { group, topic: `t${random.below(2)}`, partition: random.below(3) }
  const kind = random.below(20)
  if (kind === 0) return groupTombstone(group)
  if (kind === 1) return offsetTombstone(key)
  if (kind < 5) {
    return groupMetadataRecord(group, {
      protocolType: 'consumer',
      generation: index,
      protocol: null,
      leader: null,
      currentStateTimestamp: NOW_MS + index,
      members: [],
    })
  }
  const value = { offset: index, leaderEpoch: -1, metadata: '', commitTimestamp: NOW_MS + index }
  return offsetCommitRecord(key, value)
}

function dump(log: PartitionLog): string {
  const read = (offset: number): Buffer =>
    log.read({ offset, maxBytes: 2000, minOneBatch: true, endOffset: Infinity }).records
  return dumpOfReplay(read, log.logStartOffset, log.logEndOffset)
}

describe('the groups of a compacted partition', () => {
  it.each([1, 2, 3])('are those of the whole log (seed %i)', async (seed) => {
    const random = new SimRandom(seed, 1)
    const config = { cleanupPolicy: ['compact'], segmentBytes: 1500, deleteRetentionMs: 100 }
    const log = openLog(new MemoryDisk(), { config })
    let sizeBefore = 0
    for (let round = 0; round < 4; round += 1) {
      for (let index = 0; index < 120; index += 1) {
        const records = [randomRecord(random, round * 1000 + index)]
        log.appendAsLeader(writeBatch({ records, timestampMs: NOW_MS + round * 1000 }), TIMES)
      }
      log.updateHighWatermark(log.logEndOffset)
      const before = dump(log)
      sizeBefore = log.sizeBytes
      expect(await compact(log, { nowMs: NOW_MS + round * 1000, stepBytes: 700 })).toBe(true)
      expect(before.length).toBeGreaterThan(100)
      expect(dump(log)).toBe(before)
    }
    expect(log.sizeBytes).toBeLessThan(sizeBefore / 2)
  })
})
