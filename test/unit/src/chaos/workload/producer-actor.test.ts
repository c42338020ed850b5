// Goal: producers record exactly what they know of each record, through crashes of leaders and of themselves.
// Method: real brokers in a simulated world, then a complete read, compared with the history.
import { describe, expect, it } from 'vitest'
import type { ProducerPlan } from '../../../../../src/chaos/plan/workload-plan.ts'
import { FinalReader } from '../../../../../src/chaos/workload/final-reader.ts'
import { createProducerActor } from '../../../../../src/chaos/workload/producer-actor.ts'
import { ChaosWorld, historyProblems } from '../../../../support/chaos-world.ts'

const PLAN: ProducerPlan = {
  kind: 'producer',
  name: 'p',
  topic: 't',
  partitions: [0, 1],
  acks: -1,
  idempotent: true,
  inFlight: 5,
  everyMs: 20,
  batchRecords: 2,
  valueBytes: 40,
  compression: 'none',
  keys: 3,
  requestTimeoutMs: 1000,
}

function readAll(world: ChaosWorld): readonly (readonly string[])[] {
  const reader = new FinalReader({ name: 'final', topics: ['t'] }, world.context)
  world.start(reader)
  expect(world.settle(reader)).toBeNull()
  return [0, 1].map((partition) => world.read('final', partition))
}

describe('producer actor', () => {
  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'has every record acknowledged at its offset in a quiet run, compression %s',
    (compression) => {
      const world = new ChaosWorld()
      world.createTopic('t', 2)
      const producer = createProducerActor({ ...PLAN, compression }, world.context)
      world.start(producer)
      world.cluster.world.runFor(3000)
      expect(world.stop(producer)).toBeNull()
      const oks = world.sends('ok')
      expect(oks.length).toBeGreaterThan(100)
      expect(world.sends('info')).toEqual([])
      expect(world.sends('fail')).toEqual([])
      expect(historyProblems(world.history.entries)).toEqual([])
      const logs = readAll(world)
      for (const { partition, offset, value } of oks) expect(logs[partition]![offset!]).toBe(value)
      expect(logs.flat()).toHaveLength(oks.length)
      expect(oks[0]).toMatchObject({ key: 'k0', value: 'p:0', producerEpoch: 0, sequence: 0 })
    },
  )

  it.each([1, 2, 3])(
    'keeps order and repeats nothing through crashes of leaders, seed %i',
    (seed) => {
      const world = new ChaosWorld({ seed })
      world.createTopic('t', 2)
      const producer = createProducerActor({ ...PLAN, probes: true }, world.context)
      world.start(producer)
      for (const partition of [0, 1]) {
        world.cluster.world.runFor(1500)
        const crashed = world.crashLeader('t', partition)
        world.cluster.world.runFor(4000)
        world.cluster.restart(crashed)
        world.cluster.waitReady()
      }
      world.cluster.world.runFor(2000)
      expect(world.stop(producer)).toBeNull()
      expect(historyProblems(world.history.entries)).toEqual([])
      const logs = readAll(world)
      checkProbes(world, logs)
      const honest = world.sends('ok').filter(({ expects }) => expects === undefined)
      expect(honest.length).toBeGreaterThan(200)
      for (const { partition, offset, value } of honest) {
        expect(logs[partition]![offset!]).toBe(value)
      }
      for (const log of logs) {
        const numbers = log.map((value) => Number(value.slice(2)))
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
      }
    },
  )

  it.each([
    { acks: 1, idempotent: false },
    { acks: 0, idempotent: true },
    { acks: -1, idempotent: false },
  ] as const)('tries once without idempotence, %o', ({ acks, idempotent }) => {
    const world = new ChaosWorld()
    world.createTopic('t', 2)
    const producer = createProducerActor({ ...PLAN, acks, idempotent }, world.context)
    world.start(producer)
    world.cluster.world.runFor(1500)
    world.crashLeader('t', 0)
    world.cluster.world.runFor(4000)
    expect(world.stop(producer)).toBeNull()
    expect(historyProblems(world.history.entries)).toEqual([])
    const oks = world.sends('ok')
    expect(oks.length).toBeGreaterThan(50)
    expect(oks.every(({ idempotent, producerId }) => !idempotent && producerId === -1)).toBe(true)
    const offsets = oks.map(({ offset }) => offset!)
    expect(acks === 0 ? Math.max(...offsets) : 0).toBe(acks === 0 ? -1 : 0)
    expect(acks === 0 || world.sends('info').length > 0).toBe(true)
    const values = readAll(world).flat()
    expect(new Set(values).size).toBe(values.length)
  })

  it('ends what was open as info when its machine crashes, and begins a new session', () => {
    const world = new ChaosWorld()
    world.createTopic('t', 2)
    const producer = createProducerActor(PLAN, world.context)
    world.start(producer)
    world.cluster.world.runFor(1500)
    world.cluster.ids.forEach((id) => world.cluster.crash(id))
    world.cluster.world.runFor(500)
    world.crashClient(producer)
    const lost = world.sends('info')
    expect(lost.length).toBeGreaterThan(0)
    expect(new Set(lost.map(({ error }) => error))).toEqual(new Set(['CLIENT_CRASHED']))
    world.cluster.ids.forEach((id) => world.cluster.restart(id))
    world.cluster.world.runFor(6000)
    expect(world.stop(producer)).toBeNull()
    expect(historyProblems(world.history.entries)).toEqual([])
    const [first] = world.sends('ok')
    const later = world.entries('send', 'ok').filter(({ process }) => process === 'p/2')
    expect(later.length).toBeGreaterThan(20)
    expect(later.every(({ operation }) => operation.value.startsWith('p/2:'))).toBe(true)
    expect(later[0]!.operation.producerId).toBeGreaterThan(first!.producerId)
  })

  it('comes to an end when it is stopped while its machine is down', () => {
    const world = new ChaosWorld()
    world.createTopic('t', 2)
    const producer = createProducerActor(PLAN, world.context)
    world.start(producer)
    world.cluster.world.runFor(1000)
    const node = world.cluster.world.node('p')
    node.crash()
    world.cluster.world.runFor(500)
    producer.stop()
    world.cluster.world.runFor(500)
    producer.start(node.restart())
    expect(world.settle(producer)).toBeNull()
    expect(world.entries('send').every(({ process }) => process === 'p')).toBe(true)
    expect(historyProblems(world.history.entries)).toEqual([])
  })

  it('comes to an end when no broker is left', () => {
    const world = new ChaosWorld()
    world.createTopic('t', 2)
    const producer = createProducerActor(PLAN, world.context)
    world.start(producer)
    world.cluster.world.runFor(1000)
    world.cluster.ids.forEach((id) => world.cluster.crash(id))
    world.cluster.world.runFor(500)
    producer.stop()
    expect(producer.pending()).toContain('producer p waits for')
    expect(world.settle(producer)).toBeNull()
    expect(world.sends('info').length).toBeGreaterThan(0)
    expect(historyProblems(world.history.entries)).toEqual([])
  })

  it('probes: repeats are recognised, gaps and old epochs refused', () => {
    const world = new ChaosWorld()
    world.createTopic('t', 2)
    const producer = createProducerActor({ ...PLAN, probes: true }, world.context)
    world.start(producer)
    world.cluster.world.runFor(15_000)
    expect(world.stop(producer)).toBeNull()
    const counts = checkProbes(world, readAll(world))
    expect(counts.duplicate).toBeGreaterThan(2)
    expect(counts.gap).toBeGreaterThan(2)
    expect(counts.fenced).toBeGreaterThan(2)
  })
})

/** Every probe ended as it must. How many of each kind were answered. */
function checkProbes(
  world: ChaosWorld,
  logs: readonly (readonly string[])[],
): Readonly<Record<'duplicate' | 'gap' | 'fenced', number>> {
  const counts = { duplicate: 0, gap: 0, fenced: 0 }
  const errors = { gap: 'OUT_OF_ORDER_SEQUENCE_NUMBER', fenced: 'INVALID_PRODUCER_EPOCH' }
  for (const { kind, operation } of world.entries('send')) {
    const { expects, offset, originalOffset, error, value } = operation
    if (expects === undefined || kind === 'invoke' || kind === 'info') continue
    counts[expects] += 1
    const isRepeat = expects === 'duplicate'
    const seen = isRepeat ? { kind, offset } : { kind, error, isRead: logs.flat().includes(value) }
    expect(seen).toEqual(
      isRepeat
        ? { kind: 'ok', offset: originalOffset }
        : { kind: 'fail', error: errors[expects], isRead: false },
    )
  }
  return counts
}
