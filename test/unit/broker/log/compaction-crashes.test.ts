// Goal: a compaction that is cut short at any of its changes of the disk, by a kill or a power cut,
// leaves a log that opens, ends where it ended and says of every key what it said before. Method:
// simulated disks, a stop after each operation in turn, and the log opened with what was stored.
import { describe, expect, it } from 'vitest'
import { CorruptionError } from '../../../../src/base/errors.ts'
import type { Disk } from '../../../../src/ports/disk.ts'
import { SimRandom } from '../../../../src/sim/sim-random.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import type { LogCompaction } from '../../../../broker/log/log-compaction.ts'
import type { LogConfig } from '../../../../broker/log/log-config.ts'
import type { PartitionLog } from '../../../../broker/log/partition-log.ts'
import { append, batch, DIRECTORY, NOW_MS, openLog, readAll } from '../../../support/log-world.ts'

const CONFIG: Partial<LogConfig> = {
  cleanupPolicy: ['compact'],
  segmentBytes: 400,
  indexIntervalBytes: 150,
  deleteRetentionMs: 0,
}

/** What the owner of a log keeps of it. */
interface Stored {
  readonly recoveryPoint: number
  readonly cleanedTo: number
  readonly compactedTo: number
}

function storedOf({ recoveryPoint, cleanedTo, compactedTo }: PartitionLog): Stored {
  return { recoveryPoint, cleanedTo, compactedTo }
}

function fill(log: PartitionLog, random: SimRandom, count: number): void {
  for (let index = 0; index < count; index += 1) {
    const records = Array.from({ length: 1 + random.below(3) }, () => ({
      // Some keys come often, some stay for good where they are.
      key: Buffer.from(`k${random.below(random.below(2) === 0 ? 4 : 60)}`),
      value: random.below(4) === 0 ? null : Buffer.from(`v${random.below(1000)}`),
    }))
    append(log, batch({ records }))
  }
  log.updateHighWatermark(log.logEndOffset)
}

/** What the log says of each key; deleted ones are left out. */
function meaning(log: PartitionLog): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const { key, value } of readAll(log, log.logStartOffset, 100_000)) {
    const name = key?.toString() ?? ''
    if (value === null) values.delete(name)
    else values.set(name, value.toString())
  }
  return new Map([...values].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Runs the compaction in simulated time, as long as the node lives. */
function runCompaction(world: SimWorld, log: PartitionLog, isUp: () => boolean): void {
  const range = log.cleanable(NOW_MS)
  log.prepareCompaction(range)
  const run: LogCompaction = log.compact(range, { nowMs: NOW_MS, mapBytes: 2000, stepBytes: 300 })
  let isReady = true
  while (isUp() && run.state !== 'done') {
    if (isReady || run.state === 'ready') {
      isReady = false
      run.step(() => (isReady = true))
    } else world.runFor(1)
  }
  if (run.state === 'done') log.compacted(run)
}

/** Returns false when the compaction was over before its `stopAt`-th change. */
function stopInCompaction(seed: number, stopAt: number, isPowerCut: boolean): boolean {
  const world = new SimWorld({ seed })
  const node = world.node('n')
  const random = new SimRandom(seed, 1)
  let { disk }: { disk: Disk } = node.ports
  let log = openLog(disk, { config: CONFIG })
  let stored = storedOf(log)
  const flush = (): void => {
    let isFlushed = false
    log.flush(() => (isFlushed = true))
    world.runUntil(() => isFlushed, 1000)
    stored = storedOf(log)
  }
  const reopen = (): void => {
    disk = node.restart().disk
    log = openLog(disk, { config: CONFIG, ...stored })
    log.updateHighWatermark(log.logEndOffset)
  }
  const begin = (): void => {
    const range = log.cleanable(NOW_MS)
    stored = { ...stored, compactedTo: Math.max(stored.compactedTo, range.firstUncleanableOffset) }
  }
  const compactAll = (): void => {
    fill(log, random, 12)
    flush()
    const before = meaning(log)
    begin()
    runCompaction(world, log, () => node.isUp)
    expect(meaning(log)).toEqual(before)
    stored = storedOf(log)
  }
  compactAll()
  compactAll()
  fill(log, random, 12)
  flush()
  const before = { end: log.logEndOffset, meaning: meaning(log) }
  begin()
  node.disk.crashAfterOperation(node.disk.operationsRun + stopAt, () =>
    node.crash({ losesUnsynced: isPowerCut }),
  )
  try {
    runCompaction(world, log, () => node.isUp)
  } catch (error) {
    // Else the node has gone in the middle of a step.
    if (node.isUp) throw error
  }
  if (node.isUp) return false
  reopen()
  expect(log.logEndOffset, `stopped at ${stopAt}`).toBe(before.end)
  expect(meaning(log), `stopped at ${stopAt}`).toEqual(before.meaning)
  expect(disk.list(DIRECTORY).filter((name) => /cleaned|swap/.test(name))).toEqual([])
  // And it goes on: new records, another compaction, another start.
  compactAll()
  const after = meaning(log)
  node.crash({ losesUnsynced: isPowerCut })
  reopen()
  expect(meaning(log)).toEqual(after)
  return true
}

describe('a compaction', () => {
  it.each([
    ['a kill', false],
    ['a power cut', true],
  ])('survives %s after each of its changes', (_name, isPowerCut) => {
    let stops = 0
    for (const seed of [1, 2]) {
      for (let stopAt = 1; stopInCompaction(seed, stopAt, isPowerCut); stopAt += 1) stops += 1
    }
    expect(stops).toBeGreaterThan(40)
  })
})

describe('a segment that is missing', () => {
  it('is found below the recovery point, unless compaction may have made the gap', () => {
    const world = new SimWorld({ seed: 1 })
    const { disk } = world.node('n').ports
    const config = { ...CONFIG, cleanupPolicy: ['delete'] }
    const log = openLog(disk, { config })
    fill(log, new SimRandom(1, 1), 40)
    let isFlushed = false
    log.flush(() => (isFlushed = true))
    world.runUntil(() => isFlushed, 1000)
    const { recoveryPoint } = log
    const [, lost = 0, next = 0] = log.segmentBaseOffsets
    for (const name of disk.list(DIRECTORY)) {
      if (name.startsWith(String(lost).padStart(20, '0'))) disk.remove(`${DIRECTORY}/${name}`)
    }
    expect(() => openLog(disk, { config, recoveryPoint })).toThrow(CorruptionError)
    expect(() => openLog(disk, { config, recoveryPoint, compactedTo: next - 1 })).toThrow(
      CorruptionError,
    )
    const opened = openLog(disk, { config, recoveryPoint, compactedTo: next })
    expect(opened.logEndOffset).toBe(log.logEndOffset)
  })
})
