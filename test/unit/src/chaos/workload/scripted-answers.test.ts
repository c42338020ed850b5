// Goal: producers and readers do the right thing with every kind of answer: classes of outcomes, new epochs after a
// lost batch, damaged bytes. Method: brokers that answer by script, one error at a time.
import { describe, expect, it } from 'vitest'
import { History } from '../../../../../src/chaos/history/history.ts'
import type { SendOperation } from '../../../../../src/chaos/history/operation.ts'
import type { ProducerPlan } from '../../../../../src/chaos/plan/workload-plan.ts'
import { createProducerActor } from '../../../../../src/chaos/workload/producer-actor.ts'
import { createReaderActor } from '../../../../../src/chaos/workload/reader-actor.ts'
import type { WorkloadContext } from '../../../../../src/chaos/workload/workload-actor.ts'
import { ErrorCode } from '../../../../../src/wire/error-codes.ts'
import {
  produceApi,
  type ProduceRequest,
  type ProduceResponse,
} from '../../../../../src/wire/messages/00-produce.ts'
import { readBatchHeader } from '../../../../../src/wire/record-batch.ts'
import { historyProblems } from '../../../../support/chaos-world.ts'
import type { Handler } from '../../../../support/scripted-broker.ts'
import { ScriptedCluster } from '../../../../support/scripted-cluster.ts'

const PLAN: ProducerPlan = {
  kind: 'producer',
  name: 'p',
  topic: 't',
  partitions: [0],
  acks: -1,
  idempotent: true,
  inFlight: 1,
  everyMs: 100,
  batchRecords: 1,
  valueBytes: 0,
  compression: 'none',
  keys: 0,
  requestTimeoutMs: 400,
}

class Script {
  readonly cluster = new ScriptedCluster({ brokers: 1 })
  readonly history = new History(() => this.cluster.world.scheduler.nowMs)
  readonly context: WorkloadContext

  constructor() {
    this.cluster.createTopic('t', 1)
    this.context = {
      history: this.history,
      bootstrap: [{ host: 'b1', port: 9092 }],
      random: this.cluster.world.random('workload'),
    }
  }

  produce(plan: Partial<ProducerPlan>, ms: number): void {
    const producer = createProducerActor({ ...PLAN, ...plan }, this.context)
    const { world } = this.cluster
    producer.start(world.node('p').ports)
    world.runFor(ms)
    producer.stop()
    world.runUntil(() => producer.pending() === null, 10_000)
    expect(producer.pending()).toBeNull()
    expect(historyProblems(this.history.entries)).toEqual([])
  }

  /** Kind and error of each send, by value. */
  get ends(): ReadonlyMap<string, readonly [string, string | null, number]> {
    return new Map(
      this.history.entries
        .filter(({ kind }) => kind !== 'invoke')
        .map(({ kind, operation }) => {
          const { value, error, producerEpoch } = operation as SendOperation
          return [value, [kind, error ?? null, producerEpoch]]
        }),
    )
  }
}

function answer(errorCode: number): Handler<ProduceRequest, ProduceResponse> {
  return ({ body }, reply) => {
    reply({
      responses: body.topicData.map(({ name, topicId, partitionData }) => ({
        name,
        topicId,
        partitionResponses: partitionData.map(({ index }) => ({
          index,
          errorCode,
          baseOffset: -1,
        })),
      })),
    })
  }
}

const drop: Handler<ProduceRequest, ProduceResponse> = (_request, reply) => reply.drop()
const silence: Handler<ProduceRequest, ProduceResponse> = () => undefined

describe('a producer without idempotence', () => {
  it.each([
    ['fail', 'NOT_ENOUGH_REPLICAS', answer(ErrorCode.NOT_ENOUGH_REPLICAS)],
    ['info', 'NOT_LEADER_OR_FOLLOWER', answer(ErrorCode.NOT_LEADER_OR_FOLLOWER)],
    ['info', 'REQUEST_TIMED_OUT', answer(ErrorCode.REQUEST_TIMED_OUT)],
    ['info', 'DISCONNECTED', drop],
    ['info', 'TIMEOUT', silence],
  ] as const)('ends with %s %s and tries once', (kind, error, handler) => {
    const script = new Script()
    script.cluster.broker(1).next(produceApi, handler)
    script.produce({ idempotent: false }, 1500)
    expect(script.ends.get('p:0')).toEqual([kind, error, -1])
    expect(script.ends.get('p:1')).toEqual(['ok', null, -1])
  })
})

describe('an idempotent producer', () => {
  it.each([
    ['a retriable error', [answer(ErrorCode.NOT_LEADER_OR_FOLLOWER)]],
    ['a lost connection', [drop]],
    ['no answer, twice', [silence, silence]],
  ] as const)('sends the same bytes again after %s', (_what, handlers) => {
    const script = new Script()
    script.cluster.broker(1).next(produceApi, ...handlers)
    script.produce({}, 2000)
    expect(script.ends.get('p:0')).toEqual(['ok', null, 0])
    const [first, second] = script.cluster.broker(1).requests(produceApi)
    const bytes = (each: typeof first): Buffer =>
      each!.body.topicData[0]!.partitionData[0]!.records!
    expect(bytes(second).equals(bytes(first))).toBe(true)
  })

  it.each([
    ['fail', ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, []],
    ['info', ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, [drop]],
    ['fail', ErrorCode.MESSAGE_TOO_LARGE, []],
    ['fail', ErrorCode.INVALID_PRODUCER_EPOCH, []],
  ] as const)('ends as %s after error %i and goes on with the next epoch', (kind, code, before) => {
    const script = new Script()
    script.cluster.broker(1).next(produceApi, ...before, answer(code))
    script.produce({}, 1500)
    expect(script.ends.get('p:0')).toMatchObject([kind, expect.any(String), 0])
    expect(script.ends.get('p:1')).toEqual(['ok', null, 1])
    const later = script.cluster.partition('t', 0).batches[0]!
    expect(readBatchHeader(later, 0)).toMatchObject({ producerEpoch: 1, baseSequence: 0 })
  })

  it('leaves a repeat without an offset open: info, and the sequence goes on', () => {
    const script = new Script()
    script.cluster.broker(1).next(produceApi, answer(ErrorCode.DUPLICATE_SEQUENCE_NUMBER))
    script.produce({}, 1000)
    expect(script.ends.get('p:0')).toEqual(['info', 'DUPLICATE_SEQUENCE_NUMBER', 0])
    expect(script.ends.get('p:1')).toEqual(['ok', null, 0])
  })

  it('repeats in order what came behind a batch that failed', () => {
    const script = new Script()
    script.cluster.dropDuplicates()
    const outOfOrder = answer(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    const handlers = [answer(ErrorCode.NOT_LEADER_OR_FOLLOWER), outOfOrder, outOfOrder, outOfOrder]
    script.cluster.broker(1).next(produceApi, ...handlers)
    // All in one burst, so that they are under way together.
    script.produce({ inFlight: 5, everyMs: 1 }, 1000)
    const ends = [...script.ends.values()]
    expect(ends.filter(([kind]) => kind === 'ok').length).toBeGreaterThan(20)
    const sequences = script.cluster
      .partition('t', 0)
      .batches.map((batch) => readBatchHeader(batch, 0))
      .filter(({ producerEpoch }) => producerEpoch === 0)
      .map(({ baseSequence }) => baseSequence)
    expect(sequences).toEqual(sequences.map((_, index) => index))
  })

  it('gives up after four time-outs: fail if every attempt was refused, info otherwise', () => {
    for (const [kind, handler] of [
      ['fail', answer(ErrorCode.NOT_ENOUGH_REPLICAS)],
      ['info', silence],
    ] as const) {
      const script = new Script()
      script.cluster.broker(1).on(produceApi, handler)
      script.produce({}, 5000)
      const [end] = [...script.ends.values()]
      expect(end![0]).toBe(kind)
      expect([...script.ends.values()].at(-1)![2]).toBeGreaterThan(0)
    }
  })
})

describe('a reader', () => {
  it('records damaged bytes as corrupt and stays where it is', () => {
    const script = new Script()
    script.produce({}, 500)
    const { batches } = script.cluster.partition('t', 0)
    const good = Buffer.from(batches[1]!)
    batches[1]![batches[1]!.length - 2]! ^= 1
    const reader = createReaderActor(
      {
        kind: 'reader',
        name: 'r',
        topic: 't',
        partitions: [0],
        isolation: 'read_uncommitted',
        everyMs: 20,
      },
      script.context,
    )
    const { world } = script.cluster
    reader.start(world.node('r').ports)
    world.runFor(1000)
    const errors = script.history.entries.filter(
      ({ kind, operation }) => kind === 'fail' && operation.op === 'poll',
    )
    expect(errors).toHaveLength(1)
    expect(errors[0]!.operation).toMatchObject({ error: 'CORRUPT_MESSAGE', position: 0 })
    batches[1] = good
    world.runFor(1000)
    reader.stop()
    world.runUntil(() => reader.pending() === null, 5000)
    const read = script.history.entries.flatMap(({ operation }) =>
      operation.op === 'poll' ? (operation.records ?? []) : [],
    )
    expect(read.map(({ offset }) => offset)).toEqual(batches.map((_, index) => index))
  })
})

describe('a workload in simulation', () => {
  it('is the same for the same seed, and another for another', () => {
    const run = (seed: number): string => {
      const cluster = new ScriptedCluster({ brokers: 2, seed })
      cluster.createTopic('t', 2)
      const history = new History(() => cluster.world.scheduler.nowMs)
      const random = cluster.world.random('workload')
      const context = { history, bootstrap: [{ host: 'b1', port: 9092 }], random }
      const plan = { ...PLAN, partitions: [0, 1], inFlight: 5, everyMs: 10, probes: true }
      createProducerActor(plan, context).start(cluster.world.node('p').ports)
      cluster.world.runFor(2000)
      return JSON.stringify(history.entries)
    }
    const first = run(1)
    const other = run(2)
    expect(run(1)).toBe(first)
    expect(other).not.toBe(first)
  })
})
