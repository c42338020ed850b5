import { FAULT_KINDS } from '../plan/fault.ts'
import type { Probe } from '../probes/probe.ts'
import type { Verdict } from '../run/run-result.ts'
import { swarmFlags, swarmText, type Swarm } from '../swarm/swarm-profile.ts'
import type { CampaignResult } from './campaign.ts'
import { coverageOf, type Coverage } from './coverage.ts'
import { groupFailures, type FailureGroup } from './failure-groups.ts'
import { isFailure, type SeedOutcome } from './seed-outcome.ts'

/** From so many seeds on, an invariant that was never looked at fails the campaign (X2). */
export const SEEDS_FOR_X2 = 200
const VERDICTS: readonly Verdict[] = ['pass', 'fail', 'stuck', 'unavailable', 'harness-error']
const COMMANDS_SHOWN = 20

export interface CampaignReport extends Swarm {
  readonly ending: CampaignResult['ending']
  readonly seeds: number
  readonly verdicts: Readonly<Record<Verdict, number>>
  readonly groups: readonly FailureGroup[]
  readonly failures: readonly ReportedFailure[]
  readonly coverage: Coverage
  readonly wallMs: number
  /** Of the seeds of this run, not of a resumed one before. */
  readonly seedsPerMinute: number
  /** Virtual seconds that one worker ran in a second. */
  readonly virtualSecondsPerSecond: number
  readonly isGood: boolean
}

export interface ReportedFailure {
  readonly seed: number
  readonly verdict: Verdict
  readonly invariant: string | null
  readonly reason: string | null
  readonly atMs: number
  readonly replay: string
}

/** What a campaign found, as data. */
export function reportOf(
  swarm: Swarm,
  result: CampaignResult,
  probes?: readonly Probe[],
): CampaignReport {
  const { outcomes, ending, wallMs, ranNow } = result
  const coverage = coverageOf(outcomes, probes)
  const failures = outcomes.filter(isFailure)
  const misses = outcomes.length >= SEEDS_FOR_X2 ? coverage.invariantsNeverEvaluated.length : 0
  const busyMs = total(outcomes, (outcome) => outcome.wallMs)
  return {
    ...swarm,
    ending,
    seeds: outcomes.length,
    verdicts: verdictCounts(outcomes),
    groups: groupFailures(outcomes),
    failures: failures.map((outcome) => reportedFailure(outcome, swarm)),
    coverage,
    wallMs: Math.round(wallMs),
    seedsPerMinute: rounded(ranNow, wallMs / 60_000),
    virtualSecondsPerSecond: rounded(
      total(outcomes, (outcome) => outcome.virtualMs),
      busyMs,
    ),
    isGood: ending === 'complete' && failures.length === 0 && misses === 0,
  }
}

/** The command that runs one seed again. */
export function replayCommand(seed: number, swarm: Swarm): string {
  return `npm run sim -- --seed ${seed} ${swarmFlags(swarm).join(' ')}`
}

/** The report for people; what went wrong comes last, where it is read. */
export function reportLines(report: CampaignReport): readonly string[] {
  const { verdicts, coverage } = report
  const counts = VERDICTS.filter((verdict) => verdicts[verdict] > 0)
  return [
    ...faultLines(coverage),
    ...probeLines(coverage),
    ...invariantLines(report),
    ...failureLines(report),
    `${report.seeds} seeds of ${swarmText(report)}: ${counts.map((verdict) => `${verdicts[verdict]} ${verdict}`).join(', ')}`,
    `${report.seedsPerMinute} seeds a minute, ${report.virtualSecondsPerSecond} virtual seconds a second and worker`,
  ]
}

function faultLines({ faults }: Coverage): readonly string[] {
  const width = Math.max(...FAULT_KINDS.map((kind) => kind.length))
  return [
    'Faults'.padEnd(width) + '   seeds   fired    idle',
    ...faults.map(
      ({ kind, seeds, fired, idle }) =>
        kind.padEnd(width) + [seeds, fired, idle].map((n) => String(n).padStart(8)).join(''),
    ),
    '',
  ]
}

function probeLines({ probes, probesNeverHit }: Coverage): readonly string[] {
  const all = Object.values(probes)
  const hit = all.filter((count) => count > 0).length
  return [
    `Probes: ${hit} of ${all.length} hit`,
    ...probesNeverHit.map((name) => `  never hit: ${name}`),
    '',
  ]
}

function invariantLines({ coverage, seeds }: CampaignReport): readonly string[] {
  const { evaluated, invariantsNeverEvaluated } = coverage
  const never = invariantsNeverEvaluated
  const lines = [`Invariants: ${Object.values(evaluated).filter((n) => n > 0).length} evaluated`]
  if (never.length > 0) {
    const weight =
      seeds >= SEEDS_FOR_X2 ? 'this fails the campaign' : 'with so few seeds no failure'
    lines.push(`  never evaluated (${weight}): ${never.join(', ')}`)
  }
  return [...lines, '']
}

function failureLines({ groups, failures }: CampaignReport): readonly string[] {
  if (groups.length === 0) return []
  const shown = failures.slice(0, COMMANDS_SHOWN)
  return [
    'Failures',
    ...groups.map(
      ({ verdict, invariant, role, sentence, count, seeds }) =>
        `  ${count} x ${invariant ?? verdict} (${role}): ${sentence}  [seeds ${seeds.join(', ')}${count > seeds.length ? ', ...' : ''}]`,
    ),
    'Run them again with',
    ...shown.map(({ replay }) => `  ${replay}`),
    ...(failures.length > shown.length ? [`  and ${failures.length - shown.length} more`] : []),
    '',
  ]
}

function reportedFailure(outcome: SeedOutcome, swarm: Swarm): ReportedFailure {
  const { seed, verdict, invariant, reason, atMs } = outcome
  return { seed, verdict, invariant, reason, atMs, replay: replayCommand(seed, swarm) }
}

function verdictCounts(outcomes: readonly SeedOutcome[]): Readonly<Record<Verdict, number>> {
  const counts = { pass: 0, fail: 0, stuck: 0, unavailable: 0, 'harness-error': 0 }
  for (const { verdict } of outcomes) counts[verdict] += 1
  return counts
}

function total(outcomes: readonly SeedOutcome[], of: (outcome: SeedOutcome) => number): number {
  return outcomes.reduce((sum, outcome) => sum + of(outcome), 0)
}

function rounded(amount: number, per: number): number {
  return per === 0 ? 0 : Math.round(amount / per)
}
