import { describe, expect, it } from 'vitest'
import {
  groupFailures,
  roleIn,
  sentenceOf,
} from '../../../../../src/chaos/campaign/failure-groups.ts'
import { outcome } from '../../../../support/fake-seed-runner.ts'

const lost = (seed: number, reason: string) =>
  outcome(seed, { verdict: 'fail', invariant: 'D1', reason })

describe('groupFailures', () => {
  it('puts together what differs in numbers only, largest first', () => {
    const groups = groupFailures([
      outcome(1),
      outcome(2, { verdict: 'stuck', reason: 'partition t-3 has no leader' }),
      lost(3, 'b1 lost offset 17 of t-0. It was acknowledged at 3 s'),
      lost(4, 'b3 lost offset 2 of t-1. It was acknowledged at 9 s'),
      outcome(5, { verdict: 'unavailable', reason: 'all replicas of t-0 are gone' }),
    ])
    expect(groups).toEqual([
      {
        verdict: 'fail',
        invariant: 'D1',
        role: 'broker',
        sentence: 'bN lost offset N of t-N',
        count: 2,
        seeds: [3, 4],
      },
      {
        verdict: 'stuck',
        invariant: null,
        role: 'no node',
        sentence: 'partition t-N has no leader',
        count: 1,
        seeds: [2],
      },
    ])
  })

  it('keeps roles apart', () => {
    const groups = groupFailures([lost(1, 'b1 is wrong'), lost(2, 'c1 is wrong')])
    expect(groups.map(({ role }) => role)).toEqual(['broker', 'controller'])
    expect([roleIn('n3 fails'), roleIn('nobody fails')]).toEqual(['combined node', 'no node'])
  })

  it('takes the first sentence only', () => {
    expect(sentenceOf('offset 3.5 is odd. And more\nstack')).toBe('offset N.N is odd')
    expect(sentenceOf('expected 1; found 2')).toBe('expected N')
  })
})
