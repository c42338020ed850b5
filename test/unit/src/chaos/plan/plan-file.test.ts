// Goal: a schedule survives its file, and whatever is wrong with a file is told in one line.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../../../src/base/errors.ts'
import { FAULT_KINDS, type Fault } from '../../../../../src/chaos/plan/fault.ts'
import { ruleOf } from '../../../../../src/chaos/plan/fault-rules.ts'
import { parseSchedule, printSchedule } from '../../../../../src/chaos/plan/plan-file.ts'
import type { Plan } from '../../../../../src/chaos/plan/plan.ts'
import { validatePlan } from '../../../../../src/chaos/plan/validate-plan.ts'
import { chaosPlan } from '../../../../support/chaos-plan.ts'

const EXPECT = { verdict: 'fail', invariant: 'R14' }
const REQUIRED = { ms: 5, permille: 900, count: 3, name: 'retention.ms', value: '1' } as const

const fault: fc.Arbitrary<Fault> = fc
  .record({
    atMs: fc.nat(5000),
    kind: fc.constantFrom(...FAULT_KINDS),
    nodeTarget: fc.constantFrom('b1', 'c3', 'leader(t-0)', 'follower(t-1,1)', 'controller'),
    lengthMs: fc.integer({ min: 1, max: 5000 }),
    probe: fc.option(fc.record({ name: fc.constant('replica.truncated'), hit: fc.nat(3) })),
  })
  .map(({ atMs, kind, nodeTarget, lengthMs, probe }) => {
    const { aim, lasts, requires } = ruleOf(kind)
    const params = Object.fromEntries(
      requires.map((name) => [name, REQUIRED[name as keyof typeof REQUIRED]]),
    )
    const target = { node: nodeTarget, machine: nodeTarget, client: 'producer', cluster: 't' }[aim]
    return {
      atMs,
      kind,
      target,
      ...(lasts ? { untilMs: atMs + lengthMs } : {}),
      ...(requires.length > 0 ? { params } : {}),
      ...(probe === null ? {} : { atProbe: { ...probe, hit: probe.hit + 1 } }),
    }
  })

describe('a schedule', () => {
  it('is read as it was printed', () => {
    fc.assert(
      fc.property(fc.array(fault, { maxLength: 12 }), fc.nat(), (rows, seed) => {
        const faults = rows.toSorted((a, b) => a.atMs - b.atMs)
        const schedule = { plan: chaosPlan({ seed, faults }), expect: EXPECT }
        const text = printSchedule(schedule)
        expect(parseSchedule(text)).toEqual(schedule)
        expect(printSchedule(parseSchedule(text))).toBe(text)
      }),
    )
  })

  it('has one text, whatever the order of its fields', () => {
    const plan = chaosPlan()
    const turned = Object.fromEntries(Object.entries(plan).toReversed()) as unknown as Plan
    expect(printSchedule({ plan: turned, expect: EXPECT })).toBe(
      printSchedule({ plan, expect: EXPECT }),
    )
  })

  it.each([
    ['', 'schedule: not JSON ('],
    ['{', 'schedule: not JSON ('],
    ['[]', 'schedule: expected an object, not []'],
    ['{"format":"kafkette-schedule","version":1,"plan":{}}', 'schedule: "expect" is missing'],
    ['{"format":"x","version":1}', 'schedule.format: expected one of kafkette-schedule, not "x"'],
    [
      '{"format":"kafkette-schedule","version":2,"plan":{},"expect":{}}',
      'schedule.version: expected one of 1, not 2',
    ],
    ['{"formt":"x"}', 'schedule: unknown field "formt" (did you mean "format"?)'],
  ])('refuses %j', (text, message) => {
    expect(() => parseSchedule(text)).toThrow(ConfigError)
    expect(() => parseSchedule(text)).toThrow(message)
  })

  it('refuses any cut of its text, and never with another error', () => {
    const text = printSchedule({ plan: chaosPlan(), expect: EXPECT })
    for (let length = 0; length < text.length - 1; length += 7) {
      let problem: unknown = null
      try {
        parseSchedule(text.slice(0, length))
      } catch (error) {
        problem = error
      }
      expect(problem).toBeInstanceOf(ConfigError)
      expect((problem as ConfigError).message).not.toContain('\n')
    }
  })
})

describe('a plan', () => {
  const withFault = (row: object): unknown => ({ ...chaosPlan(), faults: [row] })
  const crash = { atMs: 5, kind: 'crash', target: 'b1' }

  it.each<[string, object, string]>([
    [
      'an unknown kind',
      { ...crash, kind: 'crsh' },
      'there is no fault "crsh" (did you mean "crash"?)',
    ],
    ['an unknown node', { ...crash, target: 'b9' }, 'there is no node or client "b9"'],
    ['a symbol that is none', { ...crash, target: 'leader(t)' }, '"leader(t)" is no target'],
    ['an unknown topic', { ...crash, target: 'leader(u-0)' }, 'there is no topic "u"'],
    ['an unknown group', { ...crash, target: 'coordinator(g)' }, 'there is no group "g"'],
    ['a client where a node must be', { ...crash, target: 'reader' }, '"reader" is a client'],
    [
      'a node where a client must be',
      { ...crash, kind: 'client-crash' },
      'client-crash is for clients, "b1" is a node',
    ],
    ['an end before its begin', { ...crash, untilMs: 5 }, 'ends at 5 ms, before it begins'],
    [
      'an end of what is over at once',
      { ...crash, kind: 'reset', untilMs: 9 },
      'reset is over at once, untilMs means nothing',
    ],
    [
      'a parameter of another kind',
      { ...crash, params: { factor: 3 } },
      'crash takes no params.factor',
    ],
    [
      'a parameter of the wrong type',
      { ...crash, kind: 'slow-node', params: { factor: 'x' } },
      'params.factor should be a number, not "x"',
    ],
    ['a parameter that is missing', { ...crash, kind: 'clock-jump' }, 'clock-jump needs params.ms'],
    ['a field that is unknown', { ...crash, untillMs: 9 }, 'did you mean "untilMs"?'],
    ['no target', { atMs: 5, kind: 'crash' }, 'plan.faults[0]: "target" is missing'],
    [
      'one disk for all',
      { ...crash, kind: 'wipe-disk', target: 'all' },
      'wipe-disk takes one node at a time',
    ],
  ])('is refused with %s', (_, row, message) => {
    expect(() => validatePlan(withFault(row))).toThrow(ConfigError)
    expect(() => validatePlan(withFault(row))).toThrow(message)
  })

  it.each<[string, (plan: Plan) => unknown, string]>([
    [
      'more replicas than brokers',
      (plan) => ({ ...plan, topics: [{ ...plan.topics[0], replicationFactor: 4 }] }),
      '"t" has 4 replicas on 3 brokers',
    ],
    [
      'a topic that is there twice',
      (plan) => ({ ...plan, topics: [plan.topics[0], plan.topics[0]] }),
      '"t" is there twice',
    ],
    [
      'a client of no topic',
      (plan) => ({ ...plan, topics: [plan.topics[1]] }),
      'there is no topic "t"',
    ],
    [
      'two clients of one name',
      (plan) => ({ ...plan, workload: [plan.workload[0], plan.workload[0]] }),
      'the name "producer" is there twice',
    ],
    [
      'faults out of order',
      (plan) => ({ ...plan, faults: [{ ...crash, atMs: 9 }, crash] }),
      'is at 5 ms, after one at 9 ms',
    ],
    [
      'a negative time',
      (plan) => ({ ...plan, chaosMs: -1 }),
      'plan.chaosMs: expected a whole number from 0',
    ],
    ['no plan at all', () => null, 'plan: expected an object, not null'],
  ])('is refused with %s', (_, change, message) => {
    expect(() => validatePlan(change(chaosPlan()))).toThrow(ConfigError)
    expect(() => validatePlan(change(chaosPlan()))).toThrow(message)
  })
})
