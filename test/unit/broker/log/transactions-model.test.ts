// Goal: whatever transactional producers do, and whenever the log is opened again, a reader of committed records sees
// exactly those in order, and the last stable offset is that of the definition and never goes back. Method: random
// interleavings on the log and on an array; the reader is our own consumer's.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { FetchedData } from '../../../../src/client/fetched-data.ts'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { offsetAfter } from '../../../../broker/replica/batches.ts'
import type { PartitionLog } from '../../../../broker/log/partition-log.ts'
import { liveStateOf, rebuiltStateOf } from '../../../../broker/log/log-state.ts'
import { batch, marker, NOW_MS, openLog } from '../../../support/log-world.ts'

const CONFIG = {
  segmentBytes: 700,
  indexIntervalBytes: 100,
  cleanupPolicy: [],
  transactionVerificationEnabled: true,
}
const PRODUCERS = 4

interface Transaction {
  readonly firstOffset: number
  markerOffset: number
  outcome: 'open' | 'committed' | 'aborted'
}

interface Written {
  readonly offset: number
  readonly value: string
  /** Null: written outside of any. */
  readonly transaction: Transaction | null
}

class Producer {
  epoch = 0
  sequence = 0
  transaction: Transaction | null = null
}

const producerIndex = fc.nat(PRODUCERS - 1)
const command = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      who: producerIndex,
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      who: producerIndex,
      isCommit: fc.boolean(),
      isProtocol2: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('plain' as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('replicate' as const), back: fc.nat(6) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('kill' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stop' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('retry' as const), who: producerIndex }) },
)
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never

class Pair {
  readonly #disk = new MemoryDisk()
  #log: PartitionLog = openLog(this.#disk, { config: CONFIG })
  readonly #producers = Array.from({ length: PRODUCERS }, () => new Producer())
  readonly #written: Written[] = []
  readonly #transactions: Transaction[] = []
  #highWatermark = 0
  #stable = 0
  #last = new Map<Producer, Buffer>()

  run(next: Command): void {
    if (next.do === 'write') this.#write(next.who, next.count)
    else if (next.do === 'end') this.#end(next.who, next.isCommit, next.isProtocol2)
    else if (next.do === 'plain') this.#plain()
    else if (next.do === 'retry') this.#retry(next.who)
    else if (next.do === 'replicate') {
      const offset = this.#log.logEndOffset - next.back
      this.#highWatermark = Math.max(this.#highWatermark, offset)
      this.#log.updateHighWatermark(this.#highWatermark)
    } else this.#reopen(next.do === 'stop')
  }

  check(maxBytes: number, start: number): void {
    const log = this.#log
    const unstable = this.#transactions.filter(
      ({ outcome, markerOffset }) => outcome === 'open' || markerOffset >= this.#highWatermark,
    )
    const first = Math.min(...unstable.map(({ firstOffset }) => firstOffset), Infinity)
    const expected = Math.min(this.#highWatermark, first)
    expect(log.lastStableOffset).toBe(expected)
    expect(expected).toBeGreaterThanOrEqual(this.#stable)
    this.#stable = expected
    const from = start % (log.logEndOffset + 1)
    const visible = this.#written.filter(
      ({ offset, transaction }) =>
        offset >= from &&
        offset < expected &&
        (transaction === null || transaction.outcome === 'committed'),
    )
    expect(this.#readCommitted(from, maxBytes)).toEqual(
      visible.map(({ offset, value }) => `${offset} ${value}`),
    )
    expect(liveStateOf(log)).toBe(rebuiltStateOf(log))
  }

  #readCommitted(from: number, maxBytes: number): string[] {
    const found: string[] = []
    const endOffset = this.#log.lastStableOffset
    for (let offset = from; offset < endOffset;) {
      const { records } = this.#log.read({ offset, maxBytes, minOneBatch: true, endOffset })
      expect(records.length).toBeGreaterThan(0)
      const data = new FetchedData({
        topic: 't',
        partition: 0,
        records,
        fetchOffset: offset,
        abortedTransactions: this.#log.abortedTransactions(offset, offsetAfter(records)),
        checksCrcs: true,
      })
      for (const record of data.take(Infinity))
        found.push(`${record.offset} ${String(record.value)}`)
      offset = data.nextOffset
    }
    return found
  }

  #write(who: number, count: number): void {
    const producer = this.#producers[who]!
    const { epoch, sequence } = producer
    const id = { producerId: who, producerEpoch: epoch }
    const text = `${who}.${epoch}.${sequence}.`
    const records = batch({
      ...id,
      count,
      text,
      valueBytes: 1,
      baseSequence: sequence,
      isTransactional: true,
    })
    this.#last.set(producer, Buffer.from(records))
    const guard = this.#log.beginVerification({ ...id, sequence, supportsEpochBump: true }, NOW_MS)
    expect(guard === null).toBe(producer.transaction !== null)
    const result = this.#log.appendAsLeader(records, {
      leaderEpoch: 0,
      nowMs: NOW_MS,
      origin: 'client',
      guard,
    })
    expect([result.error, result.message]).toEqual([ErrorCode.NONE, null])
    producer.sequence += count
    if (producer.transaction === null) {
      producer.transaction = {
        firstOffset: result.baseOffset,
        markerOffset: Infinity,
        outcome: 'open',
      }
      this.#transactions.push(producer.transaction)
    }
    for (let index = 0; index < count; index += 1) {
      const offset = result.baseOffset + index
      this.#written.push({ offset, value: text + index, transaction: producer.transaction })
    }
  }

  /** The answer to the last batch was lost: the same bytes come again, and nothing is written twice. */
  #retry(who: number): void {
    const producer = this.#producers[who]!
    const records = this.#last.get(producer)
    if (records === undefined || producer.transaction === null) return
    const end = this.#log.logEndOffset
    const result = this.#log.appendAsLeader(Buffer.from(records), {
      leaderEpoch: 0,
      nowMs: NOW_MS,
      origin: 'client',
    })
    expect([result.error, result.isDuplicate]).toEqual([ErrorCode.NONE, true])
    expect(this.#log.logEndOffset).toBe(end)
  }

  #end(who: number, isCommit: boolean, isProtocol2: boolean): void {
    const producer = this.#producers[who]!
    const { transaction } = producer
    if (transaction === null) return
    if (isProtocol2) {
      producer.epoch += 1
      producer.sequence = 0
    }
    const records = marker({ producerId: who, producerEpoch: producer.epoch, isCommit })
    const options = { leaderEpoch: 0, nowMs: NOW_MS, transactionVersion: isProtocol2 ? 2 : 1 }
    const result = this.#log.appendAsLeader(records, { ...options, origin: 'coordinator' })
    expect(result.error).toBe(ErrorCode.NONE)
    transaction.markerOffset = result.baseOffset
    transaction.outcome = isCommit ? 'committed' : 'aborted'
    producer.transaction = null
    this.#last.delete(producer)
  }

  #plain(): void {
    const options = { leaderEpoch: 0, nowMs: NOW_MS, origin: 'client' } as const
    const { baseOffset } = this.#log.appendAsLeader(batch({ text: 'p', valueBytes: 1 }), options)
    this.#written.push({ offset: baseOffset, value: 'p0', transaction: null })
  }

  /** The high watermark is known from its checkpoint. */
  #reopen(isClean: boolean): void {
    if (isClean) this.#log.close()
    this.#log = openLog(this.#disk, { config: CONFIG, isCleanShutdown: isClean })
    this.#log.updateHighWatermark(this.#highWatermark)
  }
}

it('shows committed records only, all of them and in order, through every reload', () => {
  const property = fc.property(
    fc.array(command, { maxLength: 60 }),
    fc.integer({ min: 1, max: 600 }),
    fc.nat(),
    (commands, maxBytes, start) => {
      const pair = new Pair()
      for (const each of commands) {
        pair.run(each)
        pair.check(maxBytes, start)
      }
      for (let who = 0; who < PRODUCERS; who += 1) {
        const isCommit = (start + who) % 3 === 0
        pair.run({ do: 'end', who, isCommit, isProtocol2: who % 2 === 0 })
      }
      pair.run({ do: 'replicate', back: 0 })
      for (const bytes of [1, maxBytes, 1_000_000]) pair.check(bytes, 0)
    },
  )
  fc.assert(property, { numRuns: 150, seed: 98 })
})
