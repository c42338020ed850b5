// Goal: the promises of the runtime, whatever the shard is. Method: a shard that only remembers what
// it has replayed, over a log whose high watermark the test moves.
import { describe, expect, it } from 'vitest'
import { CoordinatorRuntime } from '../../../../broker/coordinator/runtime.ts'
import {
  NO_OUTCOME,
  type CoordinatorRecord,
  type Outcome,
  type Reply,
} from '../../../../broker/coordinator/outcome.ts'
import {
  type CoordinatorShard,
  type ReplayedRecord,
  type ShardPorts,
} from '../../../../broker/coordinator/shard.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import { endTxnMarkerRecord } from '../../../../src/wire/control-record.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { writeBatch } from '../../../../src/wire/record-batch.ts'
import { MemoryCoordinatorLog } from '../../../support/memory-coordinator-log.ts'

class MemoShard implements CoordinatorShard {
  readonly ports: ShardPorts
  readonly seen: string[] = []
  loadedAfter = -1
  kept: Reply<string> | null = null

  constructor(ports: ShardPorts) {
    this.ports = ports
  }

  replay({ key, offset, producerId }: ReplayedRecord): void {
    if (key.toString() === 'poison') throw new Error('cannot read poison')
    this.seen.push(`${offset} ${key.toString()}${producerId === -1 ? '' : ` of ${producerId}`}`)
  }

  replayTransactionEnd(producerId: number, isCommitted: boolean): void {
    this.seen.push(`${isCommitted ? 'commit' : 'abort'} ${producerId}`)
  }

  onLoaded(): Outcome<never> {
    this.loadedAfter = this.seen.length
    return NO_OUTCOME
  }
}

interface Fixture {
  readonly world: SimWorld
  readonly log: MemoryCoordinatorLog
  readonly runtime: CoordinatorRuntime<MemoShard>
  readonly answers: string[]
  readonly kinds: string[]
  readonly ask: (
    run: (shard: MemoShard, reply: Reply<string>) => Outcome<string>,
    partition?: number,
  ) => void
  readonly write: (key: string) => void
  readonly read: () => void
  readonly active: () => MemoShard
}

function fixture({ isElected = true, loadStepBytes = 1000 } = {}): Fixture {
  const world = new SimWorld({ seed: 1 })
  const { clock, random, events } = world.node('a').ports
  const log = new MemoryCoordinatorLog(clock)
  const kinds: string[] = []
  world.onEvent((event) => kinds.push(event.kind))
  const runtime = new CoordinatorRuntime({
    name: 'memo',
    log,
    clock,
    random,
    events,
    commitTimeoutMs: 5000,
    loadStepBytes,
    createShard: (ports) => new MemoShard(ports),
  })
  const answers: string[] = []
  const ask: Fixture['ask'] = (run, partition = 0) =>
    runtime.request<string>({
      partition,
      run,
      respond: (answer) => answers.push(answer),
      onError: (error) => `error ${error}`,
    })
  if (isElected) {
    runtime.onElected(0, 1)
    world.runFor(1)
  }
  return {
    world,
    log,
    runtime,
    answers,
    kinds,
    ask,
    write: (key) => ask(() => ({ records: [record(key)], answer: `wrote ${key}` })),
    read: () => ask((shard) => ({ records: [], answer: `saw ${shard.seen.length}` })),
    active: () => runtime.shardOf(0)!,
  }
}

function record(key: string, size = 0): CoordinatorRecord {
  return { key: Buffer.from(key), value: Buffer.alloc(size) }
}

function errorAnswer(error: ErrorCode): string {
  return `error ${error}`
}

describe('CoordinatorRuntime', () => {
  it('replays at once and answers when the write is committed', () => {
    const { log, write, answers, active } = fixture()
    log.isHeld = true
    write('a')
    expect(active().seen).toEqual(['0 a'])
    expect(answers).toEqual([])
    log.commit(0)
    expect(answers).toEqual(['wrote a'])
  })

  it('holds a read until everything that it saw is committed', () => {
    const { log, write, read, answers } = fixture()
    read()
    expect(answers).toEqual(['saw 0'])
    log.isHeld = true
    write('a')
    read()
    write('b')
    read()
    log.commit(0, 1)
    expect(answers).toEqual(['saw 0', 'wrote a', 'saw 1'])
    log.commit(0)
    expect(answers.slice(3)).toEqual(['wrote b', 'saw 2'])
  })

  it('lets an answer that tells nothing of the log leave at once', () => {
    const { log, write, ask, answers } = fixture()
    log.isHeld = true
    write('a')
    ask(() => ({ records: [], answer: 'later, please', leavesAtOnce: true }))
    expect(answers).toEqual(['later, please'])
    log.commit(0)
    expect(answers).toEqual(['later, please', 'wrote a'])
  })

  describe('an operation that waits for the commit', () => {
    const waiting = (): Fixture & { readonly ran: string[] } => {
      const made = fixture()
      const ran: string[] = []
      made.log.isHeld = true
      made.ask(() => ({
        records: [record('a')],
        onCommitted: () => {
          ran.push('committed')
          return { records: [record('b')] }
        },
      }))
      return { ...made, ran }
    }

    it('runs once, as a step that may write, however long the commit takes', () => {
      const { log, world, active, ran } = waiting()
      world.runFor(12_000)
      expect(ran).toEqual([])
      log.commit(0)
      world.runFor(12_000)
      expect(ran).toEqual(['committed'])
      expect(active().seen).toEqual(['0 a', '1 b'])
    })

    it('runs once when the broker was elected again meanwhile', () => {
      const { log, runtime, world, ran } = waiting()
      log.elect(0, 2)
      runtime.onElected(0, 2)
      log.elect(0, 3)
      runtime.onElected(0, 3)
      world.runFor(6000)
      log.commit(0)
      expect(ran).toEqual(['committed'])
    })

    it('never runs when the partition was lost', () => {
      const { log, runtime, world, ran } = waiting()
      runtime.onResigned(0)
      log.commit(0)
      world.runFor(6000)
      expect(ran).toEqual([])
    })
  })

  it('answers NOT_COORDINATOR for a partition that it does not lead', () => {
    const { ask, answers } = fixture()
    ask(() => ({ records: [], answer: 'never' }), 7)
    expect(answers).toEqual([errorAnswer(ErrorCode.NOT_COORDINATOR)])
  })

  it('answers every open request once when it resigns', () => {
    const { log, world, runtime, write, read, ask, answers } = fixture()
    log.isHeld = true
    write('a')
    read()
    ask((shard, reply) => {
      shard.kept = reply
      return NO_OUTCOME
    })
    runtime.onResigned(0)
    expect(answers).toEqual(Array(3).fill(errorAnswer(ErrorCode.NOT_COORDINATOR)))
    log.commit(0)
    world.runFor(10_000)
    expect(answers).toHaveLength(3)
    expect(runtime.openCount).toBe(0)
  })

  it('tells COORDINATOR_NOT_AVAILABLE when the commit does not come in time, and keeps the record', () => {
    const { log, world, write, answers, active } = fixture()
    log.isHeld = true
    write('a')
    world.runFor(4999)
    expect(answers).toEqual([])
    world.runFor(2)
    expect(answers).toEqual([errorAnswer(ErrorCode.COORDINATOR_NOT_AVAILABLE)])
    expect(active().seen).toEqual(['0 a'])
  })

  it.each([
    ['NOT_ENOUGH_REPLICAS', 'COORDINATOR_NOT_AVAILABLE'],
    ['UNKNOWN_TOPIC_OR_PARTITION', 'COORDINATOR_NOT_AVAILABLE'],
    ['NOT_LEADER_OR_FOLLOWER', 'NOT_COORDINATOR'],
    ['KAFKA_STORAGE_ERROR', 'NOT_COORDINATOR'],
    ['MESSAGE_TOO_LARGE', 'UNKNOWN_SERVER_ERROR'],
    ['INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_EPOCH'],
  ] as const)('answers an append that fails with %s by %s and changes nothing', (given, told) => {
    const { log, write, answers, active } = fixture()
    log.appendError = ErrorCode[given]
    write('a')
    expect(answers).toEqual([errorAnswer(ErrorCode[told])])
    expect(active().seen).toEqual([])
  })

  it('tells a failed append at once even while older writes wait for their commit', () => {
    const { log, write, answers } = fixture()
    log.isHeld = true
    write('a')
    log.appendError = ErrorCode.NOT_ENOUGH_REPLICAS
    write('b')
    expect(answers).toEqual([errorAnswer(ErrorCode.COORDINATOR_NOT_AVAILABLE)])
  })

  it('runs the hook of an append that failed, which may answer a kept reply', () => {
    const { log, ask, answers } = fixture()
    log.appendError = ErrorCode.NOT_ENOUGH_REPLICAS
    ask((_, reply) => ({ records: [record('a')], onAppendFailed: (error) => reply.fail(error) }))
    expect(answers).toEqual([errorAnswer(ErrorCode.COORDINATOR_NOT_AVAILABLE)])
  })

  it('lets a request map the errors of the log itself', () => {
    const { log, runtime, answers } = fixture()
    log.maxBatchBytes = 100
    runtime.request<string>({
      partition: 0,
      run: () => ({ records: [record('a', 200)], answer: 'wrote' }),
      respond: (answer) => answers.push(answer),
      onError: (error) => `error ${error}`,
      mapAppendError: () => ErrorCode.INVALID_COMMIT_OFFSET_SIZE,
    })
    expect(answers).toEqual([errorAnswer(ErrorCode.INVALID_COMMIT_OFFSET_SIZE)])
    expect(log.appendCount).toBe(0)
  })

  it('spreads records that need not be atomic over batches of the allowed size', () => {
    const { log, ask, answers, active } = fixture()
    log.maxBatchBytes = 200
    const records = ['a', 'b', 'c', 'd'].map((key) => record(key, 60))
    ask(() => ({ records, answer: 'wrote', isAtomic: false }))
    expect(answers).toEqual(['wrote'])
    expect(log.batchCount(0)).toBe(4)
    expect(active().seen).toEqual(['0 a', '1 b', '2 c', '3 d'])
  })

  it('writes transactional records under their producer', () => {
    const { ask, active } = fixture()
    const producer = { producerId: 9, producerEpoch: 1 }
    ask(() => ({ records: [record('a')], answer: 'wrote', producer }))
    expect(active().seen).toEqual(['0 a of 9'])
  })

  it('takes a request that an answer leads to after the step, not in the middle of it', () => {
    const { runtime, answers, write, log } = fixture()
    runtime.request<string>({
      partition: 0,
      run: () => ({ records: [record('a')], answer: 'first' }),
      respond: (answer) => {
        answers.push(answer)
        write('b')
        answers.push('asked')
      },
      onError: () => 'error',
    })
    expect(answers).toEqual(['first', 'asked', 'wrote b'])
    expect(log.records(0)).toHaveLength(2)
  })

  it('answers COORDINATOR_NOT_AVAILABLE once it is closed', () => {
    const { runtime, log, write, answers } = fixture()
    log.isHeld = true
    write('a')
    runtime.close()
    write('b')
    runtime.onElected(0, 9)
    expect(answers).toEqual(Array(2).fill(errorAnswer(ErrorCode.COORDINATOR_NOT_AVAILABLE)))
    expect(runtime.statusOf(0)).toBe('absent')
  })
})

describe('elections', () => {
  it('answers COORDINATOR_LOAD_IN_PROGRESS until the log is replayed, in steps', () => {
    const { world, log, runtime, read, answers, kinds, active } = fixture({
      isElected: false,
      loadStepBytes: 2000,
    })
    for (let index = 0; index < 500; index += 1) {
      log.inject(0, writeBatch({ records: [record(`key ${index}`)], timestampMs: 1 }))
    }
    runtime.onElected(0, 1)
    read()
    expect(answers).toEqual([errorAnswer(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)])
    expect(runtime.loadingPartitions).toEqual([0])
    world.runFor(1)
    read()
    expect(answers[1]).toBe('saw 500')
    expect(log.readCount).toBeGreaterThan(10)
    expect(active().loadedAfter).toBe(500)
    expect(kinds).toContain('coordinator.loaded')
  })

  it('replays what is not committed yet, and holds answers until it is', () => {
    const { world, log, runtime, read, answers } = fixture({ isElected: false })
    log.isHeld = true
    log.inject(0, writeBatch({ records: [record('a')], timestampMs: 1 }))
    runtime.onElected(0, 1)
    world.runFor(1)
    read()
    expect(answers).toEqual([])
    log.commit(0)
    expect(answers).toEqual(['saw 1'])
  })

  it('begins at the log start and takes up the middle of a log with gaps', () => {
    const { world, log, runtime, active } = fixture({ isElected: false })
    for (const key of ['a', 'b', 'c']) {
      log.inject(0, writeBatch({ records: [record(key)], timestampMs: 1 }))
    }
    log.deleteUpTo(0, 1)
    runtime.onElected(0, 1)
    world.runFor(1)
    expect(active().seen).toEqual(['1 b', '2 c'])
  })

  it('tells a shard of transactions and how they ended', () => {
    const { world, log, runtime, active } = fixture({ isElected: false })
    const producer = { producerId: 5, producerEpoch: 0, isTransactional: true, timestampMs: 1 }
    log.inject(0, writeBatch({ ...producer, records: [record('a')], baseSequence: 0 }))
    log.inject(
      0,
      writeBatch({ ...producer, records: [endTxnMarkerRecord(true, 0)], isControl: true }),
    )
    log.inject(
      0,
      writeBatch({ ...producer, records: [endTxnMarkerRecord(false, 0)], isControl: true }),
    )
    runtime.onElected(0, 1)
    world.runFor(1)
    expect(active().seen).toEqual(['0 a of 5', 'commit 5', 'abort 5'])
  })

  it('does not serve a partition whose log cannot be read, until it is elected again', () => {
    const { world, log, runtime, read, answers, kinds } = fixture({ isElected: false })
    log.inject(0, writeBatch({ records: [record('poison')], timestampMs: 1 }))
    runtime.onElected(0, 1)
    world.runFor(1)
    read()
    expect(runtime.statusOf(0)).toBe('failed')
    expect(answers).toEqual([errorAnswer(ErrorCode.NOT_COORDINATOR)])
    expect(kinds).toContain('coordinator.load-failed')
    log.deleteUpTo(0, 1)
    runtime.onElected(0, 2)
    world.runFor(1)
    expect(runtime.statusOf(0)).toBe('active')
  })

  it('keeps its state when it is elected again with a newer epoch, and ignores older ones', () => {
    const { runtime, log, write, active, answers } = fixture()
    write('a')
    const shard = active()
    runtime.onElected(0, 1)
    runtime.onElected(0, 5)
    log.elect(0, 5)
    write('b')
    expect(active()).toBe(shard)
    expect(answers).toEqual(['wrote a', 'wrote b'])
  })

  it('stops loading when it resigns', () => {
    const { world, log, runtime, kinds } = fixture({ isElected: false })
    log.inject(0, writeBatch({ records: [record('a')], timestampMs: 1 }))
    runtime.onElected(0, 1)
    runtime.onResigned(0)
    world.runFor(1)
    expect(runtime.statusOf(0)).toBe('absent')
    expect(log.readCount).toBe(0)
    expect(kinds).toEqual(['coordinator.unloaded'])
  })
})

describe('timers of a shard', () => {
  it('run as steps that may write', () => {
    const { world, active } = fixture()
    active().ports.timers.schedule('t', 100, () => ({ records: [record('timed')] }))
    world.runFor(99)
    expect(active().seen).toEqual([])
    world.runFor(2)
    expect(active().seen).toEqual(['0 timed'])
    expect(active().ports.timers.size).toBe(0)
  })

  it('are replaced by name and can be cancelled', () => {
    const { world, active } = fixture()
    const { timers } = active().ports
    const write = (key: string) => () => ({ records: [record(key)] })
    timers.schedule('t', 100, write('first'))
    timers.schedule('t', 200, write('second'))
    timers.schedule('u', 100, write('never'))
    timers.cancel('u')
    world.runFor(300)
    expect(active().seen).toEqual(['0 second'])
  })

  it('end with the leadership', () => {
    const { world, log, active, runtime } = fixture()
    active().ports.timers.schedule('t', 100, () => ({ records: [record('timed')] }))
    runtime.onResigned(0)
    world.runFor(300)
    expect(log.records(0)).toEqual([])
  })
})
