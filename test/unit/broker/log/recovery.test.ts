// Goal: whatever a stop leaves in the files, the log opens with every whole batch before the first
// bad one, or says that it cannot. Method: take the files of a good log, damage each place in turn,
// open.
import { describe, expect, it } from 'vitest'
import { CorruptionError } from '../../../../src/base/errors.ts'
import type { NodeEvent } from '../../../../src/ports/events.ts'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import type { LogConfig } from '../../../../broker/log/log-config.ts'
import type { PartitionLog } from '../../../../broker/log/partition-log.ts'
import {
  appendMarker,
  appendOk,
  batch,
  DIRECTORY,
  diskWith,
  filesOf,
  flushed,
  headersOf,
  marker,
  NOW_MS,
  openLog,
  readAll,
} from '../../../support/log-world.ts'

const CONFIG: Partial<LogConfig> = { segmentBytes: 1000, indexIntervalBytes: 150 }
const WHOLE = { maxBytes: 1_000_000, minOneBatch: true, endOffset: Infinity }
const FIRST = '00000000000000000000'

/** A log of several segments and epochs with idempotent, transactional and plain batches. */
function fill(log: PartitionLog, count = 30): void {
  for (let index = 0; index < count; index += 1) {
    const leaderEpoch = Math.floor(index / 7)
    const timestampMs = NOW_MS + ((index * 7) % 11)
    const base = { count: 1 + (index % 3), text: `${index}-`, timestampMs }
    if (index % 4 === 0) appendOk(log, batch(base), { leaderEpoch })
    else {
      const producerId = index % 4
      const known = log.producerEntries().find((entry) => entry.producerId === producerId)
      const producer = {
        producerId,
        producerEpoch: 0,
        baseSequence: (known?.lastSequence ?? -1) + 1,
        isTransactional: producerId === 3,
      }
      appendOk(log, batch({ ...base, ...producer }), { leaderEpoch })
      if (index % 8 === 7) appendMarker(log, marker({ producerId: 3, isCommit: index % 16 === 7 }))
    }
  }
}

function filledDisk(count = 30): { readonly disk: MemoryDisk; readonly log: PartitionLog } {
  const disk = new MemoryDisk()
  const log = openLog(disk, { config: CONFIG })
  fill(log, count)
  return { disk, log }
}

function segmentNames(files: ReadonlyMap<string, Buffer>): readonly string[] {
  return [...files.keys()].filter((name) => name.endsWith('.log')).sort()
}

/** Everything that a log derives from its batches. */
function derived(log: PartitionLog): unknown {
  return {
    end: log.logEndOffset,
    segments: log.segmentBaseOffsets,
    epochs: log.epochEntries,
    producers: new Map(log.producerEntries().map((entry) => [entry.producerId, entry])),
    aborted: log.abortedTransactions(0, log.logEndOffset),
    records: readAll(log),
  }
}

describe('after a kill', () => {
  it('everything that was written is there again, and all that follows from it', () => {
    const { disk, log } = filledDisk()
    const before = derived(log)
    expect(derived(openLog(disk, { config: CONFIG }))).toEqual(before)
  })

  it('a removed segment that a power cut has brought back does not follow the newer records before it', () => {
    const filesOfEpochs = (epochOf: (index: number) => number): Map<string, Buffer> => {
      const disk = new MemoryDisk()
      const log = openLog(disk, { config: CONFIG })
      for (let index = 0; log.segmentBaseOffsets.length < 3; index += 1) {
        appendOk(log, batch({ text: `${index}-` }), { leaderEpoch: epochOf(index) })
      }
      return filesOf(disk)
    }
    const older = filesOfEpochs(() => 1)
    const [first = '', second = ''] = segmentNames(older)
    const end = Number.parseInt(second, 10)
    const newer = filesOfEpochs((index) => (index >= end - 1 ? 2 : 1))
    const mixed = new Map(older).set(first, newer.get(first)!)
    const opened = openLog(diskWith(mixed), { config: CONFIG })
    expect(opened.logEndOffset).toBe(end)
    expect(opened.epochEntries).toEqual([
      { epoch: 1, startOffset: 0 },
      { epoch: 2, startOffset: end - 1 },
    ])
    expect(openLog(diskWith(older), { config: CONFIG }).logEndOffset).toBeGreaterThan(end)
  })

  it('the recovery of a recovery finds the same', () => {
    const { disk, log } = filledDisk()
    openLog(disk, { config: CONFIG })
    expect(derived(openLog(disk, { config: CONFIG }))).toEqual(derived(log))
  })

  it('a tail cut at any byte leaves all whole batches before it', () => {
    const { disk, log } = filledDisk(12)
    const files = filesOf(disk)
    const last = segmentNames(files).at(-1)!
    const bytes = files.get(last)!
    const headers = headersOf(bytes)
    expect(headers.length).toBeGreaterThan(2)
    const whole = readAll(log)
    for (let length = 0; length < bytes.length; length += 1) {
      const torn = new Map(files).set(last, bytes.subarray(0, length))
      const opened = openLog(diskWith(torn), { config: CONFIG })
      const kept = headers.filter((header) => header.position + header.sizeBytes <= length)
      const end = kept.at(-1) === undefined ? headers[0]!.baseOffset : kept.at(-1)!.lastOffset + 1
      expect(opened.logEndOffset).toBe(end)
      expect(readAll(opened)).toEqual(whole.filter((record) => record.offset < end))
      expect(appendOk(opened, batch(), { leaderEpoch: 9 })).toBe(end)
    }
  })

  it('a flipped bit anywhere cuts the log before its batch, or lies outside of the checksum', () => {
    const { disk } = filledDisk(6)
    const files = filesOf(disk)
    const name = segmentNames(files).at(-1)!
    const bytes = files.get(name)!
    const headers = headersOf(bytes)
    for (let bit = 0; bit < bytes.length * 8; bit += 3) {
      const damaged = Buffer.from(bytes)
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      const opened = openLog(diskWith(new Map(files).set(name, damaged)), { config: CONFIG })
      const hit = headers.findLast((header) => header.position <= bit >> 3)!
      const field = (bit >> 3) - hit.position
      // Base offset and epoch lie outside of the checksum.
      const isCovered = field >= 16 || (field >= 8 && field < 12)
      expect(opened.logEndOffset === hit.baseOffset || !isCovered).toBe(true)
      expect(() => readAll(opened)).not.toThrow()
      expect(opened.logEndOffset).toBeGreaterThanOrEqual(hit.baseOffset)
    }
  })

  it('zeros and garbage after the last batch are cut off', () => {
    const { disk, log } = filledDisk(10)
    const files = filesOf(disk)
    const name = segmentNames(files).at(-1)!
    for (const tail of [Buffer.alloc(5), Buffer.alloc(4096), Buffer.alloc(300, 0xff)]) {
      const seen: NodeEvent[] = []
      const damaged = diskWith(new Map(files).set(name, Buffer.concat([files.get(name)!, tail])))
      expect(derived(openLog(damaged, { config: CONFIG, seen }))).toEqual(derived(log))
      const cut = seen.find((event) => event.kind === 'log.tail-cut')
      expect(cut?.fields).toMatchObject({ cutBytes: tail.length, endOffset: log.logEndOffset })
    }
  })

  it('segments after a bad batch are dropped', () => {
    const { disk, log } = filledDisk()
    const files = filesOf(disk)
    const [, second] = segmentNames(files)
    const damaged = Buffer.from(files.get(second!)!)
    const third = headersOf(damaged)[2]!
    damaged[third.position + 70]! ^= 4
    const opened = openLog(diskWith(new Map(files).set(second!, damaged)), { config: CONFIG })
    expect(opened.logEndOffset).toBe(third.baseOffset)
    expect(opened.segmentBaseOffsets).toEqual(log.segmentBaseOffsets.slice(0, 2))
    expect(readAll(opened)).toEqual(
      readAll(log).filter((record) => record.offset < third.baseOffset),
    )
    expect(opened.latestEpoch).toBe(log.epochAt(third.baseOffset - 1))
  })

  // Compaction makes gaps only in what was synced, so a compacted topic (__consumer_offsets) is no exception.
  it.each(['delete', 'compact'])(
    'a lost end of an inner segment ends the log there: %s',
    (policy) => {
      const { disk } = filledDisk()
      const files = filesOf(disk)
      const [first] = segmentNames(files)
      const last = headersOf(files.get(first!)!).at(-1)!
      const short = files.get(first!)!.subarray(0, last.position)
      const config = { ...CONFIG, cleanupPolicy: [policy] }
      const opened = openLog(diskWith(new Map(files).set(first!, short)), { config })
      expect(opened.logEndOffset).toBe(last.baseOffset)
      expect(opened.segmentBaseOffsets).toEqual([0])
    },
  )

  it('a truncation that a power cut undid, wholly or in part, is made again', () => {
    const disk = new MemoryDisk()
    const log = openLog(disk, { config: CONFIG })
    for (let index = 0; index < 6; index += 1) appendOk(log, batch({ text: `old ${index} ` }))
    const old = filesOf(disk).get(`${FIRST}.log`)!
    log.truncateTo(3)
    for (let index = 3; index < 20; index += 1) {
      appendOk(log, batch({ text: `new ${index} ` }), { leaderEpoch: 1 })
    }
    const before = derived(log)
    expect(log.segmentBaseOffsets.length).toBeGreaterThan(2)
    const kept = filesOf(disk).get(`${FIRST}.log`)!.length
    for (let length = kept; length <= old.length; length += 1) {
      const files = new Map(filesOf(disk)).set(`${FIRST}.log`, old.subarray(0, length))
      expect(derived(openLog(diskWith(files), { config: CONFIG }))).toEqual(before)
    }
  })

  it('a batch that goes back in offsets or epochs is bad', () => {
    const { disk } = filledDisk(3)
    const files = filesOf(disk)
    const name = `${FIRST}.log`
    const again = Buffer.concat([files.get(name)!, files.get(name)!])
    const opened = openLog(diskWith(new Map(files).set(name, again)), { config: CONFIG })
    expect(opened.sizeBytes).toBe(again.length / 2)
  })

  it('left-over files and indexes without a log are removed', () => {
    const { disk } = filledDisk(3)
    for (const name of [
      '00000000000000000500.index',
      '00000000000000000500.timeindex',
      '00000000000000000500.txnindex',
      `${FIRST}.log.deleted`,
      `${FIRST}.log.cleaned`,
      'leader-epoch-checkpoint.tmp',
    ]) {
      disk.open(`${DIRECTORY}/${name}`).close()
    }
    openLog(disk, { config: CONFIG })
    expect(disk.list(DIRECTORY)).toEqual([
      `${FIRST}.log`,
      'leader-epoch-checkpoint',
      'partition.metadata',
    ])
  })
})

describe('below the recovery point', () => {
  it('a torn or damaged batch is an error, not a cut', async () => {
    const { disk, log } = filledDisk()
    await flushed(log)
    const files = filesOf(disk)
    const { recoveryPoint } = log
    expect(recoveryPoint).toBe(log.logEndOffset)
    const name = segmentNames(files).at(-1)!
    const bytes = files.get(name)!
    const torn = new Map(files).set(name, bytes.subarray(0, -1))
    expect(() => openLog(diskWith(torn), { config: CONFIG, recoveryPoint })).toThrow(
      CorruptionError,
    )
    expect(() =>
      openLog(diskWith(torn), { config: CONFIG, recoveryPoint, isCleanShutdown: true }),
    ).toThrow(/below the recovery point/)
    const headers = headersOf(bytes)
    const early = headers.at(-2)!.baseOffset
    expect(openLog(diskWith(torn), { config: CONFIG, recoveryPoint: early }).logEndOffset).toBe(
      headers.at(-1)!.baseOffset,
    )
  })

  it('a damaged batch that was found once is found again at the next start', async () => {
    const { disk, log } = filledDisk()
    await flushed(log)
    const { recoveryPoint } = log
    const files = filesOf(disk)
    const inner = segmentNames(files)[1]!
    const bytes = Buffer.from(files.get(inner)!)
    // The last byte of a batch that is not the last: only its CRC tells.
    const { position, sizeBytes } = headersOf(bytes).at(-2)!
    bytes[position + sizeBytes - 1]! ^= 1
    const torn = Buffer.alloc(13)
    const damaged = diskWith(
      new Map(files).set(inner, bytes).set(inner.replace('.log', '.timeindex'), torn),
    )
    for (let start = 1; start <= 3; start += 1) {
      expect(() =>
        openLog(damaged, { config: CONFIG, recoveryPoint, isCleanShutdown: true }),
      ).toThrow(/wrong CRC .* below the recovery point/)
    }
  })

  it('an inner segment that lost its end is an error', async () => {
    const { disk, log } = filledDisk()
    await flushed(log)
    const files = filesOf(disk)
    const names = segmentNames(files)
    const inner = names.at(-2)!
    const last = headersOf(files.get(inner)!).at(-1)!
    const short = diskWith(new Map(files).set(inner, files.get(inner)!.subarray(0, last.position)))
    expect(() => openLog(short, { config: CONFIG, recoveryPoint: last.lastOffset })).toThrow(
      CorruptionError,
    )
  })

  it.each([false, true])(
    'an inner segment that was lost as a whole is an error; clean stop: %s',
    async (isCleanShutdown) => {
      const { disk, log } = filledDisk()
      await flushed(log)
      const { recoveryPoint } = log
      const inner = segmentNames(filesOf(disk))[1]!
      const emptied = diskWith(new Map(filesOf(disk)).set(inner, Buffer.alloc(0)))
      const gone = new Map(filesOf(disk))
      gone.delete(inner)
      for (const damaged of [emptied, diskWith(gone)]) {
        expect(() => openLog(damaged, { config: CONFIG, recoveryPoint, isCleanShutdown })).toThrow(
          /the next segment begins at/,
        )
      }
    },
  )

  it('gaps that compaction left are none of its business', async () => {
    const { disk, log } = filledDisk()
    await flushed(log)
    const { recoveryPoint, logEndOffset } = log
    const files = filesOf(disk)
    files.delete(segmentNames(files)[1]!)
    const config = { ...CONFIG, cleanupPolicy: ['compact'] }
    const opened = openLog(diskWith(files), { config, recoveryPoint })
    expect(opened.logEndOffset).toBe(logEndOffset)
  })

  it('a log that ends earlier at a whole batch is told of: a truncation may have been the last deed', () => {
    const { disk, log } = filledDisk(10)
    const seen: NodeEvent[] = []
    const opened = openLog(disk, { config: CONFIG, recoveryPoint: 1000, seen })
    expect(opened.logEndOffset).toBe(log.logEndOffset)
    expect(opened.recoveryPoint).toBe(log.logEndOffset)
    expect(seen.map((event) => event.kind)).toContain('log.behind-recovery-point')
  })

  it('segments are not read again', async () => {
    const { disk, log } = filledDisk()
    await flushed(log)
    const files = filesOf(disk)
    const [first] = segmentNames(files)
    const damaged = Buffer.from(files.get(first!)!)
    damaged[70]! ^= 1
    const { recoveryPoint } = log
    const opened = openLog(diskWith(new Map(files).set(first!, damaged)), {
      config: CONFIG,
      recoveryPoint,
    })
    expect(opened.logEndOffset).toBe(log.logEndOffset)
  })
})

describe('indexes', () => {
  async function closed(): Promise<{
    readonly files: Map<string, Buffer>
    readonly before: unknown
    readonly end: number
  }> {
    const { disk, log } = filledDisk()
    await flushed(log)
    const before = derived(log)
    log.close()
    return { files: filesOf(disk), before, end: log.logEndOffset }
  }

  function isIndex(name: string): boolean {
    return /\.(index|timeindex|txnindex)$/.test(name)
  }

  it('that are missing are made again as they were', async () => {
    const { files, before, end } = await closed()
    for (const isCleanShutdown of [true, false]) {
      const disk = diskWith(new Map([...files].filter(([name]) => !isIndex(name))))
      const log = openLog(disk, {
        config: CONFIG,
        recoveryPoint: isCleanShutdown ? end : 0,
        isCleanShutdown,
      })
      expect(derived(log)).toEqual(before)
      log.close()
      const indexes = (all: ReadonlyMap<string, Buffer>): unknown =>
        [...all].filter(([name]) => isIndex(name))
      expect(indexes(filesOf(disk))).toEqual(indexes(files))
    }
  })

  it('that have any bit flipped never change what is read', async () => {
    const { files, before, end } = await closed()
    const options = { config: CONFIG, recoveryPoint: end, isCleanShutdown: true }
    const lookups = (log: PartitionLog): unknown =>
      Array.from({ length: 16 }, (_, index) => log.findOffsetByTimestamp(NOW_MS + index - 2, end))
    const expected = lookups(openLog(diskWith(files), options))
    for (const [name, bytes] of files) {
      if (!/\.(index|timeindex)$/.test(name)) continue
      for (let bit = 0; bit < bytes.length * 8; bit += 5) {
        const damaged = Buffer.from(bytes)
        damaged[bit >> 3]! ^= 1 << (bit & 7)
        const log = openLog(diskWith(new Map(files).set(name, damaged)), options)
        for (let offset = 0; offset < end; offset += 3) {
          const { firstOffset, error } = log.read({ offset, ...WHOLE })
          expect(error).toBe(0)
          expect(firstOffset).toBeLessThanOrEqual(offset)
          expect(firstOffset).toBeGreaterThan(offset - 3)
        }
        expect(derived(log)).toEqual(before)
        expect(lookups(log)).toEqual(expected)
      }
    }
  }, 60_000)

  it('that are cut short, or hold garbage, are made again', async () => {
    const { files, before, end } = await closed()
    for (const [name, bytes] of files) {
      if (!isIndex(name)) continue
      for (const wrong of [bytes.subarray(0, -1), Buffer.alloc(7), Buffer.alloc(34, 0xff)]) {
        const log = openLog(diskWith(new Map(files).set(name, wrong)), {
          config: CONFIG,
          recoveryPoint: end,
          isCleanShutdown: true,
        })
        expect(derived(log)).toEqual(before)
      }
    }
  })

  it('with the zero tail of a preallocated file are taken as they are', async () => {
    const { files, before, end } = await closed()
    const padded = new Map(
      [...files].map(([name, bytes]) =>
        /\.(index|timeindex)$/.test(name)
          ? [name, Buffer.concat([bytes, Buffer.alloc(240)])]
          : [name, bytes],
      ),
    )
    const seen: NodeEvent[] = []
    const disk = diskWith(padded)
    const log = openLog(disk, {
      config: CONFIG,
      recoveryPoint: end,
      isCleanShutdown: true,
      seen,
    })
    expect(derived(log)).toEqual(before)
    expect(seen).toEqual([])
    log.close()
    expect(filesOf(disk)).toEqual(files)
  })
})

describe('what is beside the segments', () => {
  it('the epochs are made again from the batches when their file is missing or torn', async () => {
    const { disk, log } = filledDisk()
    await flushed(log)
    const files = filesOf(disk)
    const { recoveryPoint } = log
    for (const isCleanShutdown of [true, false]) {
      for (const text of [null, '', '0\n2\n0 0\n1 ', '7\n']) {
        const damaged = new Map(files)
        if (text === null) damaged.delete('leader-epoch-checkpoint')
        else damaged.set('leader-epoch-checkpoint', Buffer.from(text))
        const opened = openLog(diskWith(damaged), {
          config: CONFIG,
          recoveryPoint,
          isCleanShutdown,
        })
        expect(opened.epochEntries).toEqual(log.epochEntries)
      }
    }
  })

  it('epochs that were cut for a log start which was not raised are made again', async () => {
    const { disk, log } = filledDisk()
    await flushed(log)
    const before = log.epochEntries
    const cut = before.slice(1).map(({ epoch, startOffset }) => `${epoch} ${startOffset + 1}`)
    const files = new Map(filesOf(disk))
    files.set('leader-epoch-checkpoint', Buffer.from(`0\n${cut.length}\n${cut.join('\n')}\n`))
    const opened = openLog(diskWith(files), {
      config: CONFIG,
      recoveryPoint: log.recoveryPoint,
      isCleanShutdown: false,
    })
    expect(opened.logStartOffset).toBe(0)
    expect(opened.epochEntries).toEqual(before)
  })

  it('the epochs above the recovery point come from the batches, whatever the file says', () => {
    const { disk, log } = filledDisk()
    const files = filesOf(disk)
    const stale = new Map(files).set('leader-epoch-checkpoint', Buffer.from('0\n2\n0 0\n9 500\n'))
    expect(openLog(diskWith(stale), { config: CONFIG }).epochEntries).toEqual(log.epochEntries)
  })

  it('producer snapshots that are missing or damaged cost a longer replay, nothing else', async () => {
    const { disk, log } = filledDisk()
    await flushed(log)
    const before = derived(log)
    const { recoveryPoint } = log
    log.close()
    const files = filesOf(disk)
    const snapshots = [...files.keys()].filter((name) => name.endsWith('.snapshot'))
    expect(snapshots.length).toBeGreaterThan(2)
    for (const damage of ['remove', 'flip', 'tear'] as const) {
      const damaged = new Map(files)
      for (const name of snapshots) {
        const bytes = Buffer.from(files.get(name)!)
        if (damage === 'remove') damaged.delete(name)
        else if (damage === 'tear') damaged.set(name, bytes.subarray(0, 20))
        else {
          bytes[12]! ^= 1
          damaged.set(name, bytes)
        }
      }
      const options = { config: CONFIG, recoveryPoint, isCleanShutdown: true }
      expect(derived(openLog(diskWith(damaged), options))).toEqual(before)
    }
  })

  it('a torn partition.metadata is written again', () => {
    const { disk } = filledDisk(2)
    const files = filesOf(disk)
    const whole = files.get('partition.metadata')!
    for (let length = 0; length < whole.length; length += 1) {
      const torn = diskWith(new Map(files).set('partition.metadata', whole.subarray(0, length)))
      openLog(torn, { config: CONFIG })
      expect(filesOf(torn).get('partition.metadata')).toEqual(whole)
    }
  })

  it('files below the log start alone make an empty log at the start', () => {
    const { disk, log } = filledDisk(5)
    const opened = openLog(disk, { config: CONFIG, logStartOffset: 500 })
    expect([opened.logStartOffset, opened.logEndOffset]).toEqual([500, 500])
    expect(opened.segmentBaseOffsets).toEqual([500])
    expect(opened.latestEpoch).toBe(log.latestEpoch)
    expect(openLog(disk, { config: CONFIG }).segmentBaseOffsets).toEqual([500])
  })
})
