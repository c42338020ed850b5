// Goal: a sink task puts every record, in order, and commits nothing before it was put. Method: scripted tasks
// over a Kafka in memory and simulated time.
import { describe, expect, it } from 'vitest'
import type { SinkRecord, SinkTask, SinkTaskContext, Transform } from '../../../../connect/api.ts'
import { jsonConverterPlugin } from '../../../../connect/converters/json-converter.ts'
import { SimpleHeaderConverter } from '../../../../connect/converters/simple-header-converter.ts'
import { StringConverter } from '../../../../connect/converters/string-converter.ts'
import { RetriableConnectError } from '../../../../connect/errors.ts'
import type { ErrorSettings } from '../../../../connect/runtime/error-operator.ts'
import { RunningSinkTask } from '../../../../connect/runtime/sink-task.ts'
import { voiceOf, type WorkerEvent } from '../../../../connect/runtime/worker-event.ts'
import { ConnectionError } from '../../../../src/base/errors.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import { MemoryKafka } from '../../../support/memory-kafka.ts'
import { settle, settleFor } from '../../../support/sim-promise.ts'

const ERRORS: ErrorSettings = {
  retryTimeoutMs: 0,
  retryDelayMaxMs: 60_000,
  tolerance: 'none',
  isLogged: true,
  logsMessages: false,
}

class ScriptedSink implements SinkTask {
  readonly puts: unknown[][] = []
  readonly calls: string[] = []
  onPut: (records: readonly SinkRecord[]) => Error | null = () => null
  onFlush: () => Error | null = () => null
  context: SinkTaskContext | null = null

  start(_properties: unknown, context: SinkTaskContext): void {
    this.context = context
    this.calls.push('start')
  }

  open(): void {
    this.calls.push('open')
  }

  put(records: readonly SinkRecord[]): void {
    const error = this.onPut(records)
    if (error !== null) throw error
    if (records.length > 0) this.puts.push(records.map(({ value }) => value))
  }

  flush(): void {
    const error = this.onFlush()
    if (error !== null) throw error
  }

  close(): void {
    this.calls.push('close')
  }

  stop(): void {
    this.calls.push('stop')
  }
}

class Fixture {
  readonly world = new SimWorld({ seed: 1 })
  readonly ports = this.world.node('worker').ports
  readonly kafka = new MemoryKafka(this.ports.clock)
  readonly events: WorkerEvent[] = []
  readonly sink = new ScriptedSink()
  readonly task: RunningSinkTask
  #over: Promise<Error | null> | null = null

  constructor(
    more: {
      errors?: Partial<ErrorSettings>
      transforms?: readonly Transform[]
      isJson?: boolean
      commitIntervalMs?: number
    } = {},
  ) {
    const strings = { className: 'StringConverter', it: new StringConverter('utf8') }
    const json = {
      className: 'JsonConverter',
      it: jsonConverterPlugin.create({ 'schemas.enable': 'false' }, 'value'),
    }
    this.task = new RunningSinkTask({
      connector: 'c',
      taskNumber: 0,
      className: 'Scripted',
      properties: {},
      keyConverter: strings,
      valueConverter: more.isJson === true ? json : strings,
      headerConverter: { className: 'SimpleHeaderConverter', it: new SimpleHeaderConverter() },
      transforms: (more.transforms ?? []).map((it) => ({ className: 'Scripted', it })),
      errors: { ...ERRORS, ...more.errors },
      commitIntervalMs: more.commitIntervalMs ?? 10_000,
      commitTimeoutMs: 5000,
      clock: this.ports.clock,
      random: this.ports.random,
      voice: voiceOf((event) => this.events.push(event), 'c', 0),
      onRunning: () => undefined,
      task: this.sink,
      consumer: this.kafka.consumer(),
      subscription: ['t'],
      closeTimeoutMs: 5000,
    })
  }

  start(): this {
    this.#over = this.task.run().then(
      () => null,
      (error: unknown) => error as Error,
    )
    return this
  }

  async run(ms: number): Promise<void> {
    await settleFor(this.world, ms)
  }

  async stop(): Promise<Error | null> {
    this.task.stop()
    return await settle(this.world, this.#over!)
  }

  get put(): readonly unknown[] {
    return this.sink.puts.flat()
  }
}

describe('a sink task', () => {
  it('puts every record in order and commits at the end', async () => {
    const fixture = new Fixture().start()
    for (let at = 0; at < 1200; at += 1) fixture.kafka.append('t', `v${at}`)
    await fixture.run(100)
    fixture.kafka.append('t', 'late')
    await fixture.run(100)
    expect(fixture.put).toEqual([...Array.from({ length: 1200 }, (_each, at) => `v${at}`), 'late'])
    expect(await fixture.stop()).toBeNull()
    expect(fixture.kafka.committed.get('t')).toBe(1201)
    expect(fixture.sink.calls).toEqual(['start', 'open', 'close', 'stop'])
    expect(fixture.kafka.consumers[0]!.isClosed).toBe(true)
  })

  it('commits each interval, and when the task asks for it', async () => {
    const fixture = new Fixture().start()
    fixture.kafka.append('t', 'a')
    await fixture.run(9000)
    expect(fixture.kafka.committed.get('t')).toBeUndefined()
    await fixture.run(2000)
    expect(fixture.kafka.committed.get('t')).toBe(1)
    fixture.sink.onPut = (records) => {
      if (records.length > 0) fixture.sink.context!.requestCommit()
      return null
    }
    fixture.kafka.append('t', 'b')
    await fixture.run(1)
    fixture.kafka.append('t', 'c')
    await fixture.run(100)
    expect(fixture.kafka.committed.get('t')).toBeGreaterThanOrEqual(2)
    await fixture.stop()
  })

  it('does not spin while the next commit is due and the last one has not ended', async () => {
    const fixture = new Fixture({ commitIntervalMs: 500 }).start()
    fixture.kafka.onCommit = () => 'hold'
    fixture.kafka.append('t', 'a')
    await fixture.run(1500)
    let polls = 0
    fixture.kafka.onPoll = () => {
      polls += 1
      return null
    }
    await fixture.run(1000)
    expect(polls).toBeGreaterThan(1)
    expect(polls).toBeLessThan(20)
    fixture.kafka.onCommit = () => null
    fixture.kafka.release()
    fixture.kafka.append('t', 'b')
    await fixture.run(1000)
    expect(fixture.kafka.committed.get('t')).toBe(2)
    await fixture.stop()
  })

  it('stops at once although it waits for records', async () => {
    const fixture = new Fixture().start()
    await fixture.run(100)
    await fixture.stop()
    expect(fixture.ports.clock.monoMs()).toBeLessThan(110)
  })

  it('gives the same records again after a retriable failure, and pauses meanwhile', async () => {
    const fixture = new Fixture().start()
    let failures = 2
    fixture.sink.onPut = (records) => {
      if (records.length === 0 || failures === 0) return null
      failures -= 1
      fixture.sink.context!.timeout(500)
      return new RetriableConnectError('busy')
    }
    fixture.kafka.append('t', 'a')
    await fixture.run(100)
    expect([...fixture.kafka.consumers[0]!.pausedTopics]).toEqual(['t'])
    fixture.kafka.append('t', 'b')
    await fixture.run(2000)
    expect(fixture.put).toEqual(['a', 'b'])
    expect(fixture.kafka.consumers[0]!.pausedTopics.size).toBe(0)
    await fixture.stop()
    expect(fixture.kafka.committed.get('t')).toBe(2)
  })

  it('fails after any other failure and commits only what was put before', async () => {
    const fixture = new Fixture()
    fixture.sink.onPut = (records) =>
      records.some(({ value }) => value === 'bad') ? new Error('broken') : null
    fixture.start()
    fixture.kafka.append('t', 'good')
    await fixture.run(100)
    fixture.kafka.append('t', 'bad')
    await fixture.run(100)
    expect((await fixture.stop())!.message).toBe('broken')
    expect(fixture.kafka.committed.get('t')).toBe(1)
    expect(fixture.sink.calls).toEqual(['start', 'open', 'close', 'stop'])
  })

  it('reads everything again since the last commit when the task cannot flush', async () => {
    const fixture = new Fixture().start()
    fixture.kafka.append('t', 'a')
    let failures = 1
    fixture.sink.onFlush = () => {
      if (failures === 0) return null
      failures -= 1
      return new Error('disk full')
    }
    await fixture.run(25_000)
    expect(fixture.put).toEqual(['a', 'a'])
    expect(fixture.kafka.committed.get('t')).toBe(1)
    expect(fixture.events[0]!.message).toContain('disk full')
    await fixture.stop()
  })

  it('commits before partitions go, and not when they were lost', async () => {
    for (const isLost of [false, true]) {
      const fixture = new Fixture().start()
      fixture.kafka.append('t', 'a')
      await fixture.run(100)
      await settle(fixture.world, fixture.kafka.consumers[0]!.revoke(isLost))
      expect(fixture.kafka.committed.get('t')).toBe(isLost ? undefined : 1)
      expect(fixture.sink.calls).toEqual(['start', 'open', 'close'])
      await fixture.stop()
    }
  })

  it('goes on when the cluster cannot be reached for a while', async () => {
    const fixture = new Fixture()
    let failures = 3
    fixture.kafka.onPoll = () => {
      failures -= 1
      return failures >= 0 ? new ConnectionError('gone') : null
    }
    fixture.start()
    fixture.kafka.append('t', 'a')
    await fixture.run(1000)
    expect(fixture.put).toEqual(['a'])
    expect(await fixture.stop()).toBeNull()
  })

  it('stops in time when the last commit does not go through', async () => {
    const fixture = new Fixture().start()
    fixture.kafka.append('t', 'a')
    await fixture.run(100)
    fixture.kafka.onCommit = () => new ConnectionError('gone')
    expect(await fixture.stop()).toBeNull()
    expect(fixture.events.at(-1)!.message).toContain('the last offsets were not committed')
  })

  it('fails at a poison record, or skips it with tolerance all', async () => {
    const strict = new Fixture({ isJson: true }).start()
    strict.kafka.append('t', '"fine"')
    strict.kafka.append('t', '{poison')
    await strict.run(100)
    expect((await strict.stop())!.message).toContain('stage VALUE_CONVERTER of class JsonConverter')

    const lenient = new Fixture({ isJson: true, errors: { tolerance: 'all' } }).start()
    for (const text of ['"a"', '{poison', '"b"']) lenient.kafka.append('t', text)
    await lenient.run(100)
    expect(lenient.put).toEqual(['a', 'b'])
    await lenient.stop()
    expect(lenient.kafka.committed.get('t')).toBe(3)
  })

  it('commits where a record was read although a transform renames its topic', async () => {
    const transform: Transform = { apply: (each) => ({ ...each, topic: 'other' }) }
    const fixture = new Fixture({ transforms: [transform] }).start()
    let seen: SinkRecord | undefined
    fixture.sink.onPut = (records) => {
      seen ??= records[0]
      return null
    }
    fixture.kafka.append('t', 'a', { headers: [{ key: 'h', value: Buffer.from('42') }] })
    await fixture.run(100)
    expect(seen).toMatchObject({ topic: 'other', originalTopic: 't', originalPartition: 0 })
    expect(seen!.headers[0]).toMatchObject({ key: 'h', value: 42 })
    await fixture.stop()
    expect(fixture.kafka.committed.get('t')).toBe(1)
  })

  it('rewinds and pauses as the task asks', async () => {
    const fixture = new Fixture().start()
    fixture.kafka.append('t', 'a')
    fixture.kafka.append('t', 'b')
    await fixture.run(100)
    fixture.sink.context!.rewind([{ topic: 't', partition: 0, offset: 1 }])
    fixture.kafka.append('t', 'c')
    await fixture.run(20_000)
    expect(fixture.put.slice(-2)).toEqual(['b', 'c'])
    fixture.sink.context!.pause([{ topic: 't', partition: 0 }])
    fixture.kafka.append('t', 'd')
    await fixture.run(20_000)
    expect(fixture.put.at(-1)).toBe('c')
    fixture.sink.context!.resume([{ topic: 't', partition: 0 }])
    await fixture.run(20_000)
    expect(fixture.put.at(-1)).toBe('d')
    await fixture.stop()
  })
})
