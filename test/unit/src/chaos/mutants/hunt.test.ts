// Goal: a mutant is killed by the first seed that fails, survives without one, and a broken harness kills nothing.
import { describe, expect, it } from 'vitest'
import type { SeedOutcome } from '../../../../../src/chaos/campaign/seed-outcome.ts'
import {
  areAllKilled,
  huntLine,
  huntSummary,
} from '../../../../../src/chaos/mutants/hunt-report.ts'
import { huntMutants, type Hunt } from '../../../../../src/chaos/mutants/hunt.ts'
import type { Mutant } from '../../../../../src/chaos/mutants/mutant.ts'
import { MUTANTS } from '../../../../../src/chaos/mutants/mutants.ts'
import { outcome } from '../../../../support/fake-seed-runner.ts'

const mutant = { ...MUTANTS[0]!, name: 'm', invariants: ['R14'] as const, maxSeeds: 50 }

interface HuntChanges {
  readonly keepGoing?: boolean
  readonly invariants?: Mutant['invariants']
}

async function hunt(
  outcomeOf: (seed: number) => SeedOutcome,
  plainOutcomeOf: (seed: number) => SeedOutcome = (seed) => outcome(seed),
  { keepGoing = false, invariants = mutant.invariants }: HuntChanges = {},
): Promise<Hunt> {
  const [found] = await huntMutants({
    mutants: [{ ...mutant, invariants }],
    workers: 2,
    maxSeeds: 10,
    fromSeed: 1,
    keepGoing,
    createWorker: (planted) => ({
      run: async (seed) => (planted === null ? plainOutcomeOf : outcomeOf)(seed),
      close: () => undefined,
    }),
    onSeed: () => undefined,
    onHunt: () => undefined,
    signal: new AbortController().signal,
  })
  return found!
}

const failing = (invariant: string) => (seed: number) =>
  seed === 4
    ? outcome(seed, { verdict: 'fail', invariant, reason: 'b1 cut too much' })
    : outcome(seed)

describe('huntMutants', () => {
  it('ends with the seed that fails and says whether it was the expected invariant', async () => {
    const killed = await hunt(failing('R14'))
    expect(killed).toMatchObject({ ending: 'killed', seeds: 4, seed: 4, isAsExpected: true })
    expect(huntLine(killed)).toMatch(/^m +killed by R14 after 4 seeds \(seed 4, 0.0 s\): b1 cut/)
    const odd = await hunt(failing('D1'))
    expect(odd).toMatchObject({ ending: 'killed', isAsExpected: false })
    expect(huntLine(odd)).toMatch(/killed by D1 .*expected R14/)
  })

  it('lets a mutant survive when all seeds pass', async () => {
    const survived = await hunt((seed) => outcome(seed))
    expect(survived).toMatchObject({ ending: 'survived', seeds: 10, invariant: null })
    expect(huntSummary([survived], 1)).toEqual(['0 of 1 mutants killed'])
    expect(areAllKilled([survived], 1)).toBe(false)
  })

  it('counts no seed that fails without the bug as well', async () => {
    const stuckAtTwo = (seed: number): SeedOutcome =>
      outcome(seed, seed === 2 ? { verdict: 'stuck' } : {})
    const killed = await hunt(
      (seed) => (seed === 2 ? stuckAtTwo(seed) : failing('R14')(seed)),
      stuckAtTwo,
    )
    expect(killed).toMatchObject({ ending: 'killed', seed: 4, isAsExpected: true })
    const survived = await hunt(failing('R14'), failing('D1'))
    expect(survived).toMatchObject({ ending: 'survived', seeds: 10 })
  })

  it('goes on, when it is to, until every check that the mutant names has found it', async () => {
    const breaks: Readonly<Record<number, readonly string[]>> = { 3: ['D1'], 5: ['D1', 'R7'] }
    const bad = (seed: number): SeedOutcome => {
      const broken = breaks[seed]
      return broken === undefined
        ? outcome(seed)
        : outcome(seed, { verdict: 'fail', invariant: broken[0]!, broken })
    }
    const named = { keepGoing: true, invariants: ['D1', 'R7', 'CRASH'] as const }
    const killed = await hunt(bad, undefined, named)
    expect(killed).toMatchObject({ ending: 'killed', seeds: 3, foundBy: { D1: 3, R7: 5 } })
    expect(huntLine(killed)).toContain('found by R7 as well')
    const never = await hunt(bad, undefined, { ...named, invariants: ['D1', 'Q4'] })
    expect(never).toMatchObject({ ending: 'killed', seeds: 3, foundBy: { D1: 3, R7: 5 } })
    expect((await hunt(bad)).foundBy).toEqual({ D1: 3 })
  })

  it('takes a harness that fails again and again for broken, not for a kill', async () => {
    const broken = await hunt((seed) =>
      outcome(seed, { verdict: 'harness-error', reason: 'no world' }),
    )
    expect(broken).toMatchObject({ ending: 'broken', seeds: 3 })
    const unavailable = await hunt((seed) => outcome(seed, { verdict: 'unavailable' }))
    expect(unavailable.ending).toBe('survived')
  })

  it('counts the killed and gives their median', async () => {
    const killed = await hunt(failing('R14'))
    const sooner = { ...killed, seeds: 2 }
    expect(huntSummary([killed, sooner], 2)).toEqual([
      'median: 2 seeds to the kill',
      '2 of 2 mutants killed',
    ])
    expect(areAllKilled([killed, sooner], 2)).toBe(true)
    expect(areAllKilled([killed], 2)).toBe(false)
  })
})
