// How to write a scenario.
//
// One file in scenarios/, named after the scenario, that exports one value made by `scenario(name, { ... })`, and a
// line in scenarios/catalogue.ts. It is data: a cluster, topics, clients, faults, and what must be seen. No sleeps,
// no loops, no mode: the same file runs in simulation, over processes and against Apache Kafka.
//
//   export const zombieLeader = scenario('zombie-leader', {
//     section: 'A', number: 7,
//     summary: 'one line for the list', lesson: 'the sentence to take home',
//     modes: ['sim', 'real', 'kafka'],
//     cluster: c3(), topics: [topic('t')],
//     workload: [producers(4), readers(2)],
//     faults: [at('3s', 'pause', leaderOf('t', 0), { until: '8s' })],
//     chaos: '12s',
//     expect: [sometimes('a probe of src/chaos/probes'), within('2s', leaderChange('t', 0))],
//     invariants: ['R5', 'D1'],
//     twins: [{ name: 'a wrong setting', says: '...', change: (plan) => ({ ...plan }), mustFail: ['D1'] }],
//   })
//
// - Times count from the begin of the chaos phase; the cluster is up and the clients are at work by then. They are
//   virtual in simulation and real otherwise, so keep `chaos` between 8 and 20 seconds.
// - `expect` needs at least one entry that fails when the scenario tests nothing.
// - Every invariant that the stage can check is checked; `invariants` names those that the scenario is about. One of
//   them that was never looked at with something to find fails the run in simulation.
// - A twin is the same run with one thing made wrong. It must fail: an invariant or an expectation of `mustFail`, or
//   everything in `mustShow` must be seen.
// - A schedule that depends on the seed is given as `plan: (seed) => Plan` instead of cluster, topics, workload,
//   faults and chaos. `play` and `simPlay` are for a scenario whose run over processes, or in
//   simulation, is a program of its own.
import type { InvariantId } from '../../src/chaos/invariants.ts'
import type { Fault } from '../../src/chaos/plan/fault.ts'
import type { ClusterPlan, Plan, Profile, TopicPlan } from '../../src/chaos/plan/plan.ts'
import type { WorkloadPlan } from '../../src/chaos/plan/workload-plan.ts'
import type { RunResult } from '../../src/chaos/run/run-result.ts'
import { assert } from '../../src/base/assert.ts'
import type { Check, Tally } from './checks.ts'
import { durationMs } from './duration.ts'
import type { Evidence, HeardEvent, Mode } from './evidence.ts'
import type { Expectation } from './expectation.ts'
import { flat } from './plan-builders.ts'
import type { Round } from './round.ts'
import type { Story } from './story.ts'

export const SECTIONS = {
  A: 'Replication and failover',
  B: 'Storage',
  C: 'Controller',
  D: 'Producers and transactions',
  E: 'Consumers and groups',
  F: 'Connect',
  G: 'Mirroring and whole system',
} as const

export type Section = keyof typeof SECTIONS

/** A number or a short text of the report, e.g. `refused with NOT_ENOUGH_REPLICAS` 210. */
export interface Figure {
  readonly name: string
  value(evidence: Evidence): number | string
}

/** What a twin fails by when its cluster does not recover, whatever it is that stays missing. */
export const STUCK = ['L1', 'L2', 'L3', 'L4', 'L5', 'L8'] as const

/** The same scenario with one thing made wrong: it must be found out. */
export interface Twin {
  readonly name: string
  /** One sentence: what is wrong, and what comes of it. */
  readonly says: string
  change?(plan: Plan): Plan
  /** Name of a planted bug (src/chaos/mutants); such a twin runs in simulation only. */
  readonly plant?: string
  /** Seeds to try until it fails, the scenario's own seed first; a planted bug may need some. Default 1. */
  readonly seeds?: number
  /** Invariants, or names of expectations: one of them fails. */
  readonly mustFail?: readonly string[]
  /** What such a cluster does instead; all of it is seen. */
  readonly mustShow?: readonly Expectation[]
}

export interface ScenarioDefinition {
  readonly section: Section
  /** In the catalogue. */
  readonly number: number
  /** One line for the list. */
  readonly summary: string
  /** The sentence to take home. */
  readonly lesson: string
  readonly modes: readonly Mode[]
  /** Without it the first of `modes`. */
  readonly defaultMode?: Mode
  readonly cluster?: ClusterPlan
  readonly topics?: readonly TopicPlan[]
  readonly workload?: readonly (WorkloadPlan | readonly WorkloadPlan[])[]
  readonly faults?: readonly (Fault | readonly Fault[])[]
  /** Length of the phase with faults. Default 12 s. */
  readonly chaos?: string
  /** Default 30 s. */
  readonly healLimit?: string
  readonly profile?: Profile
  readonly plan?: (seed: number) => Plan
  readonly expect: readonly Expectation[]
  readonly invariants: readonly InvariantId[]
  readonly figures?: readonly Figure[]
  /** The partition whose leader, ISR, epoch and high watermark the story follows. Default: of the first topic, 0. */
  readonly watch?: { readonly topic: string; readonly partition: number }
  readonly twins?: readonly Twin[]
  readonly play?: Play
  readonly simPlay?: SimPlay | null
}

/** A run in simulation that is more than one run of the plan, e.g. one for every moment of a crash. */
export type SimPlay = (plan: Plan, onHeard: (heard: HeardEvent) => void) => RunResult

/** A run over processes that is more than a plan: it tells its story itself. */
export type Play = (story: Story) => Promise<ScenarioResult>

export interface Scenario {
  readonly name: string
  readonly section: Section
  readonly number: number
  readonly summary: string
  readonly lesson: string
  readonly modes: readonly Mode[]
  readonly defaultMode: Mode
  plan(seed: number): Plan
  readonly expect: readonly Expectation[]
  readonly invariants: readonly InvariantId[]
  readonly figures: readonly Figure[]
  readonly watch: { readonly topic: string; readonly partition: number }
  readonly twins: readonly Twin[]
  /** Used in mode `real` when it is there. */
  readonly play: Play | null
  /** Used in mode `sim` when it is there. */
  readonly simPlay: SimPlay | null
}

/** What a `play` has to show. */
export interface ScenarioResult {
  readonly tally: Tally
  readonly rounds: readonly Round[]
  readonly checks: readonly Check[]
}

const CHAOS = '12s'
const HEAL_LIMIT = '30s'

export function scenario(name: string, definition: ScenarioDefinition): Scenario {
  const { modes, expect, twins = [], figures = [] } = definition
  const [firstMode] = modes
  assert(firstMode !== undefined, `scenario ${name} has no mode`)
  assert(
    expect.length > 0,
    `scenario ${name} expects nothing: it would pass without testing anything`,
  )
  for (const { name: twin, mustFail = [], mustShow = [] } of twins) {
    assert(mustFail.length + mustShow.length > 0, `twin "${twin}" of ${name} may do anything`)
  }
  const build = definition.plan ?? planOf(name, definition)
  const [topic] = definition.topics ?? []
  return {
    name,
    section: definition.section,
    number: definition.number,
    summary: definition.summary,
    lesson: definition.lesson,
    modes,
    defaultMode: definition.defaultMode ?? firstMode,
    plan: (seed) => ({ ...build(seed), name }),
    expect,
    invariants: definition.invariants,
    figures,
    watch: definition.watch ?? { topic: topic?.name ?? 't', partition: 0 },
    twins,
    play: definition.play ?? null,
    simPlay: definition.simPlay ?? null,
  }
}

function planOf(name: string, definition: ScenarioDefinition): (seed: number) => Plan {
  const { cluster, topics, workload } = definition
  assert(
    cluster !== undefined && topics !== undefined && workload !== undefined,
    `scenario ${name} needs cluster, topics and workload, or a plan`,
  )
  const faults = flat(definition.faults ?? []).toSorted((a, b) => a.atMs - b.atMs)
  return (seed) => ({
    name,
    seed,
    profile: definition.profile ?? 'data',
    cluster,
    topics,
    workload: flat(workload),
    faults,
    chaosMs: durationMs(definition.chaos ?? CHAOS),
    healLimitMs: durationMs(definition.healLimit ?? HEAL_LIMIT),
  })
}
