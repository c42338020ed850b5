// Goal: a mutant is killed by the first seed that fails, survives without one, and a broken harness kills nothing.
import { describe, expect, it } from 'vitest'
import type { SeedOutcome } from '../../../../../src/chaos/campaign/seed-outcome.ts'
import {
  areAllKilled,
  huntLine,
  huntSummary,
} from '../../../../../src/chaos/mutants/hunt-report.ts'
import { huntMutants, type Hunt } from '../../../../../src/chaos/mutants/hunt.ts'
import { MUTANTS } from '../../../../../src/chaos/mutants/mutants.ts'
import { outcome } from '../../../../support/fake-seed-runner.ts'

const mutant = { ...MUTANTS[0]!, name: 'm', invariants: ['R14'] as const, maxSeeds: 50 }

async function hunt(
  outcomeOf: (seed: number) => SeedOutcome,
  plainOutcomeOf: (seed: number) => SeedOutcome = (seed) => outcome(seed),
): Promise<Hunt> {
  const [found] = await huntMutants({
    mutants: [mutant],
    workers: 2,
    maxSeeds: 10,
    fromSeed: 1,
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
