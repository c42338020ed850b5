import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import type { LogConfig } from '../../../../broker/log/log-config.ts'
import type { AppendResult, PartitionLog } from '../../../../broker/log/partition-log.ts'
import {
  append,
  appendMarker,
  appendOk,
  batch,
  flushed,
  headersOf,
  marker,
  NOW_MS,
  openLog,
} from '../../../support/log-world.ts'

const PRODUCER = 7
const SEQUENCE_MAX = 0x7fff_ffff
const WHOLE = { maxBytes: 1_000_000, minOneBatch: true, endOffset: Infinity }

function fresh(config: Partial<LogConfig> = {}): PartitionLog {
  return openLog(new MemoryDisk(), { config })
}

/** Sends `count` records of the producer from `baseSequence` on. */
function send(
  log: PartitionLog,
  baseSequence: number,
  count = 1,
  producerEpoch = 0,
  isTransactional = false,
): AppendResult {
  const producer = { producerId: PRODUCER, producerEpoch, baseSequence, isTransactional }
  return append(log, batch({ count, ...producer }))
}

describe('sequences', () => {
  it('must follow one another within an epoch', () => {
    const log = fresh()
    expect(send(log, 0, 3).baseOffset).toBe(0)
    expect(send(log, 3, 2).baseOffset).toBe(3)
    for (const wrong of [4, 6, 100, SEQUENCE_MAX]) {
      const result = send(log, wrong)
      expect(result.error).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
      expect(log.logEndOffset).toBe(5)
    }
    expect(send(log, 5).baseOffset).toBe(5)
  })

  it('may begin anywhere for a producer that is not known', () => {
    expect(send(fresh(), 41).error).toBe(ErrorCode.NONE)
  })

  it('begin at 0 in a new epoch', () => {
    const log = fresh()
    send(log, 0)
    expect(send(log, 1, 1, 1).error).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(send(log, 0, 1, 1).error).toBe(ErrorCode.NONE)
    expect(send(log, 1, 1, 1).error).toBe(ErrorCode.NONE)
  })

  it('of an older epoch are refused', () => {
    const log = fresh()
    send(log, 0, 1, 5)
    expect(send(log, 1, 1, 4).error).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    expect(send(log, 0, 1, 4).error).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    expect(log.logEndOffset).toBe(1)
  })

  it('wrap from 2147483647 to 0, also within a batch', () => {
    const log = fresh()
    send(log, SEQUENCE_MAX - 1, 2)
    expect(send(log, 0, 1).baseOffset).toBe(2)
    const other = fresh()
    send(other, SEQUENCE_MAX - 1, 4)
    expect(send(other, 3).error).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(send(other, 2).baseOffset).toBe(4)
    expect(send(other, SEQUENCE_MAX - 1, 4)).toMatchObject({ isDuplicate: true, baseOffset: 0 })
  })

  it('of different producers have nothing to do with each other', () => {
    const log = fresh()
    send(log, 0)
    append(log, batch({ producerId: 8, producerEpoch: 3, baseSequence: 0 }))
    expect(send(log, 1).error).toBe(ErrorCode.NONE)
    expect(log.producerEntries().map((entry) => [entry.producerId, entry.lastSequence])).toEqual([
      [PRODUCER, 1],
      [8, 0],
    ])
  })
})

describe('a retry', () => {
  it('of any of the last five batches is answered with the first offsets and appends nothing', () => {
    const log = fresh()
    for (let sequence = 0; sequence < 12; sequence += 2) send(log, sequence, 2)
    const size = log.sizeBytes
    for (let sequence = 2; sequence < 12; sequence += 2) {
      expect(send(log, sequence, 2)).toMatchObject({
        error: ErrorCode.NONE,
        baseOffset: sequence,
        lastOffset: sequence + 1,
        logAppendTimeMs: NOW_MS,
        isDuplicate: true,
      })
    }
    expect(send(log, 0, 2).error).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect([log.sizeBytes, log.logEndOffset]).toEqual([size, 12])
  })

  it('must have the same sequences and the same epoch', () => {
    const log = fresh()
    send(log, 0, 4)
    expect(send(log, 0, 3).error).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(send(log, 1, 3).error).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(send(log, 0, 4, 1)).toMatchObject({ baseOffset: 4, isDuplicate: false })
    expect(send(log, 0, 4, 0).error).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
  })

  it('is recognised by a follower that becomes leader', () => {
    const leader = fresh()
    for (let sequence = 0; sequence < 5; sequence += 1) send(leader, sequence)
    const follower = fresh()
    follower.appendAsFollower(leader.read({ offset: 0, ...WHOLE }).records, NOW_MS)
    expect(follower.cachedBatches(PRODUCER)).toEqual(leader.cachedBatches(PRODUCER))
    expect(send(follower, 0)).toMatchObject({ isDuplicate: true, baseOffset: 0 })
  })

  it('of a batch that was cut off is appended anew', () => {
    const log = fresh()
    for (let sequence = 0; sequence < 4; sequence += 1) send(log, sequence)
    log.truncateTo(2)
    expect(send(log, 3).error).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(send(log, 2)).toMatchObject({ baseOffset: 2, isDuplicate: false })
    expect(send(log, 1)).toMatchObject({ baseOffset: 1, isDuplicate: true })
  })
})

describe('a silent producer', () => {
  it('is forgotten after producer.id.expiration.ms, but not in a transaction', () => {
    const log = fresh({ producerIdExpirationMs: 1000 })
    send(log, 0)
    append(log, batch({ producerId: 8, producerEpoch: 0, baseSequence: 0, isTransactional: true }))
    log.deleteOldSegments(NOW_MS + 999)
    expect(log.producerEntries().length).toBe(2)
    log.deleteOldSegments(NOW_MS + 1000)
    expect(log.producerEntries().map((entry) => entry.producerId)).toEqual([8])
    expect(send(log, 50).error).toBe(ErrorCode.NONE)
  })

  it('is left out at the next start', async () => {
    const disk = new MemoryDisk()
    const log = openLog(disk)
    send(log, 0)
    await flushed(log)
    log.close()
    const options = { recoveryPoint: 1, isCleanShutdown: true }
    expect(openLog(disk, options).producerEntries().length).toBe(1)
    const late = openLog(disk, { ...options, nowMs: NOW_MS + 86_400_000 })
    expect(late.producerEntries()).toEqual([])
  })
})

describe('markers', () => {
  it('are fenced by producer epoch and coordinator epoch', () => {
    const log = fresh()
    send(log, 0, 1, 3, true)
    const end = (producerEpoch: number, coordinatorEpoch: number): ErrorCode =>
      appendMarker(
        log,
        marker({ producerId: PRODUCER, producerEpoch, isCommit: true, coordinatorEpoch }),
      ).error
    expect(end(2, 9)).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    expect(end(3, 9)).toBe(ErrorCode.NONE)
    expect(end(3, 8)).toBe(ErrorCode.TRANSACTION_COORDINATOR_FENCED)
    expect(end(4, 9)).toBe(ErrorCode.NONE)
    expect(log.logEndOffset).toBe(3)
    expect(send(log, 1, 1, 4).error).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(send(log, 0, 1, 4).error).toBe(ErrorCode.NONE)
  })

  it('leave the sequence where it was', () => {
    const log = fresh()
    send(log, 0, 2, 0, true)
    appendMarker(log, marker({ producerId: PRODUCER, isCommit: false }))
    expect(send(log, 2, 1, 0, true).baseOffset).toBe(3)
  })

  it('a plain batch inside of a transaction is refused', () => {
    const log = fresh()
    send(log, 0, 1, 0, true)
    expect(send(log, 1).error).toBe(ErrorCode.INVALID_TXN_STATE)
    appendMarker(log, marker({ producerId: PRODUCER, isCommit: true }))
    expect(send(log, 1).error).toBe(ErrorCode.NONE)
  })
})

/** One step of the workload: which producer does what. */
const step = fc.record({
  producerId: fc.integer({ min: 1, max: 4 }),
  deed: fc.constantFrom('send', 'send', 'send', 'plain', 'bump', 'commit', 'abort'),
  count: fc.integer({ min: 1, max: 4 }),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Does the steps; odd producers are transactional. */
function work(log: PartitionLog, steps: readonly Step[]): void {
  for (const { producerId, deed, count } of steps) {
    const known = log.producerEntries().find((entry) => entry.producerId === producerId)
    const producerEpoch = Math.max(0, known?.producerEpoch ?? 0)
    const isTransactional = producerId % 2 === 1
    const base = { count, producerId, isTransactional }
    if (deed === 'plain') appendOk(log, batch({ count }))
    else if (deed === 'send') {
      const baseSequence = (known?.lastSequence ?? -1) + 1
      appendOk(log, batch({ ...base, producerEpoch, baseSequence }))
    } else if (deed === 'bump') {
      appendOk(log, batch({ ...base, producerEpoch: producerEpoch + 1, baseSequence: 0 }))
    } else if (isTransactional) {
      appendMarker(log, marker({ producerId, producerEpoch, isCommit: deed === 'commit' }))
    }
  }
}

function byProducer(log: PartitionLog): unknown {
  return new Map(
    log
      .producerEntries()
      .toSorted((a, b) => a.producerId - b.producerId)
      .map((entry) => [entry.producerId, entry]),
  )
}

describe('producer state equals the replay of the log', () => {
  const config = { segmentBytes: 700, indexIntervalBytes: 100 }
  const steps = fc.array(step, { minLength: 1, maxLength: 40 })

  it('after a kill, after a clean stop, and on a follower', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (deeds) => {
        const disk = new MemoryDisk()
        const log = openLog(disk, { config })
        work(log, deeds)
        const expected = byProducer(log)
        const aborted = log.abortedTransactions(0, Infinity)
        log.updateHighWatermark(Infinity)
        const stable = log.lastStableOffset
        const same = (other: PartitionLog): void => {
          other.updateHighWatermark(Infinity)
          expect(byProducer(other)).toEqual(expected)
          expect(other.abortedTransactions(0, Infinity)).toEqual(aborted)
          expect(other.lastStableOffset).toBe(stable)
        }
        same(openLog(disk, { config }))
        await flushed(log)
        const { recoveryPoint } = log
        log.close()
        same(openLog(disk, { config, recoveryPoint, isCleanShutdown: true }))
        const follower = fresh(config)
        for (let offset = 0; offset < log.logEndOffset; offset = follower.logEndOffset) {
          const { records } = reread(disk, offset)
          follower.appendAsFollower(records, NOW_MS)
        }
        same(follower)
      }),
      { numRuns: 60 },
    )
  })

  it('after a truncation to any border of batches', () => {
    fc.assert(
      fc.property(steps, fc.nat(), (deeds, choice) => {
        const log = fresh(config)
        work(log, deeds)
        const borders: number[] = []
        const source: Buffer[] = []
        for (let offset = 0; offset < log.logEndOffset;) {
          const { records } = log.read({ offset, ...WHOLE })
          source.push(Buffer.from(records))
          for (const header of headersOf(records)) {
            borders.push(header.baseOffset)
            offset = header.lastOffset + 1
          }
        }
        fc.pre(borders.length > 0)
        const target = borders[choice % borders.length]!
        log.truncateTo(target)
        const replayed = fresh(config)
        for (const records of source) {
          const kept = headersOf(records).filter((header) => header.baseOffset < target)
          const end = kept.reduce((sum, header) => sum + header.sizeBytes, 0)
          replayed.appendAsFollower(records.subarray(0, end), NOW_MS)
        }
        expect(byProducer(log)).toEqual(byProducer(replayed))
        expect(log.abortedTransactions(0, Infinity)).toEqual(
          replayed.abortedTransactions(0, Infinity),
        )
        log.updateHighWatermark(Infinity)
        replayed.updateHighWatermark(Infinity)
        expect(log.lastStableOffset).toBe(replayed.lastStableOffset)
      }),
      { numRuns: 150 },
    )
  })
})

function reread(disk: MemoryDisk, offset: number): { readonly records: Buffer } {
  return openLog(disk, { isCleanShutdown: true }).read({ offset, ...WHOLE })
}
