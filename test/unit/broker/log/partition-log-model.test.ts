// Goal: the log behaves as an array of batches does. Method: random commands on the log and on the
// array; after each, everything that can be asked is compared.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import { SimRandom } from '../../../../src/sim/sim-random.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import type { Disk } from '../../../../src/ports/disk.ts'
import { liveStateOf, rebuiltStateOf } from '../../../../broker/log/log-state.ts'
import type { PartitionLog } from '../../../../broker/log/partition-log.ts'
import { append, batch, headersOf, NOW_MS, openLog, readAll } from '../../../support/log-world.ts'

const CONFIG = { segmentBytes: 600, indexIntervalBytes: 130, cleanupPolicy: [] }

interface ModelBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly epoch: number
  readonly values: readonly string[]
}

class Model {
  batches: ModelBatch[] = []
  start = 0
  end = 0
  highWatermark = 0
  epoch = 0

  append(values: readonly string[]): void {
    const baseOffset = this.end
    this.end += values.length
    this.batches.push({ baseOffset, lastOffset: this.end - 1, epoch: this.epoch, values })
  }

  truncate(offset: number): void {
    if (offset >= this.end) return
    const cut = this.batches.find((item) => item.lastOffset >= offset)
    this.end = Math.min(offset, cut?.baseOffset ?? offset)
    this.batches = this.batches.filter((item) => item.lastOffset < offset)
    this.start = Math.min(this.start, this.end)
    this.highWatermark = Math.max(this.start, Math.min(this.highWatermark, this.end))
  }

  restart(offset: number): void {
    Object.assign(this, { batches: [], start: offset, end: offset, highWatermark: offset })
  }

  /**
   * By the definition: the largest epoch at most `epoch` that wrote something, and where the next
   * began.
   */
  endOffsetFor(epoch: number): readonly [number, number] {
    const known = [...new Set(this.batches.map((item) => item.epoch))]
    const latest = known.at(-1)
    if (latest === undefined || epoch > latest || epoch < 0) return [-1, -1]
    if (epoch === latest) return [epoch, this.end]
    const higher = this.batches.find((item) => item.epoch > epoch)!
    const floor = known.findLast((other) => other <= epoch)
    return [floor ?? epoch, Math.max(higher.baseOffset, this.start)]
  }
}

const command = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      count: fc.integer({ min: 1, max: 5 }),
      bytes: fc.integer({ min: 1, max: 70 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('corrupt' as const), bit: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('epoch' as const), by: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('truncate' as const), back: fc.nat(25) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), at: fc.nat(500) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('commit' as const), back: fc.nat(10) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('raise' as const), by: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clean' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('kill' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stop' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      at: fc.nat(),
      maxBytes: fc.nat(500),
      seen: fc.nat(30),
    }),
  },
)
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never

/** A log and its model, with a method for each command. */
class Pair {
  readonly model = new Model()
  readonly #disk: Disk
  #log: PartitionLog
  #appended = 0

  constructor(disk: Disk) {
    this.#disk = disk
    this.#log = openLog(disk, { config: CONFIG })
  }

  run(next: Command): void {
    const deeds: { readonly [Name in Command['do']]: () => void } = {
      append: () => this.#append(next as Extract<Command, { do: 'append' }>),
      corrupt: () => this.#appendCorrupt((next as Extract<Command, { do: 'corrupt' }>).bit),
      epoch: () => {
        this.model.epoch += (next as Extract<Command, { do: 'epoch' }>).by
      },
      truncate: () => this.#truncate((next as Extract<Command, { do: 'truncate' }>).back),
      restart: () => {
        const { at } = next as Extract<Command, { do: 'restart' }>
        this.#log.truncateFullyAndStartAt(at)
        this.model.restart(at)
      },
      commit: () => this.#commit((next as Extract<Command, { do: 'commit' }>).back),
      raise: () => this.#raise((next as Extract<Command, { do: 'raise' }>).by),
      clean: () => this.#log.deleteOldSegments(NOW_MS),
      kill: () => this.#open(false),
      stop: () => {
        this.#log.close()
        this.#open(true)
      },
      read: () => compareRead(this.#log, this.model, next as Extract<Command, { do: 'read' }>),
    }
    deeds[next.do]()
    compare(this.#log, this.model)
  }

  #append(next: { readonly count: number; readonly bytes: number }): void {
    const { model } = this
    const text = `${this.#appended}-`
    this.#appended += 1
    const records = batch({ count: next.count, text, valueBytes: next.bytes })
    const result = append(this.#log, records, { leaderEpoch: model.epoch })
    same([result.error, result.baseOffset], [ErrorCode.NONE, model.end])
    model.append(Array.from({ length: next.count }, (_, index) => `${text}${index}`))
  }

  #appendCorrupt(choice: number): void {
    const wrong = batch({ text: 'wrong' })
    const bit = 17 * 8 + (choice % ((wrong.length - 17) * 8))
    wrong[bit >> 3]! ^= 1 << (bit & 7)
    const { error } = append(this.#log, wrong, { leaderEpoch: this.model.epoch })
    same(error === ErrorCode.NONE, false)
  }

  #truncate(back: number): void {
    const offset = Math.max(this.model.start, this.model.end - back)
    this.#log.truncateTo(offset)
    this.model.truncate(offset)
  }

  #commit(back: number): void {
    this.model.highWatermark = Math.max(this.model.start, this.model.end - back)
    this.#log.updateHighWatermark(this.model.highWatermark)
  }

  #raise(by: number): void {
    const { model } = this
    const to = model.start + by
    const isAllowed = to <= Math.max(model.highWatermark, model.start)
    same(this.#log.incrementLogStartOffset(to) === ErrorCode.NONE, isAllowed)
    if (isAllowed) model.start = Math.max(model.start, to)
  }

  #open(isCleanShutdown: boolean): void {
    const { recoveryPoint } = this.#log
    this.#log = openLog(this.#disk, {
      config: CONFIG,
      recoveryPoint,
      logStartOffset: this.model.start,
      isCleanShutdown,
    })
    this.#log.updateHighWatermark(this.model.highWatermark)
  }
}

function same(found: unknown, expected: unknown): void {
  expect(found).toEqual(expected)
}

function compareRead(
  log: PartitionLog,
  model: Model,
  request: { readonly at: number; readonly maxBytes: number; readonly seen: number },
): void {
  const offset = model.start + (request.at % (model.end - model.start + 1))
  const endOffset = model.end - request.seen
  const minOneBatch = request.maxBytes % 2 === 0
  const { maxBytes } = request
  const read = log.read({ offset, maxBytes, minOneBatch, endOffset })
  expect(read.error).toBe(ErrorCode.NONE)
  const headers = headersOf(read.records)
  const visible = model.batches.filter(
    (item) => item.lastOffset >= offset && item.lastOffset < endOffset,
  )
  const expected = visible.slice(0, headers.length).map((item) => item.baseOffset)
  expect(headers.map((header) => header.baseOffset)).toEqual(expected)
  const mayExceed = headers.length === 1 && minOneBatch
  expect(read.records.length <= maxBytes || mayExceed).toBe(true)
  const mustHaveOne = minOneBatch && visible.length > 0 && offset < endOffset
  expect(headers.length > 0 || !mustHaveOne).toBe(true)
}

function compare(log: PartitionLog, model: Model): void {
  expect(log.logEndOffset).toBe(model.end)
  expect(liveStateOf(log)).toBe(rebuiltStateOf(log))
  expect(log.logStartOffset).toBe(model.start)
  expect(log.highWatermark).toBe(model.highWatermark)
  expect(log.segmentBaseOffsets).toEqual(log.segmentBaseOffsets.toSorted((a, b) => a - b))
  const values = model.batches.flatMap((item) =>
    item.values.map((value, index) => [item.baseOffset + index, value] as const),
  )
  expect(
    readAll(log).map((record) => [record.offset, record.value?.toString().replace(/\.+$/, '')]),
  ).toEqual(values.filter(([offset]) => offset >= model.start))
}

describe('a log and an array of batches', () => {
  it('cannot be told apart by any commands, with a kill or a clean stop in between', () => {
    fc.assert(
      fc.property(fc.array(command, { minLength: 5, maxLength: 60 }), (commands) => {
        const pair = new Pair(new MemoryDisk())
        for (const next of commands) pair.run(next)
      }),
      { numRuns: 150 },
    )
  })

  it('know the same ends of epochs', () => {
    const steps = fc.array(
      fc.record({ count: fc.integer({ min: 1, max: 4 }), by: fc.nat(2), back: fc.nat(12) }),
      { minLength: 1, maxLength: 30 },
    )
    fc.assert(
      fc.property(steps, (all) => {
        const disk = new MemoryDisk()
        const model = new Model()
        const log = openLog(disk, { config: CONFIG })
        for (const { count, by, back } of all) {
          model.epoch += by
          append(log, batch({ count }), { leaderEpoch: model.epoch })
          model.append(Array.from({ length: count }, () => ''))
          const offset = Math.max(0, model.end - back)
          if (back < 4) {
            log.truncateTo(offset)
            model.truncate(offset)
          }
        }
        for (const same of [log, openLog(disk, { config: CONFIG })]) {
          for (let epoch = -1; epoch <= model.epoch + 1; epoch += 1) {
            const { epoch: found, endOffset } = same.endOffsetForEpoch(epoch)
            expect([found, endOffset]).toEqual(model.endOffsetFor(epoch))
          }
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('a power cut', () => {
  it('leaves a prefix of what was appended that holds everything below the recovery point', () => {
    for (let seed = 1; seed <= 150; seed += 1) {
      const world = new SimWorld({ seed })
      const node = world.node('n')
      const random = SimRandom.ofSeed(seed).fork('workload')
      let log = openLog(node.ports.disk, { config: CONFIG })
      let written: string[] = []
      // A truncation that was not synced may be undone: the log then is a former one.
      const versions: string[][] = []
      for (let life = 0; life < 4; life += 1) {
        const deeds = 5 + random.below(25)
        for (let index = 0; index < deeds; index += 1) {
          const text = `${life}.${index}-`
          const records = batch({ text, valueBytes: 10 + random.below(200) })
          const result = append(log, records, { leaderEpoch: life })
          expect([result.error, result.message]).toEqual([ErrorCode.NONE, null])
          written.push(`${text}0`)
          if (random.below(4) === 0) log.flush(() => undefined)
          if (random.below(3) === 0) world.runFor(random.below(5))
          if (random.below(12) === 0) {
            versions.push(written)
            log.truncateTo(Math.max(0, log.logEndOffset - 3))
            written = written.slice(0, log.logEndOffset)
          }
        }
        const { recoveryPoint } = log
        node.crash({ losesUnsynced: true })
        log = openLog(node.restart().disk, { config: CONFIG, recoveryPoint })
        const found = readAll(log).map((record) => record.value?.toString().replace(/\.+$/, ''))
        expect(found.slice(0, recoveryPoint)).toEqual(written.slice(0, recoveryPoint))
        expect(found.length).toBe(log.logEndOffset)
        const isPrefix = (version: readonly string[]): boolean =>
          found.every((value, index) => version[index] === value)
        expect([written, ...versions].some(isPrefix)).toBe(true)
        expect(log.latestEpoch).toBeLessThanOrEqual(life)
        written = found.map(String)
      }
    }
  })
})
