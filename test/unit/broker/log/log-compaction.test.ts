// Goal: compaction keeps of each key the last record and nothing that a reader could miss, under the
// same offsets. Method: fill logs whose outcome follows from Kafka's rules, compact, read.
import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import {
  deleteHorizonMsOf,
  readRecords,
  type RecordInput,
} from '../../../../src/wire/record-batch.ts'
import type { LogConfig } from '../../../../broker/log/log-config.ts'
import type { PartitionLog } from '../../../../broker/log/partition-log.ts'
import {
  appendMarker,
  appendOk,
  batch,
  compact,
  DIRECTORY,
  filesOf,
  flushed,
  headersOf,
  marker,
  NOW_MS,
  openLog,
  readAll,
  type BatchSketch,
} from '../../../support/log-world.ts'

const CONFIG: Partial<LogConfig> = {
  cleanupPolicy: ['compact'],
  segmentBytes: 300,
  indexIntervalBytes: 100,
  deleteRetentionMs: 1000,
}

function put(log: PartitionLog, text: string, sketch: BatchSketch = {}): number {
  const records = text.split(' ').map((pair): RecordInput => {
    const [key = '', value] = pair.split('=')
    return { key: Buffer.from(key), value: value === undefined ? null : Buffer.from(value) }
  })
  const offset = appendOk(log, batch({ ...sketch, records }))
  log.updateHighWatermark(log.logEndOffset)
  return offset
}

/** `offset:key=value` of every record; a tombstone has no value. */
function contents(log: PartitionLog): readonly string[] {
  return readAll(log).map(({ offset, key, value }) => {
    const text = key?.toString() ?? '-'
    return `${offset}:${text}${value === null ? '' : `=${value.toString()}`}`
  })
}

function batches(log: PartitionLog): ReturnType<typeof headersOf> {
  return log.inspect().segments.flatMap(({ log: file }) => headersOf(file.read(0, file.size())))
}

/** Begins a new active segment, so that all before can be compacted. */
function roll(log: PartitionLog): void {
  put(log, `filler=${'x'.repeat(log.config.segmentBytes - 90)}`)
}

describe('compaction', () => {
  it('keeps the last record of each key, under its offset', async () => {
    const log = openLog(new MemoryDisk(), { config: CONFIG })
    for (let round = 0; round < 5; round += 1) put(log, `a=${round} b=${round}`)
    put(log, 'b=last')
    put(log, 'c=once')
    roll(log)
    expect(await compact(log)).toBe(true)
    expect(contents(log)).toEqual([
      '8:a=4',
      '10:b=last',
      '11:c=once',
      `12:filler=${'x'.repeat(210)}`,
    ])
    expect(log.logEndOffset).toBe(13)
    expect(log.cleanedTo).toBe(12)
    expect(await compact(log)).toBe(false)
  })

  it('joins segments that became small, and leaves no file of the old ones', async () => {
    const disk = new MemoryDisk()
    const log = openLog(disk, { config: CONFIG })
    for (let round = 0; round < 40; round += 1) put(log, `a=${round}`)
    const before = log.segmentBaseOffsets.length
    roll(log)
    await compact(log)
    expect(before).toBeGreaterThan(5)
    // Segments are grouped by their size before, so a first pass halves nothing; the second joins.
    put(log, 'a=again')
    roll(log)
    await compact(log)
    expect(log.segmentBaseOffsets.length).toBeLessThan(5)
    const names = [...filesOf(disk).keys()].filter((name) => name.endsWith('.log'))
    expect(names.length).toBe(log.segmentBaseOffsets.length)
    expect([...filesOf(disk).keys()].some((name) => /cleaned|swap/.test(name))).toBe(false)
  })

  it('keeps a tombstone for delete.retention.ms after the first pass, then drops it', async () => {
    const log = openLog(new MemoryDisk(), { config: CONFIG })
    put(log, 'a=1 b=1')
    put(log, 'a')
    roll(log)
    await compact(log)
    expect(contents(log).slice(0, 2)).toEqual(['1:b=1', '2:a'])
    const [, tombstone] = batches(log)
    expect(deleteHorizonMsOf(tombstone!)).toBe(NOW_MS + 1000)
    expect(readAll(log)[1]!.timestampMs).toBe(NOW_MS)
    put(log, 'c=1')
    roll(log)
    await compact(log, { nowMs: NOW_MS + 999 })
    expect(contents(log)).toContain('2:a')
    put(log, 'c=2')
    roll(log)
    await compact(log, { nowMs: NOW_MS + 1000 })
    expect(contents(log)).not.toContain('2:a')
    expect(contents(log)[0]).toBe('1:b=1')
  })

  it.each([0, 1, 2, 3, 4] as const)(
    'keeps codec %s of a batch that is written anew',
    async (codec) => {
      const log = openLog(new MemoryDisk(), { config: CONFIG })
      put(log, 'a=1 b=1 c=1', { codec })
      put(log, 'a=2')
      roll(log)
      await compact(log)
      expect(contents(log).slice(0, 3)).toEqual(['1:b=1', '2:c=1', '3:a=2'])
      const [first] = batches(log)
      expect([first!.codec, first!.baseOffset, first!.lastOffset]).toEqual([codec, 0, 2])
    },
  )

  it('keeps the last batch of each producer, without records when they are outdated', async () => {
    const disk = new MemoryDisk()
    const log = openLog(disk, { config: CONFIG })
    const producer = { producerId: 7, producerEpoch: 2 }
    put(log, 'a=1 b=1', { ...producer, baseSequence: 0 })
    put(log, 'a=2 b=2', { ...producer, baseSequence: 2 })
    put(log, 'a=3 b=3')
    roll(log)
    await compact(log)
    expect(contents(log).slice(0, 2)).toEqual(['4:a=3', '5:b=3'])
    const [empty] = batches(log)
    expect(empty).toMatchObject({ recordCount: 0, baseOffset: 2, lastOffset: 3, baseSequence: 2 })
    const [before] = log.producerEntries()
    const [after] = openLog(disk, { config: CONFIG }).producerEntries()
    expect(after).toEqual(before)
  })

  it('leaves what is not committed, not decided or active', async () => {
    const log = openLog(new MemoryDisk(), { config: CONFIG })
    put(log, 'a=1')
    roll(log)
    const open = { producerId: 9, producerEpoch: 0, baseSequence: 0, isTransactional: true }
    put(log, 'a=2', open)
    roll(log)
    put(log, 'a=3')
    roll(log)
    const range = log.cleanable(NOW_MS)
    expect(range.firstUncleanableOffset).toBeLessThanOrEqual(2)
    appendMarker(log, marker({ producerId: 9, isCommit: true }))
    log.updateHighWatermark(log.logEndOffset)
    await compact(log)
    expect(contents(log).filter((text) => text.includes(':a'))).toEqual(['4:a=3'])
    log.updateConfig({ ...log.config, minCompactionLagMs: 10_000 })
    put(log, 'a=4')
    roll(log)
    await flushed(log)
    expect(log.cleanable(NOW_MS).cleanableBytes).toBe(0)
    expect(log.cleanable(NOW_MS + 10_001).cleanableBytes).toBeGreaterThan(0)
  })

  it('drops the data of aborted transactions at once and their markers later', async () => {
    const log = openLog(new MemoryDisk(), { config: CONFIG })
    const txn = { producerId: 9, producerEpoch: 0, isTransactional: true }
    put(log, 'a=1')
    put(log, 'a=aborted', { ...txn, baseSequence: 0 })
    appendMarker(log, marker({ producerId: 9, isCommit: false }))
    put(log, 'b=kept', { ...txn, baseSequence: 1 })
    appendMarker(log, marker({ producerId: 9, isCommit: true }))
    roll(log)
    await compact(log)
    const data = (): readonly string[] => contents(log).filter((text) => /:[ab]=/.test(text))
    expect(data()).toEqual(['0:a=1', '3:b=kept'])
    const controls = (): readonly number[] =>
      batches(log).flatMap((each) => (each.isControl ? [each.baseOffset] : []))
    expect(controls()).toEqual([2, 4])
    for (const nowMs of [NOW_MS, NOW_MS + 2000, NOW_MS + 4000]) {
      put(log, 'c=1')
      roll(log)
      await compact(log, { nowMs })
    }
    expect(controls()).toEqual([4])
    expect(data()).toEqual(['0:a=1', '3:b=kept'])
  })

  it('goes on where the map of keys was full, and comes to the same end', async () => {
    const config = { ...CONFIG, segmentBytes: 200 }
    const fill = (): PartitionLog => {
      const log = openLog(new MemoryDisk(), { config })
      for (let index = 0; index < 60; index += 1)
        put(log, `k${index % 20}=${index} l${index % 7}=${index}`)
      roll(log)
      return log
    }
    const [small, large] = [fill(), fill()]
    await compact(large)
    let rounds = 0
    while (await compact(small, { mapBytes: 500 })) rounds += 1
    expect(rounds).toBeGreaterThan(2)
    expect(contents(small)).toEqual(contents(large))
  })

  it('reads at any offset and finds by timestamp across the gaps', async () => {
    const log = openLog(new MemoryDisk(), { config: CONFIG })
    for (let index = 0; index < 30; index += 1) {
      put(log, `${index % 10 === 0 ? `k${index}` : 'a'}=${index}`, { timestampMs: NOW_MS + index })
    }
    roll(log)
    await compact(log)
    const offsets = readAll(log).map(({ offset }) => offset)
    for (let offset = 0; offset <= 30; offset += 1) {
      const read = log.read({ offset, maxBytes: 1, minOneBatch: true, endOffset: 31 })
      const first = readRecords(read.records, 0).find((record) => record.offset >= offset)
      expect(first?.offset).toBe(offsets.find((other) => other >= offset))
    }
    expect(log.findOffsetByTimestamp(NOW_MS + 11, 31)).toMatchObject({ offset: 20 })
  })

  it('ends when the log is cut meanwhile, and leaves no file behind', async () => {
    const disk = new MemoryDisk()
    const log = openLog(disk, { config: CONFIG })
    for (let round = 0; round < 20; round += 1) put(log, `a=${round}`)
    roll(log)
    await flushed(log)
    const range = log.cleanable(NOW_MS)
    log.prepareCompaction(range)
    const run = log.compact(range, { nowMs: NOW_MS, mapBytes: 1000, stepBytes: 100 })
    for (let step = 0; step < 12; step += 1) run.step(() => undefined)
    log.truncateTo(10)
    expect(run.state).toBe('aborted')
    expect(disk.list(DIRECTORY).some((name) => /cleaned|swap/.test(name))).toBe(false)
    expect(log.compactedTo).toBe(10)
    put(log, 'b=1')
    expect(contents(log).at(-1)).toBe('10:b=1')
  })
})
