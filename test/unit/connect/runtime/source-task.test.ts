// Goal: a source task loses nothing and stores no offset too early. Method: scripted tasks over a Kafka in memory
// and simulated time.
import { describe, expect, it } from 'vitest'
import type {
  SourceRecord,
  SourceTask,
  SourceTaskContext,
  Transform,
} from '../../../../connect/api.ts'
import { StringConverter } from '../../../../connect/converters/string-converter.ts'
import { SimpleHeaderConverter } from '../../../../connect/converters/simple-header-converter.ts'
import { DataError, RetriableConnectError } from '../../../../connect/errors.ts'
import type { ErrorSettings } from '../../../../connect/runtime/error-operator.ts'
import type { OffsetStore, SourceOffset } from '../../../../connect/runtime/offset-store.ts'
import { RunningSourceTask } from '../../../../connect/runtime/source-task.ts'
import { voiceOf, type WorkerEvent } from '../../../../connect/runtime/worker-event.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import { MemoryKafka } from '../../../support/memory-kafka.ts'
import { settle, settleFor } from '../../../support/sim-promise.ts'

const NO_TOLERANCE: ErrorSettings = {
  retryTimeoutMs: 0,
  retryDelayMaxMs: 60_000,
  tolerance: 'none',
  isLogged: true,
  logsMessages: true,
}

function record(at: number, value: unknown = `v${at}`): SourceRecord {
  return {
    sourcePartition: { file: 'f' },
    sourceOffset: { at },
    topic: 't',
    kafkaPartition: null,
    keySchema: null,
    key: null,
    valueSchema: null,
    value: value as string,
    timestampMs: null,
    headers: [],
  }
}

class MemoryOffsets implements OffsetStore {
  stored: SourceOffset[] = []
  writes = 0
  onWrite: () => Promise<void> = () => Promise.resolve()
  open = (): Promise<void> => Promise.resolve()
  read = (): null => null
  close = (): Promise<void> => Promise.resolve()
  write = async (offsets: readonly SourceOffset[]): Promise<void> => {
    this.writes += 1
    await this.onWrite()
    this.stored.push(...offsets)
  }
  get last(): unknown {
    return this.stored.at(-1)?.offset?.at
  }
}

/** Gives the batches one after the other, then nothing. */
class ScriptedTask implements SourceTask {
  readonly batches: (readonly SourceRecord[] | Error)[]
  readonly committed: (readonly [number, number | null])[] = []
  commits = 0
  isStopped = false
  startError: Error | null = null
  #context: SourceTaskContext | null = null

  constructor(...batches: (readonly SourceRecord[] | Error)[]) {
    this.batches = batches
  }

  start(_properties: unknown, context: SourceTaskContext): void {
    if (this.startError !== null) throw this.startError
    this.#context = context
  }

  async poll(): Promise<readonly SourceRecord[] | null> {
    const next = this.batches.shift()
    if (next instanceof Error) throw next
    if (next === undefined) await this.#context!.sleep(1000)
    return next ?? null
  }

  commit(): void {
    this.commits += 1
  }

  commitRecord({ sourceOffset }: SourceRecord, stored: { readonly offset: number } | null): void {
    this.committed.push([Number(sourceOffset.at), stored?.offset ?? null])
  }

  stop(): void {
    this.isStopped = true
  }
}

class Fixture {
  readonly world = new SimWorld({ seed: 1 })
  readonly ports = this.world.node('worker').ports
  readonly kafka = new MemoryKafka(this.ports.clock)
  readonly offsets = new MemoryOffsets()
  readonly events: WorkerEvent[] = []
  isRunning = false
  readonly task: RunningSourceTask
  readonly script: ScriptedTask

  constructor(
    script: ScriptedTask,
    more: {
      errors?: Partial<ErrorSettings>
      transforms?: readonly Transform[]
      windowBytes?: number
    } = {},
  ) {
    this.script = script
    const strings = { className: 'StringConverter', it: new StringConverter('utf8') }
    this.task = new RunningSourceTask({
      connector: 'c',
      taskNumber: 0,
      className: 'Scripted',
      properties: {},
      keyConverter: strings,
      valueConverter: strings,
      headerConverter: { className: 'SimpleHeaderConverter', it: new SimpleHeaderConverter() },
      transforms: (more.transforms ?? []).map((it) => ({ className: 'Scripted', it })),
      errors: { ...NO_TOLERANCE, ...more.errors },
      commitIntervalMs: 60_000,
      commitTimeoutMs: 5000,
      clock: this.ports.clock,
      random: this.ports.random,
      voice: voiceOf((event) => this.events.push(event), 'c', 0),
      onRunning: () => (this.isRunning = true),
      task: script,
      producer: this.kafka.producer(),
      offsets: this.offsets,
      windowBytes: more.windowBytes ?? 1_000_000,
    })
  }

  /** Runs the task for a while, then stops it; the outcome is what `run` gave. */
  async runFor(ms: number): Promise<Error | null> {
    const over = this.task.run().then(
      () => null,
      (error: unknown) => error as Error,
    )
    await settleFor(this.world, ms)
    this.task.stop()
    return await settle(this.world, over)
  }
}

describe('a source task', () => {
  it('sends all records in order, stores the last offset, and stops', async () => {
    const fixture = new Fixture(new ScriptedTask([record(1), record(2)], [], [record(3)]))
    expect(await fixture.runFor(5000)).toBeNull()
    expect(fixture.kafka.values('t')).toEqual(['v1', 'v2', 'v3'])
    expect(fixture.offsets.last).toBe(3)
    expect(fixture.script).toMatchObject({ isStopped: true, commits: 1 })
    expect(fixture.script.committed).toEqual([
      [1, 0],
      [2, 1],
      [3, 2],
    ])
    expect(fixture.kafka.closedProducers).toEqual([0])
    expect(fixture.isRunning).toBe(true)
  })

  it('stores offsets each interval, and nothing when nothing is new', async () => {
    const fixture = new Fixture(new ScriptedTask([record(1)]))
    await fixture.runFor(200_000)
    expect(fixture.offsets.writes).toBe(1)
    expect(fixture.script.commits).toBe(4)
  })

  it('stores no offset beyond a record that is not acknowledged', async () => {
    const fixture = new Fixture(new ScriptedTask([record(1), record(2), record(3)]))
    fixture.kafka.onSend = ({ value }) => (value!.toString() === 'v2' ? 'hold' : null)
    await fixture.runFor(61_000)
    expect(fixture.offsets.last).toBe(1)
  })

  it('waits at the end for what is on its way', async () => {
    const fixture = new Fixture(new ScriptedTask([record(1), record(2)]))
    fixture.kafka.onSend = () => 'hold'
    fixture.ports.clock.after(3000, 'test', () => fixture.kafka.release())
    await fixture.runFor(1000)
    expect(fixture.offsets.last).toBe(2)
  })

  it('does not wait at the end for longer than offset.flush.timeout.ms', async () => {
    const fixture = new Fixture(new ScriptedTask([record(1)]))
    fixture.kafka.onSend = () => 'hold'
    await fixture.runFor(1000)
    expect(fixture.ports.clock.monoMs()).toBeLessThan(6100)
    expect(fixture.offsets.stored).toEqual([])
  })

  it('ends a wait of the task at once when it is stopped', async () => {
    const fixture = new Fixture(new ScriptedTask())
    await fixture.runFor(500)
    expect(fixture.ports.clock.monoMs()).toBeLessThan(510)
  })

  it('keeps what is on its way within bounds', async () => {
    const values = Array.from({ length: 100 }, (_each, at) => record(at))
    const fixture = new Fixture(new ScriptedTask(values), { windowBytes: 1000 })
    fixture.kafka.onSend = () => 'hold'
    const over = fixture.task.run()
    await settleFor(fixture.world, 100)
    expect(fixture.kafka.held.length).toBe(10)
    while (fixture.kafka.held.length > 0) {
      fixture.kafka.release()
      await settleFor(fixture.world, 10)
    }
    expect(fixture.kafka.values('t').length).toBe(100)
    fixture.task.stop()
    await settle(fixture.world, over)
  })

  it('tries storing offsets again after a failure', async () => {
    const fixture = new Fixture(new ScriptedTask([record(1)]))
    fixture.offsets.onWrite = () =>
      fixture.offsets.writes === 1 ? Promise.reject(new Error('disk full')) : Promise.resolve()
    await fixture.runFor(130_000)
    expect(fixture.offsets.writes).toBe(2)
    expect(fixture.offsets.last).toBe(1)
    expect(fixture.events[0]!.message).toContain('disk full')
  })

  it('polls again after a retriable failure and fails after another', async () => {
    const fixture = new Fixture(
      new ScriptedTask(new RetriableConnectError('later'), [record(1)], new Error('broken')),
    )
    const error = await fixture.runFor(5000)
    expect(error!.message).toBe('broken')
    expect(fixture.kafka.values('t')).toEqual(['v1'])
    expect(fixture.offsets.last).toBe(1)
    expect(fixture.script.isStopped).toBe(true)
  })

  it('fails when a record cannot be sent', async () => {
    const fixture = new Fixture(new ScriptedTask([record(1), record(2)]))
    fixture.kafka.onSend = ({ value }) =>
      value!.toString() === 'v2' ? new Error('MESSAGE_TOO_LARGE') : null
    const error = await fixture.runFor(5000)
    expect(error!.message).toContain('could not be sent to topic "t": MESSAGE_TOO_LARGE')
    expect(fixture.offsets.last).toBe(1)
  })

  it('skips with tolerance all what cannot be sent or converted, and says so', async () => {
    const transform: Transform = {
      apply: (each) => {
        if (each.value === 'bad') throw new DataError('bad value')
        return each
      },
    }
    const fixture = new Fixture(
      new ScriptedTask([record(1), record(2, 'bad'), record(3), record(4)]),
      { errors: { tolerance: 'all' }, transforms: [transform] },
    )
    fixture.kafka.onSend = ({ value }) => (value!.toString() === 'v3' ? new Error('no') : null)
    expect(await fixture.runFor(5000)).toBeNull()
    expect(fixture.kafka.values('t')).toEqual(['v1', 'v4'])
    expect(fixture.offsets.last).toBe(4)
    expect(fixture.script.committed).toContainEqual([2, null])
    expect(fixture.script.committed).toContainEqual([3, null])
    const messages = fixture.events.map(({ message }) => message)
    expect(messages.some((text) => text.includes('stage TRANSFORMATION'))).toBe(true)
    expect(messages.some((text) => text.includes('stage KAFKA_PRODUCE'))).toBe(true)
  })

  it('fails with tolerance none, naming the step', async () => {
    const transform: Transform = {
      apply: () => {
        throw new DataError('bad value')
      },
    }
    const fixture = new Fixture(new ScriptedTask([record(1)]), { transforms: [transform] })
    const error = await fixture.runFor(5000)
    expect(error!.message).toContain('Tolerance exceeded in error handler: stage TRANSFORMATION')
    expect(error!.message).toContain('bad value')
  })

  it('drops records that a transform drops, and changes those that it changes', async () => {
    const transform: Transform = {
      apply: (each) => (each.value === 'v1' ? null : { ...each, topic: `${each.topic}-new` }),
    }
    const fixture = new Fixture(new ScriptedTask([record(1), record(2)]), {
      transforms: [transform],
    })
    await fixture.runFor(5000)
    expect(fixture.kafka.values('t')).toEqual([])
    expect(fixture.kafka.values('t-new')).toEqual(['v2'])
    expect(fixture.script.committed).toEqual([
      [1, null],
      [2, 0],
    ])
  })

  it('tries a retriable step again with growing delays until errors.retry.timeout', async () => {
    const at: number[] = []
    const script = new ScriptedTask([record(1)])
    const transform: Transform = {
      apply: () => {
        at.push(Math.round(fixture.ports.clock.monoMs()))
        throw new RetriableConnectError('not now')
      },
    }
    const fixture: Fixture = new Fixture(script, {
      errors: { retryTimeoutMs: 2000 },
      transforms: [transform],
    })
    const error = await fixture.runFor(10_000)
    expect(error!.message).toContain('not now')
    expect(at.map((each) => each - at[0]!)).toEqual([0, 300, 900, 2000])
  })

  it('tells when it cannot start, and commits nothing', async () => {
    const script = new ScriptedTask()
    script.startError = new Error('no such table')
    const fixture = new Fixture(script)
    const error = await fixture.runFor(1)
    expect(error!.message).toBe('no such table')
    expect(fixture.isRunning).toBe(false)
    expect(script).toMatchObject({ isStopped: true, commits: 0 })
  })
})
