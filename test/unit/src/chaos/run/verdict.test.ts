import { describe, expect, it } from 'vitest'
import type { CheckOutcome } from '../../../../../src/chaos/checks/history-check.ts'
import { judged, type Ending } from '../../../../../src/chaos/run/verdict.ts'

const valid: CheckOutcome = { invariant: 'D2', verdict: 'valid', evaluated: 3, violations: [] }
const unknown: CheckOutcome = { ...valid, invariant: 'D1', verdict: 'unknown' }
const invalid: CheckOutcome = {
  ...valid,
  invariant: 'D5',
  verdict: 'invalid',
  violations: [{ invariant: 'D5', message: 'skipped 3', atMs: 5 }],
}
const stuck: Ending = { verdict: 'stuck', invariant: 'L1', reason: 'b1 is down', atMs: 8 }

describe('the verdict of a run', () => {
  it.each<[string, Ending | null, CheckOutcome[], Partial<Ending>]>([
    ['pass', null, [valid], { verdict: 'pass', reason: null, atMs: 9 }],
    [
      'the broken invariant',
      null,
      [valid, unknown, invalid],
      { verdict: 'fail', invariant: 'D5', atMs: 5 },
    ],
    ['the broken invariant of a stuck run', stuck, [invalid], { verdict: 'fail', invariant: 'D5' }],
    ['stuck, although a check could not judge', stuck, [unknown], stuck],
    [
      'a failure of the harness when a check could not judge',
      null,
      [valid, unknown],
      { verdict: 'harness-error', invariant: 'D1' },
    ],
  ])('is %s', (_, ending, outcomes, expected) => {
    expect(judged(ending, outcomes, 9)).toMatchObject(expected)
  })
})
