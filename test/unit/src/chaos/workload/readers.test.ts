// Goal: readers, the offsets watcher, the final read and the verification record what they saw and go on after every
// fault. Method: real brokers in a simulated world.
import { describe, expect, it } from 'vitest'
import type { ProducerPlan, ReaderPlan } from '../../../../../src/chaos/plan/workload-plan.ts'
import { FinalReader } from '../../../../../src/chaos/workload/final-reader.ts'
import { createOffsetsWatcherActor } from '../../../../../src/chaos/workload/offsets-watcher-actor.ts'
import { createProducerActor } from '../../../../../src/chaos/workload/producer-actor.ts'
import { createReaderActor } from '../../../../../src/chaos/workload/reader-actor.ts'
import { VerificationProduce } from '../../../../../src/chaos/workload/verification-produce.ts'
import type { WorkloadActor } from '../../../../../src/chaos/workload/workload-actor.ts'
import { ChaosWorld, historyProblems } from '../../../../support/chaos-world.ts'

const PRODUCER: ProducerPlan = {
  kind: 'producer',
  name: 'p',
  topic: 't',
  partitions: [0, 1],
  acks: -1,
  idempotent: true,
  inFlight: 3,
  everyMs: 20,
  batchRecords: 3,
  valueBytes: 100,
  compression: 'none',
  keys: 2,
  requestTimeoutMs: 1000,
}
const READER: ReaderPlan = {
  kind: 'reader',
  name: 'r',
  topic: 't',
  partitions: [0, 1],
  isolation: 'read_uncommitted',
  everyMs: 50,
}

function createWorld(seed = 1, properties: Readonly<Record<string, string>> = {}): ChaosWorld {
  const world = new ChaosWorld({ seed, properties })
  world.createTopic('t', 2)
  return world
}

/** Polls of one life of one partition follow each other without a gap. */
function gaps(world: ChaosWorld, process: string): readonly string[] {
  const next = new Map<number, number>()
  const problems: string[] = []
  for (const { operation } of world
    .entries('poll', 'ok')
    .filter((each) => each.process === process)) {
    for (const { offset } of operation.records ?? []) {
      const expected = next.get(operation.partition) ?? 0
      if (offset !== expected)
        problems.push(`${operation.partition}: ${offset} after ${expected - 1}`)
      next.set(operation.partition, offset + 1)
    }
  }
  return problems
}

describe('reader actor', () => {
  it.each(['read_uncommitted', 'read_committed'] as const)(
    'reads everything in order through a crash of a leader, %s',
    (isolation) => {
      const world = createWorld()
      const producer = createProducerActor(PRODUCER, world.context)
      const reader = createReaderActor({ ...READER, isolation }, world.context) as WorkloadActor
      world.start(producer)
      world.start(reader)
      world.cluster.world.runFor(2000)
      world.crashLeader('t', 0)
      world.cluster.world.runFor(5000)
      expect(world.stop(producer)).toBeNull()
      const final = new FinalReader({ name: 'final', topics: ['t'] }, world.context)
      expect(final.pending()).toBe('the final read has not begun')
      world.start(final)
      expect(final.pending()).toBe('the final read does not know topic t')
      expect(final.done()).toBe(false)
      expect(world.settle(final)).toBeNull()
      expect(final.done()).toBe(true)
      world.cluster.world.runUntil(() => reader.lagBehind(final.ends()) === null, 5000)
      expect(reader.lagBehind(final.ends())).toBeNull()
      expect(reader.lagBehind(new Map([['t-1', 1e9]]))).toContain('of t-1')
      expect(world.stop(reader)).toBeNull()
      expect(gaps(world, 'r')).toEqual([])
      for (const partition of [0, 1]) {
        expect(world.read('final', partition).length).toBeGreaterThan(100)
        expect(world.read('reader', partition)).toEqual(world.read('final', partition))
      }
      const errors = world.entries('poll').filter(({ operation }) => operation.error !== undefined)
      expect(errors.length).toBeGreaterThan(0)
      expect(errors.length).toBeLessThan(30)
      expect(historyProblems(world.history.entries)).toEqual([])
    },
  )

  it('begins again, marked as first, in a new life', () => {
    const world = createWorld()
    const producer = createProducerActor(PRODUCER, world.context)
    const reader = createReaderActor(READER, world.context)
    world.start(producer)
    world.start(reader)
    world.cluster.world.runFor(1000)
    world.crashClient(reader)
    world.cluster.world.runFor(1000)
    expect(world.stop(reader)).toBeNull()
    const polls = world.entries('poll', 'ok')
    for (const process of ['r', 'r/2']) {
      for (const partition of [0, 1]) {
        const own = polls.filter((each) => each.process === process)
        const [first, ...others] = own.filter(({ operation }) => operation.partition === partition)
        expect(first!.operation).toMatchObject({ isFirst: true, position: 0 })
        expect(others.some(({ operation }) => operation.isFirst)).toBe(false)
      }
    }
  })

  it('goes to the earliest offset when its own is gone, and says so', () => {
    const world = createWorld(1, {
      'log.retention.bytes': '1048576',
      'log.segment.bytes': '1048576',
      'log.retention.check.interval.ms': '500',
    })
    const producer = createProducerActor(
      { ...PRODUCER, batchRecords: 20, valueBytes: 10_000 },
      world.context,
    )
    world.start(producer)
    world.cluster.world.runFor(4000)
    expect(world.stop(producer)).toBeNull()
    const reader = createReaderActor(READER, world.context)
    world.start(reader)
    world.cluster.world.runFor(3000)
    expect(world.stop(reader)).toBeNull()
    const failed = world.entries('poll', 'fail').map(({ operation }) => operation.error)
    expect(failed).toContain('OFFSET_OUT_OF_RANGE')
    const [first] = world.entries('poll', 'ok')
    expect(first!.operation.isFirst).toBe(true)
    expect(first!.operation.position).toBeGreaterThan(0)
    expect(first!.operation.position).toBe(first!.operation.logStartOffset)
  })
})

describe('offsets watcher', () => {
  it('sees ends that only grow, and ends its queries', () => {
    const world = createWorld(2)
    const producer = createProducerActor(PRODUCER, world.context)
    const plan = { kind: 'offsets-watcher', name: 'w', topic: 't', partitions: [0, 1], everyMs: 40 }
    const watcher = createOffsetsWatcherActor(plan as never, world.context)
    world.start(producer)
    world.start(watcher)
    world.cluster.world.runFor(1500)
    world.crashLeader('t', 1)
    world.cluster.world.runFor(3000)
    expect(world.stop(watcher)).toBeNull()
    const latest = world
      .entries('list-offsets', 'ok')
      .map(({ operation }) => operation)
      .filter(({ which, partition }) => which === 'latest' && partition === 1)
      .map(({ offset }) => offset!)
    expect(latest.length).toBeGreaterThan(20)
    expect(latest).toEqual([...latest].sort((a, b) => a - b))
    expect(world.entries('list-offsets', 'fail').length).toBeGreaterThan(0)
    expect(historyProblems(world.entries('list-offsets'))).toEqual([])
  })
})

describe('verification produce', () => {
  it('waits for a leader and enough replicas, then has a record in every partition', () => {
    const world = createWorld()
    const [first, second] = world.cluster.ids
    for (const id of [first!, second!]) world.cluster.crash(id)
    const verification = new VerificationProduce({ name: 'v', topics: ['t'] }, world.context)
    expect(verification.done()).toBe(false)
    world.start(verification)
    world.cluster.world.runFor(3000)
    expect(verification.pending()).toContain('no fresh acks=all send to t')
    for (const id of [first!, second!]) world.cluster.restart(id)
    expect(world.settle(verification)).toBeNull()
    expect(verification.done()).toBe(true)
    const partitions = world.sends('ok').map(({ partition }) => partition)
    expect(new Set(partitions)).toEqual(new Set([0, 1]))
    expect(historyProblems(world.history.entries)).toEqual([])
  })

  it('ends as info what it gives up', () => {
    const world = createWorld()
    const verification = new VerificationProduce(
      { name: 'v', topics: ['t', 'none'] },
      world.context,
    )
    world.start(verification)
    world.cluster.world.runUntil(() => world.sends('ok').length === 2, 5000)
    expect(verification.pending()).toContain('to none succeeds: the topic is not known')
    verification.stop()
    expect(verification.pending()).toBeNull()
    expect(historyProblems(world.history.entries)).toEqual([])
  })
})
