import { INVARIANTS, type InvariantId } from '../invariants.ts'
import { FAULT_KINDS, type FaultKind } from '../plan/fault.ts'
import type { Profile } from '../plan/plan.ts'
import { PROBES } from '../probes/index.ts'
import type { Probe } from '../probes/probe.ts'
import type { SeedOutcome } from './seed-outcome.ts'

export interface KindCoverage {
  readonly kind: FaultKind
  /** Seeds in which it fired. */
  readonly seeds: number
  readonly fired: number
  readonly idle: number
}

export interface Coverage {
  readonly faults: readonly KindCoverage[]
  /** Hits by probe, all known ones. */
  readonly probes: Readonly<Record<string, number>>
  /** Expected in a profile that was run, and not seen in any seed. */
  readonly probesNeverHit: readonly string[]
  /** Looks with something to find, by invariant. */
  readonly evaluated: Readonly<Record<string, number>>
  readonly invariantsNeverEvaluated: readonly InvariantId[]
}

/** What a campaign has reached; without it a green one proves nothing. */
export function coverageOf(
  outcomes: readonly SeedOutcome[],
  known: readonly Probe[] = PROBES,
): Coverage {
  const profiles = new Set(outcomes.flatMap(({ profile }) => profile ?? []))
  const probes = sum(outcomes.map((outcome) => outcome.probes))
  const evaluated = sum(outcomes.map((outcome) => outcome.evaluated))
  const isExpected = (probe: Probe): boolean =>
    probe.profiles.some((name) => hasName(profiles, name))
  return {
    faults: FAULT_KINDS.map((kind) => kindCoverage(kind, outcomes)),
    probes: Object.fromEntries(known.map(({ name }) => [name, probes.get(name) ?? 0])),
    probesNeverHit: known
      .filter((probe) => isExpected(probe) && (probes.get(probe.name) ?? 0) === 0)
      .map(({ name }) => name),
    evaluated: Object.fromEntries([...evaluated].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    invariantsNeverEvaluated: expectedInvariants(profiles).filter(
      (id) => (evaluated.get(id) ?? 0) === 0,
    ),
  }
}

/** The invariants that plans of these profiles give something to look at for. */
export function expectedInvariants(profiles: ReadonlySet<Profile>): readonly InvariantId[] {
  const has = (...names: readonly Profile[]): boolean => names.some((name) => profiles.has(name))
  return (Object.keys(INVARIANTS) as InvariantId[]).filter((id) => {
    if (id.startsWith('G')) return has('groups')
    // Of groups it is G9.
    if (id.startsWith('C') || id === 'L5') return has('connect')
    // The quorum's workload has too few records for what needs several producers, readers or segments.
    return id.startsWith('Q') || id.startsWith('L') ? profiles.size > 0 : has('data', 'groups')
  })
}

function kindCoverage(kind: FaultKind, outcomes: readonly SeedOutcome[]): KindCoverage {
  const counts = outcomes.flatMap(({ faults }) => faults[kind] ?? [])
  return {
    kind,
    seeds: counts.filter(({ fired }) => fired > 0).length,
    fired: counts.reduce((total, { fired }) => total + fired, 0),
    idle: counts.reduce((total, { idle }) => total + idle, 0),
  }
}

function hasName(profiles: ReadonlySet<string>, name: string): boolean {
  return profiles.has(name)
}

function sum(counts: readonly Readonly<Record<string, number>>[]): ReadonlyMap<string, number> {
  const totals = new Map<string, number>()
  for (const each of counts) {
    for (const [name, count] of Object.entries(each)) {
      totals.set(name, (totals.get(name) ?? 0) + count)
    }
  }
  return totals
}
