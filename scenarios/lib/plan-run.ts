import { runAnyPlan } from '../../src/chaos/campaign/run-seed.ts'
import type { CheckOutcome } from '../../src/chaos/checks/history-check.ts'
import type { HistoryEntry } from '../../src/chaos/history/history.ts'
import type { InvariantId } from '../../src/chaos/invariants.ts'
import type { FaultKind } from '../../src/chaos/plan/fault.ts'
import type { Plan } from '../../src/chaos/plan/plan.ts'
import { PROBES } from '../../src/chaos/probes/index.ts'
import { startExternalStage } from '../../src/chaos/real/external-stage.ts'
import type { LiveStage } from '../../src/chaos/real/live-stage.ts'
import { outOfReach } from '../../src/chaos/real/process-fault-kinds.ts'
import { startRealStage } from '../../src/chaos/real/real-stage.ts'
import { runOnStage } from '../../src/chaos/real/run-on-stage.ts'
import { ProbeCounter } from '../../src/chaos/run/probe-counter.ts'
import type { RunResult } from '../../src/chaos/run/run-result.ts'
import { startKafkaStage } from '../../tools/apache-kafka/start-kafka-stage.ts'
import type { Evidence, HeardEvent, Mode } from './evidence.ts'
import { STANDARD_FIGURES } from './figures.ts'
import { kafkajsClients } from './kafkajs-clients.ts'
import type { Scenario } from './scenario.ts'
import { timelineOf, type TimelineRow } from './timeline.ts'

export interface RunChoice {
  readonly mode: Mode
  readonly seed: number
  /** Of a cluster that somebody else runs; mode `kafka` only. */
  readonly bootstrapServers: string | null
  /** What takes long, for the person who waits. */
  readonly onNotice: (text: string) => void
}

export interface JudgedExpectation {
  readonly name: string
  /** Null: not asked for in this mode. */
  readonly isMet: boolean | null
  readonly detail: string
}

/** What a run of a plan came to. */
export interface PlanReport {
  readonly scenario: string
  readonly mode: Mode
  readonly seed: number
  readonly verdict: 'pass' | 'fail'
  /** What is behind a `fail`: an invariant, or `sometimes ...` and its like. */
  readonly broken: string | null
  readonly reason: string | null
  readonly traceHash: string | null
  readonly tookMs: number
  readonly virtualMs: number
  readonly lesson: string
  /** Kinds of faults that could not be injected there; then expectations are not asked for. */
  readonly skipped: readonly FaultKind[]
  readonly expectations: readonly JudgedExpectation[]
  /** How often each invariant that the scenario is about was looked at; null: not checked in this mode. */
  readonly invariants: Readonly<Record<string, number | null>>
  readonly outcomes: readonly CheckOutcome[]
  readonly figures: Readonly<Record<string, number | string>>
  readonly timeline: readonly TimelineRow[]
  readonly history: readonly HistoryEntry[]
}

/** A run with all that it left behind. */
export interface CarriedOut {
  readonly report: PlanReport
  readonly evidence: Evidence
}

/** D4 has something to look at only where a send was refused for good. */
const NEEDS_LUCK: ReadonlySet<InvariantId> = new Set<InvariantId>(['D4'])

/** Carries out one plan of a scenario in one mode, and judges it. */
export async function carryOut(
  scenario: Scenario,
  plan: Plan,
  choice: RunChoice,
): Promise<CarriedOut> {
  const startedMs = performance.now()
  const events: HeardEvent[] = []
  const probes = new ProbeCounter(PROBES, () => undefined)
  const result = await runIn(scenario, plan, choice, (heard) => {
    events.push(heard)
    probes.onEvent(heard.event)
  })
  const evidence: Evidence = {
    mode: choice.mode,
    plan,
    history: result.history,
    events,
    fired: result.fired,
    probes: probes.counts(),
  }
  const reach = choice.bootstrapServers === null ? 'processes' : 'clients-only'
  const skipped = choice.mode === 'sim' ? [] : outOfReach(plan, reach)
  const expectations = scenario.expect.map((expectation) => ({
    name: expectation.name,
    ...(skipped.length > 0
      ? { isMet: null, detail: 'its faults cannot be injected here' }
      : expectation.judge(evidence)),
  }))
  const end = verdictOf(scenario, result, expectations, choice.mode)
  const figures = [...STANDARD_FIGURES, ...scenario.figures]
  return {
    evidence,
    report: {
      scenario: scenario.name,
      mode: choice.mode,
      seed: plan.seed,
      ...end,
      traceHash: result.traceHash,
      tookMs: Math.round(performance.now() - startedMs),
      virtualMs: Math.round(result.virtualMs),
      lesson: scenario.lesson,
      skipped,
      expectations,
      invariants: looksOf(scenario, result),
      outcomes: result.outcomes,
      figures: Object.fromEntries(figures.map((each) => [each.name, each.value(evidence)])),
      timeline: timelineOf(evidence, scenario.watch),
      history: result.history,
    },
  }
}

async function runIn(
  scenario: Scenario,
  plan: Plan,
  choice: RunChoice,
  onHeard: (heard: HeardEvent) => void,
): Promise<RunResult> {
  if (choice.mode === 'sim') {
    if (scenario.simPlay !== null) return scenario.simPlay(plan, onHeard)
    return runAnyPlan(plan, {
      onEvent: (event) => onHeard({ atMs: event.atMs, event }),
      ...kafkajsClients(plan),
    })
  }
  const stage = await startStage(plan, choice)
  try {
    return await runOnStage(plan, stage, {
      probes: PROBES,
      onEvent: (event, atMs) => onHeard({ atMs, event }),
      onPhase: (phase) => {
        if (phase === 'chaos') choice.onNotice(`${plan.chaosMs / 1000} s of faults begin`)
      },
    })
  } finally {
    await stage.close()
  }
}

function startStage(
  plan: Plan,
  { mode, bootstrapServers, onNotice }: RunChoice,
): Promise<LiveStage> {
  const { brokers, controllers } = plan.cluster
  const nodes = `${brokers} nodes n1..n${brokers}, the first ${Math.min(brokers, controllers)} also voters`
  if (mode === 'real') {
    onNotice(`starting ${nodes}: a process each`)
    return startRealStage(plan)
  }
  if (bootstrapServers !== null) return startExternalStage(plan, bootstrapServers)
  onNotice(`starting Apache Kafka: ${nodes}`)
  return startKafkaStage(plan, { env: process.env, onNotice })
}

type End = Pick<PlanReport, 'verdict' | 'broken' | 'reason'>

function verdictOf(
  scenario: Scenario,
  result: RunResult,
  expectations: readonly JudgedExpectation[],
  mode: Mode,
): End {
  if (result.verdict !== 'pass') {
    const broken = result.invariant ?? result.verdict
    return { verdict: 'fail', broken, reason: result.reason ?? result.verdict }
  }
  const missed = expectations.find(({ isMet }) => isMet === false)
  if (missed !== undefined) {
    return { verdict: 'fail', broken: missed.name, reason: missed.detail }
  }
  const idle = scenario.invariants.find(
    (id) => (result.evaluated[id] ?? 0) === 0 && !NEEDS_LUCK.has(id),
  )
  if (mode === 'sim' && idle !== undefined) {
    const reason = 'it was never looked at with something to find'
    return { verdict: 'fail', broken: idle, reason }
  }
  return { verdict: 'pass', broken: null, reason: null }
}

function looksOf(
  scenario: Scenario,
  { evaluated }: RunResult,
): Readonly<Record<string, number | null>> {
  return Object.fromEntries(scenario.invariants.map((id) => [id, evaluated[id] ?? null]))
}
