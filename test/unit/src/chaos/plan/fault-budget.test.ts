// Goal: a plan promises durability exactly as long as every partition keeps a replica that lost nothing.
import { describe, expect, it } from 'vitest'
import { budgetOf } from '../../../../../src/chaos/plan/fault-budget.ts'
import type { Fault } from '../../../../../src/chaos/plan/fault.ts'
import { chaosPlan } from '../../../../support/chaos-plan.ts'

const powerCut: Fault = { atMs: 1000, kind: 'power-cut', target: 'leader(t-0)', untilMs: 2000 }
const crash: Fault = { atMs: 3000, kind: 'crash', target: 'follower(t-0,0)', untilMs: 4000 }
const LONG_MS = 60_000

const HOLDS = { holdsDurability: true, isUnclean: false, holdsQuorum: true }
const LOSES = { ...HOLDS, holdsDurability: false }
const LOSES_ALL = { ...LOSES, holdsQuorum: false }

describe('the budget of a plan', () => {
  it.each<[string, readonly Fault[], object]>([
    ['no faults', [], HOLDS],
    ['crashes, however many', [{ ...crash, target: 'all' }, crash], HOLDS],
    ['one replica without power', [powerCut], HOLDS],
    ['one without power while another catches up', [powerCut, crash], HOLDS],
    [
      'one without power while both others are away',
      [powerCut, crash, { ...crash, target: 'b3' }],
      LOSES,
    ],
    [
      'one without power long after the others came back',
      [
        { ...crash, atMs: 0, untilMs: 100 },
        { ...crash, atMs: 0, untilMs: 100 },
        { ...powerCut, atMs: 20_000, untilMs: 21_000 },
      ],
      HOLDS,
    ],
    ['all power gone', [{ atMs: 0, kind: 'power-cut-all', target: 'all' }], LOSES],
    ['an isolated leader without power', [powerCut, { ...crash, kind: 'cut' }], LOSES],
    ['voters without power', [{ ...powerCut, target: 'controller' }], HOLDS],
    ['the disk of a voter wiped', [{ ...powerCut, kind: 'wipe-disk', target: 'c1' }], LOSES_ALL],
    [
      'the disk of a voter wiped while the others have everything',
      [{ ...powerCut, kind: 'wipe-disk', target: 'c1', params: { isWithinBudget: true } }],
      HOLDS,
    ],
    ['the disk of a broker wiped', [{ ...powerCut, kind: 'wipe-disk', target: 'b1' }], HOLDS],
    ['a write of a voter lost', [{ atMs: 0, kind: 'lose-write', target: 'controller' }], LOSES_ALL],
    ['one damaged replica', [{ atMs: 0, kind: 'bit-flip', target: 'b1' }], HOLDS],
    [
      'damage on purpose beyond the atlas',
      [{ atMs: 0, kind: 'bit-flip', target: 'b1', params: { isOverBudget: true } }],
      LOSES,
    ],
    [
      'a lying disk of a voter and a power cut',
      [
        { atMs: 0, kind: 'lying-fsync', target: 'c1' },
        { ...powerCut, target: 'c1' },
      ],
      LOSES_ALL,
    ],
    [
      'unclean elections allowed on the way',
      [
        {
          atMs: 0,
          kind: 'alter-topic',
          target: 't',
          params: { name: 'unclean.leader.election.enable', value: 'true' },
        },
      ],
      { ...LOSES, isUnclean: true },
    ],
  ])('with %s', (_, faults, expected) => {
    expect(budgetOf(chaosPlan({ faults, chaosMs: LONG_MS }))).toEqual(expected)
  })

  it('counts a combined node as a voter', () => {
    const faults: Fault[] = [{ ...powerCut, kind: 'wipe-disk', target: 'leader(t-0)' }]
    expect(budgetOf(chaosPlan({ layout: 'combined', faults }))).toEqual(LOSES_ALL)
  })

  it('is unclean by the settings of the cluster', () => {
    const properties = { 'unclean.leader.election.enable': 'true' }
    expect(budgetOf(chaosPlan({ properties })).isUnclean).toBe(true)
  })
})
