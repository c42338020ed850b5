import { describe, expect, it } from 'vitest'
import type { CampaignResult } from '../../../../../src/chaos/campaign/campaign.ts'
import {
  reportLines,
  reportOf,
  SEEDS_FOR_X2,
} from '../../../../../src/chaos/campaign/campaign-report.ts'
import { expectedInvariants } from '../../../../../src/chaos/campaign/coverage.ts'
import type { SeedOutcome } from '../../../../../src/chaos/campaign/seed-outcome.ts'
import type { Probe } from '../../../../../src/chaos/probes/probe.ts'
import { outcome } from '../../../../support/fake-seed-runner.ts'

const PROBES: readonly Probe[] = ['data', 'groups'].map((profile) => ({
  name: `${profile}.seen`,
  says: 'it was seen',
  profiles: [profile],
  isHit: () => false,
}))
const ALL_EVALUATED = Object.fromEntries(expectedInvariants(new Set(['data'])).map((id) => [id, 3]))

function result(
  outcomes: readonly SeedOutcome[],
  given: Partial<CampaignResult> = {},
): CampaignResult {
  return { outcomes, ending: 'complete', wallMs: 30_000, ranNow: outcomes.length, ...given }
}

describe('reportOf', () => {
  it('counts verdicts, speed, faults and hits', () => {
    const report = reportOf(
      { profile: 'data', size: 'full' },
      result([
        outcome(1, { faults: { crash: { fired: 2, idle: 1 } }, probes: { 'data.seen': 4 } }),
        outcome(2, { faults: { crash: { fired: 0, idle: 3 } }, verdict: 'unavailable' }),
      ]),
      PROBES,
    )
    expect(report).toMatchObject({
      seeds: 2,
      verdicts: { pass: 1, unavailable: 1, fail: 0 },
      seedsPerMinute: 4,
      virtualSecondsPerSecond: 600,
      isGood: true,
    })
    expect(report.coverage.faults.find(({ kind }) => kind === 'crash')).toEqual({
      kind: 'crash',
      seeds: 1,
      fired: 2,
      idle: 4,
    })
    expect(report.coverage.probes).toEqual({ 'data.seen': 4, 'groups.seen': 0 })
    expect(report.coverage.probesNeverHit).toEqual([])
  })

  it('names the probes of the profiles that ran which no seed has hit', () => {
    const report = reportOf(
      { profile: 'all', size: 'full' },
      result([outcome(1), outcome(2, { profile: 'groups' })]),
      PROBES,
    )
    expect(report.coverage.probesNeverHit).toEqual(['data.seen', 'groups.seen'])
    expect(reportLines(report).join('\n')).toMatch(/never hit: data.seen/)
  })

  it('gives each failing seed the command that runs it again', () => {
    const failure = outcome(7, { verdict: 'fail', invariant: 'R1', reason: 'b1 differs' })
    const report = reportOf(
      { profile: 'quorum', size: 'full' },
      result([outcome(6), failure]),
      PROBES,
    )
    expect(report.isGood).toBe(false)
    expect(report.failures[0]?.replay).toBe('npm run sim -- --seed 7 --profile quorum')
    const text = reportLines(report).join('\n')
    expect(text).toMatch(/1 x R1 \(broker\): bN differs {2}\[seeds 7\]/)
    expect(text).toContain('npm run sim -- --seed 7 --profile quorum')
    expect(text).toContain('2 seeds of profile quorum: 1 pass, 1 fail')
    const small = reportOf({ profile: 'all', size: 'small' }, result([failure]), PROBES)
    expect(small.failures[0]?.replay).toBe('npm run sim -- --seed 7 --profile all --size small')
    expect(reportLines(small).join('\n')).toContain('1 seeds of profile all (small): 1 fail')
  })

  it('is not good when an invariant was never evaluated, once there are seeds enough', () => {
    const seeds = (count: number, evaluated: Readonly<Record<string, number>>) =>
      result(Array.from({ length: count }, (_, seed) => outcome(seed, { evaluated })))
    const { R14: _, ...others } = ALL_EVALUATED
    const good = reportOf(
      { profile: 'data', size: 'full' },
      seeds(SEEDS_FOR_X2, ALL_EVALUATED),
      PROBES,
    )
    expect(good.isGood).toBe(true)
    const bad = reportOf({ profile: 'data', size: 'full' }, seeds(SEEDS_FOR_X2, others), PROBES)
    expect(bad).toMatchObject({ isGood: false, coverage: { invariantsNeverEvaluated: ['R14'] } })
    expect(reportLines(bad).join('\n')).toContain('never evaluated (this fails the campaign): R14')
    expect(
      reportOf({ profile: 'data', size: 'full' }, seeds(SEEDS_FOR_X2 - 1, others), PROBES).isGood,
    ).toBe(true)
  })

  it('is not good when it is not complete', () => {
    expect(
      reportOf(
        { profile: 'data', size: 'full' },
        result([outcome(1)], { ending: 'interrupted' }),
        PROBES,
      ).isGood,
    ).toBe(false)
  })
})
