import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../../base/errors.ts'
import type { NodeEvent } from '../../ports/events.ts'
import { SimRandom } from '../../sim/sim-random.ts'
import { checkHistory } from '../checks/index.ts'
import type { CheckOutcome } from '../checks/history-check.ts'
import { History } from '../history/history.ts'
import { budgetOf, type FaultBudget } from '../plan/fault-budget.ts'
import type { Plan } from '../plan/plan.ts'
import type { WorkloadPlan } from '../plan/workload-plan.ts'
import type { EventProbe } from '../probes/index.ts'
import { FaultSchedule } from '../run/fault-schedule.ts'
import { ProbeCounter } from '../run/probe-counter.ts'
import { problemOf, type Problem } from '../run/problem.ts'
import type { RunResult, Verdict } from '../run/run-result.ts'
import type { Actor } from '../run/stage.ts'
import { createActors } from '../workload/create-actors.ts'
import { FinalReader } from '../workload/final-reader.ts'
import { VerificationProduce } from '../workload/verification-produce.ts'
import type { WorkloadContext } from '../workload/workload-actor.ts'
import type { LiveStage } from './live-stage.ts'

const POLL_MS = 20
const WARM_UP_LIMIT_MS = 20_000
/** What is under way when its client is told to stop ends within its own time-outs. */
const STOP_LIMIT_MS = 20_000
const FINAL_READ_LIMIT_MS = 30_000
/** After the heal clients go on for so long: what they do then succeeds. */
const AFTERWARDS_MS = 1000

export interface RunOnStageOptions {
  readonly probes: readonly EventProbe[]
  /** `atMs` is the run's time, as in the history. */
  readonly onEvent?: (event: NodeEvent, atMs: number) => void
  /** For the person who waits. */
  readonly onPhase?: (phase: 'warm-up' | 'chaos' | 'heal' | 'final-reads' | 'checks') => void
}

/**
 * Carries a plan out in real time: set-up, warm-up, chaos, heal, final reads, checks, with the actors and the checks of
 * the simulation. State inside the nodes is out of sight here, so only what clients saw is checked. The stage is
 * up before and left as it is.
 */
export function runOnStage(
  plan: Plan,
  stage: LiveStage,
  options: RunOnStageOptions,
): Promise<RunResult> {
  return new StageRun(plan, stage, options).run()
}

class StageRun {
  readonly #plan: Plan
  readonly #stage: LiveStage
  readonly #options: RunOnStageOptions
  readonly #budget: FaultBudget
  readonly #history: History
  readonly #schedule: FaultSchedule
  readonly #context: WorkloadContext
  readonly #actors: { readonly plan: WorkloadPlan; readonly actor: Actor }[] = []
  readonly #probes: ProbeCounter
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #beganMs: number
  #events = 0

  constructor(plan: Plan, stage: LiveStage, options: RunOnStageOptions) {
    this.#plan = plan
    this.#stage = stage
    this.#options = options
    this.#budget = budgetOf(plan)
    this.#beganMs = stage.nowMs()
    this.#history = new History(() => stage.nowMs())
    this.#schedule = new FaultSchedule({
      after: (delayMs, fn) => {
        this.#timers.add(setTimeout(fn, delayMs))
      },
      fire: (fault) => stage.inject(fault),
    })
    this.#probes = new ProbeCounter(options.probes, (name) => this.#schedule.onProbe(name))
    this.#context = {
      history: this.#history,
      bootstrap: stage.bootstrap,
      random: SimRandom.ofSeed(plan.seed).fork('workload'),
    }
    stage.onEvent((event) => this.#onEvent(event))
  }

  async run(): Promise<RunResult> {
    try {
      await this.#warmUp()
      await this.#chaos()
      const stuck = await this.#heal()
      return stuck === null
        ? await this.#judge()
        : this.#result('stuck', stuck.invariant, stuck.reason, [])
    } catch (error) {
      return this.#result('harness-error', null, messageOf(error), [])
    } finally {
      this.#endFaults()
    }
  }

  async #warmUp(): Promise<void> {
    this.#options.onPhase?.('warm-up')
    await this.#stage.prepare(this.#plan.topics)
    for (const workload of this.#plan.workload) {
      for (const actor of createActors(workload, this.#context)) {
        this.#actors.push({ plan: workload, actor })
      }
    }
    this.#stage.onClientStart((name) => {
      const found = this.#actors.find(({ actor }) => actor.name === name)
      found?.actor.start(this.#stage.clientPorts(name))
    })
    for (const { actor } of this.#actors) actor.start(this.#stage.clientPorts(actor.name))
    await this.#until(WARM_UP_LIMIT_MS, () => this.#idleClient())
  }

  async #chaos(): Promise<void> {
    this.#options.onPhase?.('chaos')
    const endMs = this.#stage.nowMs() + this.#plan.chaosMs
    this.#schedule.begin(this.#plan.faults)
    while (this.#stage.nowMs() < endMs && this.#stage.failure === null) await pause(POLL_MS)
    this.#endFaults()
  }

  #endFaults(): void {
    this.#schedule.end()
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  /** What is still pending at the limit; null when all is whole and quiet. */
  async #heal(): Promise<Problem | null> {
    this.#options.onPhase?.('heal')
    this.#stage.heal()
    for (const { actor } of this.#actors) actor.calm?.()
    const notWhole: Problem | null = await this.#until(this.#plan.healLimitMs, () =>
      this.#stage.pending(),
    )
    if (notWhole !== null) return notWhole
    await pause(AFTERWARDS_MS)
    this.#stop(isWriter)
    const notStopped = await this.#until(STOP_LIMIT_MS, () => this.#pending(isWriter))
    return problemOf('L3', notStopped ?? (await this.#verify()))
  }

  /** L3: a fresh acks=all send to every partition. */
  async #verify(): Promise<string | null> {
    const verification = new VerificationProduce(
      { name: 'verify', topics: this.#topicNames() },
      this.#context,
    )
    verification.start(this.#stage.clientPorts(verification.name))
    const missing = await this.#until(this.#plan.healLimitMs, () => verification.pending())
    verification.stop()
    return missing
  }

  #topicNames(): readonly string[] {
    return this.#plan.topics.map(({ name }) => name)
  }

  async #judge(): Promise<RunResult> {
    if (this.#stage.failure !== null) {
      return this.#result('fail', 'CRASH', this.#stage.failure, [])
    }
    this.#options.onPhase?.('final-reads')
    const reader = new FinalReader({ name: 'final', topics: this.#topicNames() }, this.#context)
    reader.start(this.#stage.clientPorts(reader.name))
    await this.#until(FINAL_READ_LIMIT_MS, () => reader.pending())
    const isFinalReadComplete = reader.done()
    reader.stop()
    // Readers and groups get the time to come to the same end.
    await this.#until(STOP_LIMIT_MS, () => this.#lag())
    this.#stop(() => true)
    await this.#until(STOP_LIMIT_MS, () => this.#pending(() => true))
    this.#options.onPhase?.('checks')
    return this.#verdictOf(this.#check(isFinalReadComplete))
  }

  #check(isFinalReadComplete: boolean): readonly CheckOutcome[] {
    return checkHistory({
      plan: this.#plan,
      entries: this.#history.entries,
      budget: this.#budget,
      isFinalReadComplete,
    })
  }

  #verdictOf(outcomes: readonly CheckOutcome[]): RunResult {
    const broken = outcomes.find(({ verdict }) => verdict === 'invalid')
    const first = broken?.violations[0]
    if (broken !== undefined) {
      return this.#result('fail', broken.invariant, first?.message ?? null, outcomes, first?.atMs)
    }
    const unknown = outcomes.find(({ verdict }) => verdict === 'unknown')
    if (unknown === undefined) return this.#result('pass', null, null, outcomes)
    const reason = `${unknown.invariant} could not be judged: the final read did not come to its end`
    return this.#result('harness-error', unknown.invariant, reason, outcomes)
  }

  /** What a reader or group has not reached; null when all are at the end. */
  #lag(): string | null {
    const outcome = this.#check(true).find(({ invariant }) => invariant === 'L4')
    return outcome?.verdict === 'invalid' ? (outcome.violations[0]?.message ?? 'L4') : null
  }

  /** A client that has not done anything yet: chaos begins with all of them at work. */
  #idleClient(): string | null {
    const { plan } = this.#actors.find(({ plan }) => !this.#hasWorked(plan)) ?? {}
    return plan === undefined ? null : `${plan.name} has not begun`
  }

  #hasWorked(plan: WorkloadPlan): boolean {
    return this.#history.entries.some(
      ({ kind, process }) =>
        kind === 'ok' && (process === plan.name || process.startsWith(`${plan.name}-`)),
    )
  }

  #stop(isMeant: (plan: WorkloadPlan) => boolean): void {
    for (const { plan, actor } of this.#actors) if (isMeant(plan)) actor.stop()
  }

  #pending(isMeant: (plan: WorkloadPlan) => boolean): string | null {
    for (const { plan, actor } of this.#actors) {
      const reason = isMeant(plan) ? actor.pending() : null
      if (reason !== null) return `${actor.name}: ${reason}`
    }
    return null
  }

  #onEvent(event: NodeEvent): void {
    this.#events += 1
    this.#probes.onEvent(event)
    this.#options.onEvent?.(event, this.#stage.nowMs())
  }

  /** Polls until nothing is pending; returns what still is when the time is over or a node died. */
  async #until<T>(limitMs: number, pending: () => T | null): Promise<T | null> {
    const deadlineMs = performance.now() + limitMs
    for (;;) {
      const reason = pending()
      if (reason === null || this.#stage.failure !== null) return null
      if (performance.now() > deadlineMs) return reason
      await pause(POLL_MS)
    }
  }

  #result(
    verdict: Verdict,
    invariant: string | null,
    reason: string | null,
    outcomes: readonly CheckOutcome[],
    atMs?: number,
  ): RunResult {
    const nowMs = this.#stage.nowMs()
    const looks = outcomes.map(({ invariant, evaluated }) => [invariant, evaluated] as const)
    return {
      plan: this.#plan,
      verdict,
      invariant,
      reason,
      broken: invariant === null ? [] : [invariant],
      atMs: atMs ?? nowMs,
      virtualMs: nowMs - this.#beganMs,
      eventsRun: this.#events,
      traceHash: null,
      outcomes,
      evaluated: Object.fromEntries(looks),
      probes: this.#probes.counts(),
      fired: this.#stage.fired,
      history: this.#history.entries,
    }
  }
}

/** Clients that add records; the others read what they wrote. */
function isWriter({ kind }: WorkloadPlan): boolean {
  return kind === 'producer' || kind === 'admin' || kind === 'connect' || kind === 'kafkajs'
}
