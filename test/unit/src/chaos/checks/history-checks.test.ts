import { describe, expect, it, test } from 'vitest'
import { checkHistory, HISTORY_CHECKS } from '../../../../../src/chaos/checks/index.ts'
import type { HistoryEntry } from '../../../../../src/chaos/history/history.ts'
import { INVARIANTS } from '../../../../../src/chaos/invariants.ts'
import type { Fault } from '../../../../../src/chaos/plan/fault.ts'
import type { WorkloadPlan } from '../../../../../src/chaos/plan/workload-plan.ts'
import {
  evidenceOf,
  GROUP,
  HistoryScript,
  outcome,
  planOf,
  PRODUCER,
  READER,
  TOPIC,
  verdict,
} from '../../../../support/chaos-history.ts'

const crash = { atMs: 1, kind: 'crash', target: 'b1' } as const
const pause = { atMs: 1, kind: 'pause', target: 'b1' } as const
const expiring = planOf({ topic: { configs: { 'retention.bytes': '1000' } } })
const compacted = planOf({ topic: { configs: { 'cleanup.policy': 'compact' } } })
const grouped = planOf({ workload: [GROUP] })
const script = (): HistoryScript => new HistoryScript()

test('every check is of an invariant of its own, and empty histories are vacuously valid', () => {
  const ids = HISTORY_CHECKS.map(({ invariant }) => invariant)
  expect(new Set(ids).size).toBe(ids.length)
  for (const id of ids) expect(Object.keys(INVARIANTS)).toContain(id)
  for (const { verdict: answer, evaluated } of checkHistory(evidenceOf([]))) {
    expect([answer, evaluated]).toEqual(['valid', 0])
  }
})

test('a violation says what is wrong and when', () => {
  const history = script().acked('a', 0).final([])
  expect(outcome('D1', history).violations).toEqual([
    { invariant: 'D1', message: 'a was acknowledged at offset 0 of t-0-0 and is gone', atMs: 2 },
  ])
})

test('the same thing broken a thousand times is told twenty times', () => {
  const history = script()
  for (let offset = 0; offset < 1000; offset += 1) history.acked(`v${offset}`, offset)
  expect(outcome('D1', history.final([])).violations).toHaveLength(20)
})

describe('durability (D1)', () => {
  it('needs the final read', () => {
    const history = script().acked('a', 0)
    expect(verdict('D1', history)).toBe('unknown')
    expect(verdict('D1', history.final([[0, 'a']]), { isUnfinished: true })).toBe('unknown')
    expect(verdict('D1', history)).toBe('valid 1')
  })

  it('finds without a final read what readers went past', () => {
    const history = script()
      .acked('a', 0)
      .acked('b', 1)
      .poll('r', 0, [[1, 'b']])
    expect(verdict('D1', history, { isUnfinished: true })).toBe('invalid')
  })

  it('claims nothing of acks=1, of probes, and over the budget', () => {
    const weak = script().acked('a', 0, { acks: 1 }).final([])
    expect(verdict('D1', weak)).toBe('valid 0')
    const probe = script().acked('a', 0, { expects: 'gap' }).final([])
    expect(verdict('D1', probe)).toBe('valid 0')
    const lost = script().acked('a', 0).final([])
    expect(verdict('D1', lost, { isOverBudget: true })).toBe('valid 0')
  })

  it('finds a record at another place', () => {
    expect(
      verdict(
        'D1',
        script()
          .acked('a', 0)
          .final([[1, 'a']]),
      ),
    ).toBe('invalid')
  })

  it('lets retention delete and compaction replace, and only where they are set', () => {
    const deleted = script()
      .acked('a', 0)
      .acked('b', 1)
      .final([[1, 'b']], 0, { logStartOffset: 1 })
    expect(verdict('D1', deleted)).toBe('invalid')
    expect(verdict('D1', deleted, { plan: expiring })).toBe('valid 1')
    const replaced = script()
      .acked('a', 0, { key: 'k' })
      .acked('b', 1, { key: 'k' })
      .final([[1, 'b', 'k']])
    expect(verdict('D1', replaced)).toBe('invalid')
    expect(verdict('D1', replaced, { plan: compacted })).toBe('valid 1')
    const both = script().acked('a', 0, { key: 'k' }).acked('b', 1, { key: 'k' }).final([])
    expect(verdict('D1', both, { plan: compacted })).toBe('invalid')
  })

  it('does not compare logs of topics that were made anew', () => {
    const faults = [{ atMs: 1, kind: 'recreate-topic', target: TOPIC } as const]
    const history = script().acked('a', 0).final([])
    expect(verdict('D1', history, { plan: planOf({ faults }) })).toBe('valid 0')
  })
})

describe('the order of appends (R3, R4)', () => {
  it('goes by real time, not by the order of answers', () => {
    const history = script()
    const [first, second] = [history.send('a'), history.send('b')]
    history.ok(second, 0).ok(first, 1)
    expect(verdict('R4', history)).toBe('valid 0')
    expect(verdict('R4', history.acked('c', 2))).toBe('valid 1')
    expect(verdict('R4', history.acked('d', 1))).toBe('invalid')
  })

  it('includes sends without an answer by where they are found', () => {
    const history = script().acked('a', 1)
    history.info(history.send('b'))
    expect(
      verdict(
        'R4',
        history.final([
          [0, 'b'],
          [1, 'a'],
        ]),
      ),
    ).toBe('invalid')
  })

  it('leaves acks=1 alone, whose offsets may be given again', () => {
    const history = script().acked('a', 5, { acks: 1 }).acked('b', 5).acked('c', 6)
    expect(verdict('R3', history)).toBe('valid 2')
    expect(verdict('R4', history)).toBe('valid 1')
  })

  it('finds another record at an acknowledged offset', () => {
    expect(
      verdict(
        'R3',
        script()
          .acked('a', 0)
          .poll('r', 0, [[0, 'b']]),
      ),
    ).toBe('invalid')
  })
})

describe('the visible end (R11)', () => {
  it('may lag between clients only where a replaced leader can live on', () => {
    const history = script().latest('w1', 10).latest('w2', 5)
    expect(verdict('R11', history, { plan: planOf({ faults: [crash] }) })).toBe('invalid')
    expect(verdict('R11', history, { plan: planOf({ faults: [pause] }) })).toBe('valid 0')
    expect(verdict('R11', history.latest('w2', 4), { plan: planOf({ faults: [pause] }) })).toBe(
      'invalid',
    )
  })

  it('compares all clients again when all is healed', () => {
    const { entries } = script().latest('w1', 10).latest('w2', 5).history
    const plan = planOf({ faults: [pause] })
    const outcomes = checkHistory({ ...evidenceOf(entries, { plan }), healedAtMs: 3 })
    expect(outcomes.find(({ invariant }) => invariant === 'R11')?.verdict).toBe('invalid')
  })

  it('counts what was answered before the question only', () => {
    const history = script()
    const operation = { op: 'list-offsets', topic: TOPIC, partition: 0, which: 'latest' } as const
    const early = history.history.invoke('w1', operation)
    history.latest('w2', 10)
    history.history.end(early, 'w1', 'ok', { ...operation, offset: 5 })
    expect(verdict('R11', history)).toBe('valid 0')
  })

  it('allows a position out of range where records are deleted', () => {
    const history = script().refused('r', 0, 'OFFSET_OUT_OF_RANGE')
    expect(verdict('R11', history)).toBe('invalid')
    expect(verdict('R11', history, { plan: expiring })).toBe('valid 0')
  })
})

describe('reads (D2, D3, D4, D7)', () => {
  it('are of what was sent there', () => {
    const history = script().acked('a', 0)
    expect(verdict('D2', history.poll('r', 0, [[0, 'a']]))).toBe('valid 1')
    expect(
      verdict(
        'D2',
        script()
          .acked('a', 0)
          .poll('r', 0, [[0, 'a']], { partition: 1 }),
      ),
    ).toBe('invalid')
  })

  it('agree with each other also without a final read', () => {
    const history = script()
      .poll('r', 0, [[0, 'a']])
      .poll('s', 0, [[0, 'a']])
    expect(verdict('D3', history)).toBe('unknown')
    expect(verdict('D3', history.poll('q', 0, [[0, 'b']]))).toBe('invalid')
    expect(verdict('D3', history, { isOverBudget: true })).toBe('valid 0')
  })

  it('are never of a failed send, whatever the budget', () => {
    const history = script()
    history.fail(history.send('a'))
    expect(verdict('D4', history)).toBe('valid 0')
    expect(verdict('D4', history.poll('r', 0, [[0, 'a']]), { isOverBudget: true })).toBe('invalid')
  })

  describe('of a client that checks no CRC', () => {
    const kafkajs: WorkloadPlan = {
      kind: 'kafkajs',
      name: 'js',
      topic: TOPIC,
      partitions: [0],
      groupId: 'js',
      members: 1,
      idempotent: false,
      everyMs: 10,
    }
    const faults = [{ atMs: 1, kind: 'bit-flip', target: 'b1' } as const]
    const flips = planOf({ faults, workload: [kafkajs] })

    function readAs(value: string, key = 'k'): HistoryScript {
      const history = script().acked('abc', 0, { key: 'k' })
      return history.poll('js-1', 0, [[0, value, key]]).final([[0, 'abc', 'k']])
    }

    it('may have one flipped bit, in the value, its filling or the key', () => {
      for (const history of [
        readAs('abb'),
        readAs('abc|xxxzxx'),
        readAs('abc}xxxxxx'),
        readAs('ab\ufffd'),
        readAs('abc', 'j'),
      ]) {
        expect(verdict('D2', history, { plan: flips })).toBe('valid 2')
        expect(verdict('D3', history, { plan: flips })).toMatch(/^valid/)
      }
      const expired = script()
        .acked('abc', 0)
        .poll('js-1', 0, [[0, 'abb']])
      expect(verdict('D2', expired, { plan: flips })).toBe('valid 1')
    })

    it('may differ in nothing else, by no other fault, and for no other client', () => {
      for (const history of [readAs('abd'), readAs('aaa'), readAs('abcd'), readAs('abb', 'j')]) {
        expect(verdict('D2', history, { plan: flips })).toBe('invalid')
      }
      const noFlips = planOf({ faults: [crash], workload: [kafkajs] })
      expect(verdict('D2', readAs('abb'), { plan: noFlips })).toBe('invalid')
      const other = script()
        .acked('abc', 0)
        .poll('r', 0, [[0, 'abb']])
      expect(verdict('D2', other, { plan: flips })).toBe('invalid')
      const nothing = script().poll('js-1', 0, [[0, 'abb']])
      expect(verdict('D2', nothing, { plan: flips })).toBe('invalid')
    })

    it('takes compressed bytes for a record behind the end once for each flipped bit', () => {
      const garbled = (times: number): HistoryScript => {
        const history = script()
          .acked('a', 0)
          .final([[0, 'a']])
        for (let time = 0; time < times; time += 1) {
          history.poll('js-1', 0, [[40, '']], { highWatermark: 1 })
        }
        return history
      }
      for (const id of ['D2', 'D3'] as const) {
        expect(verdict(id, garbled(1), { plan: flips })).toMatch(/^valid/)
      }
      expect(verdict('D2', garbled(2), { plan: flips })).toBe('invalid')
      const below = script()
        .acked('a', 0)
        .poll('js-1', 0, [[0, '']], { highWatermark: 1 })
      expect(verdict('D2', below, { plan: flips })).toBe('invalid')
    })

    it('skips records once for each flipped bit, as kafkajs when the count of a batch is damaged', () => {
      const flip = { atMs: 1, kind: 'bit-flip', target: 'b1' } as const
      const sent = script().acked('a', 0).acked('b', 1).acked('c', 2).acked('d', 3).acked('e', 4)
      const skips = sent.poll('js-1', 0, [
        [0, 'a'],
        [2, 'c'],
        [4, 'e'],
      ])
      const withFlips = (faults: readonly Fault[]): string =>
        verdict('D5', skips, { plan: planOf({ faults, workload: [kafkajs] }) })
      expect(withFlips([flip, flip])).toMatch(/^valid/)
      expect(withFlips([flip])).toBe('invalid')
      expect(withFlips([crash])).toBe('invalid')
      const other = script()
        .acked('a', 0)
        .acked('b', 1)
        .poll('r', 0, [[1, 'b']])
      expect(verdict('D5', other, { plan: planOf({ faults: [flip] }) })).toBe('invalid')
    })
  })

  it('may meet damaged bytes only where a fault damages some', () => {
    const history = script().refused('r', 3, 'CORRUPT_MESSAGE')
    expect(verdict('D7', history)).toBe('invalid')
    const faults = [{ atMs: 1, kind: 'bit-flip', target: 'b1' } as const]
    expect(verdict('D7', history, { plan: planOf({ faults }) })).toBe('valid 0')
  })
})

describe('the order of reads (D5)', () => {
  it('has gaps only where nobody ever saw a record', () => {
    const gap = script().poll('r', 0, [
      [0, 'a'],
      [2, 'c'],
    ])
    expect(verdict('D5', gap)).toMatch(/^valid/)
    expect(
      verdict(
        'D5',
        gap.poll('s', 0, [
          [0, 'a'],
          [1, 'b'],
        ]),
      ),
    ).toBe('invalid')
  })

  it('goes on where the poll before ended', () => {
    const history = script()
      .poll('r', 0, [[0, 'a']])
      .acked('b', 1)
    expect(verdict('D5', history.poll('r', 2, [[2, 'c']]))).toBe('invalid')
  })

  it('begins a new assignment at the committed offset', () => {
    const first = { purpose: 'group', isFirst: true } as const
    const history = script().committed('g-1', 5).poll('g-1', 5, [], first)
    expect(verdict('D5', history)).toBe('valid 1')
    expect(verdict('D5', history.committed('g-1', 6).poll('g-1', 5, [], first))).toBe('invalid')
  })

  it('begins by its reset where the log was lost below the committed offset', () => {
    const first = { purpose: 'group', isFirst: true } as const
    const overBudget = { isOverBudget: true }
    const history = script()
      .committed('g-1', 5)
      .refused('g-1', 5, 'OFFSET_OUT_OF_RANGE', first)
      .poll('g-1', 0, [], first)
    expect(verdict('D5', history, overBudget)).not.toBe('invalid')
    expect(verdict('D5', history)).toBe('invalid')
    // Answers from after the reset bind again, and so do those of a reader that was not refused.
    const again = history.committed('g-1', 3).poll('g-1', 0, [], first)
    expect(verdict('D5', again, overBudget)).toBe('invalid')
    const unasked = script().committed('g-1', 5).poll('g-1', 0, [], first)
    expect(verdict('D5', unasked, overBudget)).toBe('invalid')
  })

  it('begins with the first record where nothing is committed', () => {
    const first = { purpose: 'group', isFirst: true } as const
    const history = script().acked('a', 0).committed('g-1', -1).poll('g-1', 1, [], first)
    expect(verdict('D5', history)).toBe('invalid')
  })

  it('may begin anew after a reset', () => {
    const history = script()
      .poll('r', 0, [[0, 'a']])
      .refused('r', 1, 'OFFSET_OUT_OF_RANGE')
    expect(verdict('D5', history.poll('r', 0, [[0, 'a']], { isFirst: false }))).toBe('valid 3')
  })
})

describe('producers (P1, P5, D6)', () => {
  it('may repeat themselves without idempotence', () => {
    const history = script()
      .acked('a', 1, { idempotent: false })
      .final([
        [0, 'a'],
        [1, 'a'],
      ])
    expect(verdict('P1', history)).toBe('valid 0')
    expect(verdict('D6', history)).toBe('valid 2')
    expect(verdict('P5', history)).toBe('valid 0')
  })

  it('keep the order within a session, not across', () => {
    const history = script()
    const [a, b] = [history.send('a'), history.send('b')]
    history
      .info(a)
      .info(b)
      .final([
        [0, 'b'],
        [1, 'a'],
      ])
    expect(verdict('P5', history)).toBe('invalid')
    const other = script()
    const [c, d] = [other.send('c'), other.send('d', { producerEpoch: 1 })]
    other
      .info(c)
      .info(d)
      .final([
        [0, 'd'],
        [1, 'c'],
      ])
    expect(verdict('P5', other)).toBe('valid 0')
  })

  it('have an id each, as long as the controllers keep what they have', () => {
    const history = script().acked('a', 0, { process: 'p' })
    history.acked('b', 1, { process: 'q', producerId: 8 }).acked('c', 2, { process: 'p' })
    history.final([
      [0, 'a'],
      [1, 'b'],
      [2, 'c'],
    ])
    expect(verdict('P1', history)).toBe('valid 3')
    expect(verdict('P1', history.acked('d', 3, { process: 'q' }))).toBe('invalid')
  })

  it('are unknown without a final read', () => {
    expect(verdict('P1', script().acked('a', 0))).toBe('unknown')
    expect(verdict('P5', script().acked('a', 0))).toBe('unknown')
  })

  it('are given real offsets', () => {
    expect(verdict('D6', script().acked('a', -1, { acks: 1 }))).toBe('invalid')
    expect(verdict('D6', script().acked('a', -1, { acks: 0 }))).toBe('valid 0')
  })

  it('are not asked about a client that keeps its sessions to itself', () => {
    const unknown = { producerId: -1, producerEpoch: -1 }
    const history = script()
    const a = history.send('a', unknown)
    const b = history.send('b', unknown)
    history.ok(b, 0).ok(a, 1)
    history.final([
      [0, 'b'],
      [1, 'a'],
      [2, 'a'],
    ])
    for (const id of ['P1', 'P5'] as const) expect(verdict(id, history)).toBe('valid 0')
  })
})

describe('groups (G1, G3, G4, G6, G9)', () => {
  it('may overlap across generations, and after a crash', () => {
    const zombie = script().own('assigned', 'g-1', 1, [0]).own('assigned', 'g-2', 2, [0])
    expect(verdict('G1', zombie)).toBe('valid 2')
    const crashed = script().own('assigned', 'g-1', 1, [0]).own('assigned', 'g-1/2', 1, [0])
    expect(verdict('G1', crashed)).toBe('valid 2')
    expect(verdict('G1', zombie.own('assigned', 'g-1', 2, [0]))).toBe('invalid')
  })

  it('count what a member keeps in the new generation', () => {
    const history = script().own('assigned', 'g-1', 1, [0, 1]).own('assigned', 'g-1', 2, [0])
    expect(verdict('G1', history.own('assigned', 'g-2', 2, [0]))).toBe('invalid')
  })

  it('refuse commits of older generations and of lost memberships', () => {
    const history = script().own('assigned', 'g-1', 2, [0]).commit('g-2', 1, 5, 'fail')
    expect(verdict('G3', history)).toBe('valid 1')
    expect(verdict('G3', history.commit('g-1', 2, 6))).toBe('valid 1')
    const operation = {
      op: 'commit',
      group: 'group',
      member: 'g-2',
      generation: 2,
      topic: TOPIC,
      partition: 0,
      offset: 1e9,
      expects: 'refused',
    } as const
    const index = history.history.invoke('g-2', operation)
    history.history.end(index, 'g-2', 'info', operation)
    expect(verdict('G3', history)).toBe('valid 1')
    expect(verdict('G3', history.committed('g-1', 1e9))).toBe('invalid')
  })

  it('let a commit without an answer take effect late', () => {
    const late = script().commit('g-1', 1, 5, 'info').commit('g-1', 1, 6).committed('g-1', 5)
    expect(verdict('G4', late, { plan: grouped })).toBe('valid 1')
    const lost = script().commit('g-1', 1, 5).commit('g-1', 1, 6).committed('g-1', 5)
    expect(verdict('G4', lost, { plan: grouped })).toBe('invalid')
    const none = script().commit('g-1', 1, 5).committed('g-1', -1)
    expect(verdict('G4', none, { plan: grouped })).toBe('invalid')
  })

  it('remember what was shown once', () => {
    const history = script().commit('g-1', 1, 5).commit('g-1', 1, 6, 'info')
    history.committed('g-1', 6).committed('g-1', 5)
    expect(verdict('G4', history, { plan: grouped })).toBe('invalid')
  })

  it('do not judge observers while a replaced coordinator may answer them', () => {
    const history = script().commit('g-1', 1, 5).committed('g-watch', -1)
    const plan = planOf({ workload: [GROUP], faults: [pause] })
    expect(verdict('G4', history, { plan })).toBe('valid 0')
    expect(verdict('G4', history, { plan: grouped })).toBe('invalid')
  })

  it('process at most once where they commit first', () => {
    const plan = planOf({ workload: [{ ...GROUP, commit: 'before-processing' }] })
    const given = { purpose: 'group' } as const
    const history = script().poll('g-1', 0, [[0, 'a']], given)
    expect(verdict('G6', history, { plan })).toBe('valid 1')
    expect(verdict('G6', history.poll('g-2', 0, [[0, 'a']], given), { plan })).toBe('invalid')
    expect(verdict('G6', history, { plan: grouped })).toBe('unknown')
  })

  it('are complete at the end, if the last generation lasted', () => {
    const history = script().own('assigned', 'g-1', 1, [0])
    const hasty = script().own('assigned', 'g-1', 1, [0]).final([])
    expect(verdict('G9', history, { plan: grouped })).toBe('unknown')
    expect(verdict('G9', hasty, { plan: grouped })).toBe('valid 0')
    expect(verdict('G9', history.idle(9000).final([]), { plan: grouped })).toBe('invalid')
    const whole = script().own('assigned', 'g-1', 1, [0, 1]).idle(9000).final([])
    expect(verdict('G9', whole, { plan: grouped })).toBe('valid 1')
  })

  it('need a generation only when there was time for one after the heal', () => {
    const { entries } = script().idle(9000).final([]).history
    const verdictAt = (healedAtMs: number): string | undefined => {
      const evidence = { ...evidenceOf(entries, { plan: grouped }), healedAtMs }
      return checkHistory(evidence).find(({ invariant }) => invariant === 'G9')?.verdict
    }
    expect(verdictAt(0)).toBe('invalid')
    expect(verdictAt(8000)).toBe('valid')
  })

  it('need a complete generation only when there was time for one after the heal', () => {
    const { entries } = script().own('assigned', 'g-1', 1, [0]).idle(9000).final([]).history
    const verdictAt = (healedAtMs: number): string | undefined => {
      const evidence = { ...evidenceOf(entries, { plan: grouped }), healedAtMs }
      return checkHistory(evidence).find(({ invariant }) => invariant === 'G9')?.verdict
    }
    expect(verdictAt(0)).toBe('invalid')
    expect(verdictAt(8000)).toBe('valid')
  })

  it('need a generation only when there was time for one before they were told to stop', () => {
    const { entries } = script().idle(9000).final([]).history
    const verdictAt = (membersStoppedAtMs: number): string | undefined => {
      const evidence = {
        ...evidenceOf(entries, { plan: grouped }),
        healedAtMs: 0,
        membersStoppedAtMs,
      }
      return checkHistory(evidence).find(({ invariant }) => invariant === 'G9')?.verdict
    }
    expect(verdictAt(9000)).toBe('invalid')
    expect(verdictAt(1000)).toBe('valid')
  })
})

describe('Connect (C1, C2, C4, L5)', () => {
  const plan = planOf({
    workload: [{ kind: 'connect', name: 'c', topic: TOPIC, tasks: 1, everyMs: 10 }],
  })
  const lines = (): HistoryScript =>
    script().line('line-committed', 't', 0).line('line-committed', 't', 1)

  it('has in Kafka and in the sink what it committed', () => {
    const history = lines().line('line-sunk', 't', 0).line('line-sunk', 't', 1)
    expect(verdict('C1', history, { plan })).toBe('unknown')
    expect(verdict('C4', history, { plan, isUnfinished: true })).toBe('unknown')
    history.final([
      [0, 't#0'],
      [1, 't#1'],
    ])
    for (const id of ['C1', 'C4'] as const) expect(verdict(id, history, { plan })).toBe('valid 2')
    expect(verdict('D2', history, { plan })).toBe('valid 0')
  })

  it('is told of lines that are missing, and of offsets that go back', () => {
    const history = lines()
      .line('line-sunk', 't', 1)
      .final([[0, 't#1']])
    expect(verdict('C1', history, { plan })).toBe('invalid')
    expect(verdict('C4', history, { plan })).toBe('invalid')
    expect(verdict('C2', history)).toBe('valid 1')
    expect(verdict('C2', history.line('line-committed', 't', 0))).toBe('invalid')
  })

  it('asks for no lines where the topic does not keep them', () => {
    const history = lines().final([[1, 't#1']])
    const settings: Record<string, string>[] = [
      { 'retention.bytes': '1' },
      { 'cleanup.policy': 'compact' },
    ]
    for (const configs of settings) {
      const [topic] = plan.topics
      const forgetful = { ...plan, topics: [{ ...topic!, configs }] }
      for (const id of ['C1', 'C4'] as const) {
        expect(verdict(id, history, { plan: forgetful })).toBe('valid 0')
      }
    }
  })

  it('lets no task fail, unless records were lost', () => {
    const history = lines()
    expect(verdict('L5', history, { plan })).toBe('valid 1')
    history.taskFailed('c-source-0', 'out of order')
    expect(verdict('L5', history, { plan })).toBe('invalid')
    expect(verdict('L5', history, { plan, isOverBudget: true })).toBe('valid 0')
  })
})

describe('liveness (L3, L4)', () => {
  it('asks the last life of each client only', () => {
    const history = script()
    history.send('a', { process: 'p' })
    history.acked('b', 0, { process: 'p/2' }).final([[0, 'b']])
    expect(verdict('L3', history)).toBe('valid 2')
    history.send('c', { process: 'p/2' })
    expect(verdict('L3', history)).toBe('invalid')
    expect(verdict('L3', history, { isUnfinished: true })).toBe('unknown')
  })

  it('leaves out what the harness sends when readers have stopped', () => {
    const plan = planOf({ workload: [PRODUCER, READER] })
    const history = script()
      .acked('a', 0)
      .poll('r', 0, [[0, 'a']])
    history.acked('b', 1, { process: 'verify' }).final([
      [0, 'a'],
      [1, 'b'],
    ])
    expect(verdict('L4', history, { plan })).toBe('valid 1')
  })

  it('finds readers and groups that did not get to the end', () => {
    const plan = planOf({ workload: [PRODUCER, READER] })
    const history = script()
      .acked('a', 0)
      .final([[0, 'a']])
    expect(verdict('L4', history, { plan })).toBe('invalid')
    const groups = planOf({ workload: [PRODUCER, GROUP] })
    expect(verdict('L4', history, { plan: groups })).toBe('invalid')
    history.poll('g-2', 0, [[0, 'a']], { purpose: 'group' })
    expect(verdict('L4', history, { plan: groups })).toBe('valid 1')
  })
})

describe('cost (X4)', () => {
  /** So many sends, each read by two readers. */
  function entriesOf(sends: number): readonly HistoryEntry[] {
    const history = script()
    for (let from = 0; from < sends; from += 10) {
      const rows = Array.from({ length: 10 }, (_, at) => [from + at, `v${from + at}`] as const)
      const handles = rows.map(([, value]) => history.send(value))
      for (const [at, handle] of handles.entries()) history.ok(handle, from + at)
      history
        .poll('r', from, rows)
        .poll('s', from, rows)
        .latest('w', from + 10)
    }
    history.final(Array.from({ length: sends }, (_, at) => [at, `v${at}`] as const))
    return history.history.entries
  }

  function costMs(entries: readonly HistoryEntry[]): number {
    const beganMs = performance.now()
    for (const { verdict: answer } of checkHistory(evidenceOf(entries)))
      expect(answer).toBe('valid')
    return performance.now() - beganMs
  }

  it('grows about as the history does', () => {
    const small = entriesOf(10_000)
    const large = entriesOf(40_000)
    costMs(small)
    const smallMs = Math.min(costMs(small), costMs(small))
    // Four times the history; a quadratic check would take sixteen times as long.
    expect(Math.min(costMs(large), costMs(large)) / smallMs).toBeLessThan(11)
  })
})
