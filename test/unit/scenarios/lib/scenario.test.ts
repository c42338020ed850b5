// What a scenario file is made of: times, plans, expectations on small histories, the story, seeds that move faults.
import { describe, expect, it } from 'vitest'
import type { HistoryEntry } from '../../../../src/chaos/history/history.ts'
import type { SendOperation } from '../../../../src/chaos/history/operation.ts'
import { validatePlan } from '../../../../src/chaos/plan/validate-plan.ts'
import { PROBES } from '../../../../src/chaos/probes/index.ts'
import { SCENARIOS } from '../../../../scenarios/catalogue.ts'
import { durationMs } from '../../../../scenarios/lib/duration.ts'
import type { Evidence, HeardEvent } from '../../../../scenarios/lib/evidence.ts'
import {
  ackedBy,
  isrSize,
  leaderChange,
  showsSend,
  sometimes,
  within,
} from '../../../../scenarios/lib/expectation.ts'
import { STANDARD_FIGURES } from '../../../../scenarios/lib/figures.ts'
import { jittered } from '../../../../scenarios/lib/jitter.ts'
import { at, c3, leaderOf, producers, topic } from '../../../../scenarios/lib/plan-builders.ts'
import { scenario } from '../../../../scenarios/lib/scenario.ts'
import { timelineOf } from '../../../../scenarios/lib/timeline.ts'

const fault = at('2s', 'crash', leaderOf('t', 0), { until: '6s' })
const example = scenario('example', {
  section: 'A',
  number: 0,
  summary: '',
  lesson: '',
  modes: ['sim'],
  cluster: c3(),
  topics: [topic('t')],
  workload: [producers(2)],
  faults: [fault],
  expect: [sometimes('isr.shrunk')],
  invariants: ['D1'],
})

function send(
  atMs: number,
  kind: HistoryEntry['kind'],
  more: Partial<SendOperation>,
): HistoryEntry {
  const operation: SendOperation = {
    op: 'send',
    topic: 't',
    partition: 0,
    value: `v${atMs}`,
    key: null,
    acks: -1,
    idempotent: true,
    producerId: 1,
    producerEpoch: 0,
    ...more,
  }
  return { index: 0, atMs, process: 'producer-1', kind, of: 0, operation }
}

function heard(atMs: number, kind: string, fields: HeardEvent['event']['fields']): HeardEvent {
  return {
    atMs,
    event: { atMs, node: 'b1', kind, fields: { topic: 't', partition: 0, ...fields } },
  }
}

function evidence(given: Partial<Evidence>): Evidence {
  const fired = [{ row: fault, node: 'b1', atMs: 3000, isIdle: false }]
  const plan = example.plan(1)
  return { mode: 'sim', plan, history: [], events: [], fired, probes: {}, ...given }
}

describe('the words of a scenario', () => {
  it('reads times', () => {
    expect(['5s', '1.5s', '200ms', '2m', 7].map(durationMs)).toEqual([5000, 1500, 200, 120_000, 7])
    expect(() => durationMs('5 seconds')).toThrow('a time is written like 5s, 1.5s or 200ms')
  })

  it('refuses a scenario that could not fail', () => {
    const definition = { ...example, cluster: c3(), topics: [topic('t')], workload: [producers(1)] }
    expect(() =>
      scenario('x', { ...definition, expect: [], figures: [], play: undefined }),
    ).toThrow('expects nothing')
    const twins = [{ name: 'any', says: '' }]
    expect(() => scenario('x', { ...definition, twins, play: undefined })).toThrow(
      'may do anything',
    )
  })

  it.each(SCENARIOS.map((each) => [each.name, each] as const))(
    '%s has a plan that can be carried out, and asks for probes that exist',
    (name, each) => {
      expect(() => validatePlan(each.plan(1))).not.toThrow()
      expect(each.plan(7)).toMatchObject({ name, seed: 7 })
      const known = new Set(PROBES.map((probe) => `sometimes ${probe.name}`))
      const asked = each.expect.filter((one) => one.name.startsWith('sometimes '))
      expect(asked.filter((one) => !known.has(one.name))).toEqual([])
    },
  )

  it('moves faults by the seed alone, and keeps how long they last', () => {
    const moved = jittered(example.plan(5))
    expect(moved).toEqual(jittered(example.plan(5)))
    const [first] = moved.faults
    expect(first!.untilMs! - first!.atMs).toBe(4000)
    expect(Math.abs(first!.atMs - 2000)).toBeLessThanOrEqual(600)
    const times = [1, 2, 3, 4, 5].map((seed) => jittered(example.plan(seed)).faults[0]!.atMs)
    expect(new Set(times).size).toBeGreaterThan(1)
  })
})

describe('an expectation', () => {
  it('counts the hits of a probe, and cannot where nobody tells events', () => {
    const probe = sometimes('isr.shrunk')
    expect(probe.judge(evidence({ probes: { 'isr.shrunk': 2 } }))).toMatchObject({ isMet: true })
    expect(probe.judge(evidence({}))).toMatchObject({ isMet: false })
    expect(probe.judge(evidence({ mode: 'kafka' }))).toMatchObject({ isMet: null })
  })

  it('wants a new leader in time', () => {
    const soon = within('1s', leaderChange('t', 0))
    const before = heard(100, 'partition.leader-changed', { leader: 1, leaderEpoch: 3, isr: [1] })
    const old = heard(3100, 'partition.leader-changed', { leader: 1, leaderEpoch: 3, isr: [1] })
    const none = heard(3200, 'partition.leader-changed', { leader: -1, leaderEpoch: 4, isr: [1] })
    const next = heard(3900, 'watch.partition', { leader: 2, leaderEpoch: 5, isr: [2] })
    const late = heard(4500, 'watch.partition', { leader: 2, leaderEpoch: 5, isr: [2] })
    expect(soon.judge(evidence({ events: [before, old, none, next] }))).toEqual({
      isMet: true,
      detail: 'after 900 ms',
    })
    expect(soon.judge(evidence({ events: [before, late] })).isMet).toBe(false)
    expect(soon.judge(evidence({ mode: 'real', events: [before, late] })).isMet).toBe(true)
    expect(soon.judge(evidence({ events: [before, old] }))).toMatchObject({ detail: 'never' })
    expect(soon.judge(evidence({ fired: [] }))).toEqual({
      isMet: false,
      detail: 'no fault applied',
    })
  })

  it('wants an ISR of a size, and an acknowledgement, after a time of the chaos phase', () => {
    const events = [heard(5000, 'partition.isr-shrunk', { isr: [1, 2], leaderEpoch: 3 })]
    const history = [send(2000, 'ok', {}), send(6500, 'ok', { acks: 1 }), send(7000, 'ok', {})]
    expect(within('3s', isrSize('t', 0, 2)).judge(evidence({ events })).isMet).toBe(true)
    expect(within('3s', isrSize('t', 0, 1)).judge(evidence({ events })).isMet).toBe(false)
    const acked = within('1s', ackedBy('t', 0), { after: '5s' })
    expect(acked.judge(evidence({ history }))).toMatchObject({ detail: 'after 1000 ms' })
  })

  it('wants a send that ended so', () => {
    const refused = showsSend('refused', ({ operation }) => operation.error === 'X')
    expect(refused.judge(evidence({ history: [send(1, 'fail', { error: 'X' })] })).isMet).toBe(true)
    expect(refused.judge(evidence({ history: [send(1, 'invoke', { error: 'X' })] })).isMet).toBe(
      false,
    )
  })
})

describe('the story', () => {
  it('tells each change once, with the state of the partition, from the begin of the chaos', () => {
    const led = { leader: 1, leaderEpoch: 0, isr: [1, 2, 3] }
    const next = { leader: 2, leaderEpoch: 1, isr: [3, 2] }
    const rows = timelineOf(
      evidence({
        events: [
          heard(200, 'partition.leader-changed', led),
          heard(2900, 'partition.high-watermark', { leaderEpoch: 0, highWatermark: 40 }),
          heard(4500, 'partition.leader-changed', next),
          heard(4501, 'partition.leader-changed', next),
          heard(4502, 'watch.partition', led),
          heard(7100, 'replica.truncated', { from: 44, to: 40 }),
        ],
        history: [
          send(3500, 'info', { error: 'TIMEOUT' }),
          send(3600, 'info', { error: 'TIMEOUT' }),
        ],
      }),
      { topic: 't', partition: 0 },
    )
    expect(rows.map(({ atMs, text }) => `${atMs} ${text}`)).toEqual([
      '2000 b1, leader(t-0), is killed',
      '2500 producer-1 gets TIMEOUT to a send with acks=all, the first of 2',
      '3500 t-0 is led by broker 2 in epoch 1, in sync: 2, 3',
      '6000 b1: crash is over',
      '6100 b1 cuts 4 records off its t-0: its leader has others, or none there',
    ])
    expect(rows[0]!.state).toEqual({ leader: 1, epoch: 0, isr: [1, 2, 3], highWatermark: 40 })
    expect(rows[2]!.state).toMatchObject({ leader: 2, epoch: 1, isr: [2, 3] })
  })

  it('is summed up by what was lost and what was there twice', () => {
    const read = (values: readonly string[]): HistoryEntry => ({
      index: 0,
      atMs: 9000,
      process: 'final',
      kind: 'ok',
      of: 0,
      operation: {
        op: 'poll',
        topic: 't',
        partition: 0,
        position: 0,
        isolation: 'read_uncommitted',
        isFirst: true,
        purpose: 'final',
        records: values.map((value, offset) => ({ offset, value, key: null })),
      },
    })
    const history = [send(1, 'ok', {}), send(2, 'ok', {}), send(3, 'fail', {}), read(['v1', 'v1'])]
    const figures = STANDARD_FIGURES.map((each) => [each.name, each.value(evidence({ history }))])
    expect(Object.fromEntries(figures)).toMatchObject({
      acked: 2,
      refused: 1,
      'read back': 2,
      'acked and lost': 1,
      'written twice': 1,
    })
  })
})
