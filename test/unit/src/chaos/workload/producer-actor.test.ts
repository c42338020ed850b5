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
})
