// Goal: segments are closed by the time of their records, earlier by the jitter and by
// max.compaction.lag.ms, and many records are flushed without being asked. Method: records with
// chosen timestamps; the bases of the segments and the recovery point tell.
import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import { SimRandom } from '../../../../src/sim/sim-random.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import type { LogConfig } from '../../../../broker/log/log-config.ts'
import type { PartitionLog } from '../../../../broker/log/partition-log.ts'
import { appendOk, batch, NOW_MS, openLog } from '../../../support/log-world.ts'

function addAt(log: PartitionLog, afterMs: number): void {
  appendOk(log, batch({ timestampMs: NOW_MS + afterMs }))
}

function basesOf(config: Partial<LogConfig>, times: readonly number[]): readonly number[] {
  const log = openLog(new MemoryDisk(), { config, random: new SimRandom(1, 1) })
  for (const time of times) addAt(log, time)
  return log.segmentBaseOffsets
}

describe('a segment', () => {
  it('is closed when a record is more than segment.ms newer than its first', () => {
    expect(basesOf({ segmentMs: 1000 }, [0, 1000, 1001, 2001, 2002])).toEqual([0, 2, 4])
  })

  it('is closed after max.compaction.lag.ms when that is less, on compacted topics only', () => {
    const config = { segmentMs: 1000, maxCompactionLagMs: 100 }
    expect(basesOf({ ...config, cleanupPolicy: ['compact'] }, [0, 100, 101])).toEqual([0, 2])
    expect(basesOf({ ...config, cleanupPolicy: ['delete'] }, [0, 100, 101])).toEqual([0])
  })

  it('is closed earlier by a part of segment.jitter.ms that is drawn for each', () => {
    const config = { segmentMs: 1000, segmentJitterMs: 900 }
    const times = Array.from({ length: 600 }, (_, index) => index * 10)
    const bases = basesOf(config, times).slice(1)
    const lengths = bases.map((base, index) => (base - (bases[index - 1] ?? 0)) * 10)
    // The first segment of a new log has no jitter, as it was not rolled.
    expect(lengths[0]).toBe(1010)
    expect(lengths.slice(1).every((length) => length >= 110 && length <= 1010)).toBe(true)
    expect(new Set(lengths).size).toBeGreaterThan(3)
  })
})

describe('flush.messages', () => {
  it('flushes when so many records are not synced, and not before', () => {
    const world = new SimWorld({ seed: 1 })
    const { disk } = world.node('n').ports
    const log = openLog(disk, { config: { flushMessages: 3 } })
    addAt(log, 0)
    addAt(log, 0)
    world.runFor(100)
    expect(log.recoveryPoint).toBe(0)
    addAt(log, 0)
    world.runUntil(() => log.recoveryPoint === 3, 1000)
    expect(log.recoveryPoint).toBe(3)
    addAt(log, 0)
    world.runFor(100)
    expect(log.recoveryPoint).toBe(3)
  })
})
