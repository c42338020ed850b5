import { ConfigError } from '../../base/errors.ts'
import type { NodeEvent } from '../../ports/events.ts'
import { SimWorld } from '../../sim/sim-world.ts'
import type { CheckOutcome } from '../checks/history-check.ts'
import { checkHistory } from '../checks/index.ts'
import { History } from '../history/history.ts'
import { budgetOf, type FaultBudget } from '../plan/fault-budget.ts'
import type { Plan } from '../plan/plan.ts'
import type { KafkajsPlan, WorkloadPlan } from '../plan/workload-plan.ts'
import type { EventProbe } from '../probes/index.ts'
import { SimStage } from '../sim/sim-stage.ts'
import { createStateChecks } from '../state/create-state-checks.ts'
import type { ClusterState } from '../state/state-check.ts'
import { createActors } from '../workload/create-actors.ts'
import { FinalReader } from '../workload/final-reader.ts'
import { VerificationProduce } from '../workload/verification-produce.ts'
import type { WorkloadContext } from '../workload/workload-actor.ts'
import { ClientProgress } from './client-progress.ts'
import { asHarness } from './harness-error.ts'
import { traceEntry } from './history-trace.ts'
import { ProbeCounter } from './probe-counter.ts'
import { problemOf, type Problem } from './problem.ts'
import type { RunResult } from './run-result.ts'
import type { Actor } from './stage.ts'
import { StateWatch } from './state-watch.ts'
import { judged, type Ending } from './verdict.ts'

const SETUP_LIMIT_MS = 30_000
const WARM_UP_LIMIT_MS = 20_000
/** What is under way when its client is told to stop ends within its own time-outs. */
const STOP_LIMIT_MS = 30_000
/** The cluster must stay whole for so long to count as whole. */
const STABLE_MS = 300
/** Between two looks at what is pending. */
const POLL_MS = 20
/** Readers and groups that come nearer to the end get so many times the limit of the heal. */
const ARRIVAL_LIMITS = 5
/** How long the idle cluster is listened to, and how many events of a node in a second are a storm. */
const IDLE_MS = 500
const STORM_EVENTS_PER_SECOND = 500

const UNSTABLE: Problem = { invariant: 'L2', reason: 'it does not stay whole' }

/** The run wants the world to go on until this holds, or for so long. */
export interface Wait {
  readonly until: () => boolean
  readonly limitMs: number
}

type Steps<T> = Generator<Wait, T, boolean>

export interface SimRunOptions {
  readonly probes: readonly EventProbe[]
  /** Go on to the end after a broken invariant, to see which others notice. */
  readonly keepGoing: boolean
  readonly onEvent: ((event: NodeEvent) => void) | null
  readonly createKafkajs: ((plan: KafkajsPlan, context: WorkloadContext) => readonly Actor[]) | null
}

/** One run of a plan in a world of its own. Who drives it lets the world go on as `steps` asks. */
export class SimRun {
  readonly world: SimWorld
  readonly stage: SimStage
  readonly history: History
  readonly #plan: Plan
  readonly #options: SimRunOptions
  readonly #budget: FaultBudget
  readonly #watch: StateWatch
  readonly #probes: ProbeCounter
  readonly #progress: ClientProgress
  readonly #context: WorkloadContext
  readonly #clients: { readonly plan: WorkloadPlan; readonly actor: Actor }[] = []
  #isFinalReadComplete = false
  #healedAtMs: number | null = null
  #membersStoppedAtMs: number | null = null

  constructor(plan: Plan, options: SimRunOptions) {
    this.#plan = plan
    this.#options = options
    this.#budget = budgetOf(plan)
    this.world = worldOf(plan)
    const { world } = this
    const nowMs = (): number => world.scheduler.nowMs
    this.history = new History(nowMs)
    this.stage = new SimStage(plan, world, this.history)
    this.#watch = new StateWatch(nowMs)
    this.#probes = new ProbeCounter(options.probes, (name) => this.stage.schedule.onProbe(name))
    this.#progress = new ClientProgress(plan.workload)
    this.#context = {
      history: this.history,
      bootstrap: this.stage.bootstrap,
      random: world.random('workload'),
    }
    this.#connect()
  }

  /** All phases, one after the other. */
  *steps(): Steps<RunResult> {
    let ending: Ending | null = null
    for (const [name, phase] of this.#phases()) {
      this.#trace('run.phase', { phase: name })
      ending = this.#brokenInvariant() ?? (yield* phase()) ?? this.#brokenInvariant()
      if (ending !== null) break
    }
    if (ending?.verdict === 'fail' && !this.#options.keepGoing) return this.result(ending, [])
    const outcomes = asHarness(() =>
      checkHistory({
        plan: this.#plan,
        entries: this.history.entries,
        budget: this.#budget,
        isFinalReadComplete: this.#isFinalReadComplete,
        ...(this.#healedAtMs === null ? {} : { healedAtMs: this.#healedAtMs }),
        ...(this.#membersStoppedAtMs === null
          ? {}
          : { membersStoppedAtMs: this.#membersStoppedAtMs }),
      }),
    )
    return this.result(this.#firstViolation() ?? judged(ending, outcomes, this.#nowMs()), outcomes)
  }

  result(
    { verdict, invariant, reason, atMs }: Ending,
    outcomes: readonly CheckOutcome[],
  ): RunResult {
    this.#trace('run.ended', { verdict, invariant })
    const { world, stage, history } = this
    return {
      plan: this.#plan,
      verdict,
      invariant,
      reason,
      broken: this.#allBroken(verdict === 'harness-error' ? null : invariant, outcomes),
      atMs,
      virtualMs: this.#nowMs(),
      eventsRun: world.scheduler.eventsRun,
      traceHash: world.trace.hash(),
      outcomes,
      evaluated: this.#evaluated(outcomes),
      probes: this.#probes.counts(),
      fired: stage.fired,
      history: history.entries,
    }
  }

  #connect(): void {
    const { world, stage, history } = this
    const { cluster } = stage
    const watch = this.#watch
    const state: ClusterState = {
      nowMs: () => this.#nowMs(),
      nodes: cluster.views,
      budget: this.#budget,
      readFile: (nodeId, path, position, length) =>
        cluster.machineOf(nodeId).disk.written(path, position, length),
    }
    watch.use(createStateChecks(state, watch))
    world.onEvent((event) => {
      asHarness(() => watch.onEvent(event))
      const { onEvent } = this.#options
      if (onEvent !== null) asHarness(() => onEvent(event))
      this.#probes.onEvent(event)
    })
    world.afterStep((node) => {
      const view = node === null ? undefined : cluster.viewsByName.get(node)
      asHarness(() => watch.afterStep(view ?? null))
    })
    cluster.onStart((view, _node, losses) => asHarness(() => watch.onStart(view, losses)))
    history.onEntry((entry) => {
      traceEntry(world.trace, world.scheduler.nowUs, entry)
      this.#progress.onEntry(entry)
      asHarness(() => watch.onHistory(entry))
    })
  }

  #phases(): readonly (readonly [string, () => Steps<Ending | null>])[] {
    return [
      ['setup', () => this.#setUp()],
      ['warm-up', () => this.#warmUp()],
      ['chaos', () => this.#chaos()],
      ['heal', () => this.#heal()],
      ['quiesce', () => this.#quiesce()],
      ['verification', () => this.#verify()],
      ['final-reads', () => this.#readAll()],
      ['rest', () => this.#rest()],
    ]
  }

  *#setUp(): Steps<Ending | null> {
    const { stage } = this
    stage.cluster.start()
    const notUp = yield* this.#settled(SETUP_LIMIT_MS, 0, () => stage.pending())
    if (notUp !== null) return this.#stuck(notUp, 'the cluster does not come up: ')
    let missing = this.#plan.topics.length
    for (const topic of this.#plan.topics) {
      stage.admin.ensureTopic(topic, () => {
        missing -= 1
      })
    }
    const areMade = yield* this.#wait(() => missing === 0, SETUP_LIMIT_MS)
    if (!areMade) return this.#stuck({ invariant: 'L3', reason: 'the topics cannot be created' })
    const notWhole = yield* this.#settled(SETUP_LIMIT_MS, 0, () => stage.pending())
    if (notWhole !== null) return this.#stuck(notWhole, 'the topics do not come up: ')
    for (const plan of this.#plan.workload) {
      for (const actor of this.#actorsOf(plan)) {
        this.#clients.push({ plan, actor })
        if (usesPromises(plan)) this.world.node(actor.name).mayAwait = true
        stage.startClient(actor)
      }
    }
    return null
  }

  *#warmUp(): Steps<Ending | null> {
    const isWarm = (): boolean => this.#progress.silentProducer() === null
    if (yield* this.#wait(isWarm, WARM_UP_LIMIT_MS)) return null
    const reason = `nothing of producer ${this.#progress.silentProducer()} is acknowledged`
    return this.#stuck({ invariant: 'L3', reason })
  }

  *#chaos(): Steps<Ending | null> {
    this.stage.begin(this.#plan.faults)
    yield* this.#wait(() => false, this.#plan.chaosMs)
    return null
  }

  *#heal(): Steps<Ending | null> {
    const { stage } = this
    stage.heal()
    for (const { actor } of this.#clients) actor.calm?.()
    const reason = yield* this.#settled(this.#plan.healLimitMs, STABLE_MS, () => stage.pending())
    this.#healedAtMs = this.#nowMs()
    return reason === null ? null : this.#stuck(reason)
  }

  /** Writers stop first; readers and groups then get the time to come to the end. */
  *#quiesce(): Steps<Ending | null> {
    const { stage } = this
    const notStopped = yield* this.#stop(isWriter)
    if (notStopped !== null) return this.#stuck(notStopped)
    // A send without acks is over for its client before it has arrived; the ends are taken after it.
    const writers = this.#clients.filter(({ plan }) => isWriter(plan))
    const isUnderWay = (): boolean =>
      writers.some(({ actor }) => this.world.network.isUnderWayFrom(actor.name))
    yield* this.#wait(() => !isUnderWay(), STOP_LIMIT_MS)
    const topics = new Set(this.#plan.topics.map(({ name }) => name))
    const restless = yield* this.#settled(this.#plan.healLimitMs, 0, () =>
      stage.restlessness((topic) => topics.has(topic)),
    )
    if (restless !== null) return this.#stuck(restless)
    const ends = this.#ends()
    yield* this.#arrival(ends)
    this.#membersStoppedAtMs = this.#nowMs()
    const notEnded = yield* this.#stop(() => true)
    return notEnded === null ? null : this.#stuck(notEnded)
  }

  /**
   * Waits until all readers and groups are at these ends, as long as they come nearer: a group that is always
   * rebalancing may be slower than its producers were. Whoever does not arrive is judged by the history (L4).
   */
  *#arrival(ends: Parameters<ClientProgress['behind']>[0]): Steps<void> {
    const deadlineMs = this.#nowMs() + ARRIVAL_LIMITS * this.#plan.healLimitMs
    let last: string | null = null
    let changedMs = this.#nowMs()
    while (this.#brokenInvariant() === null && this.#nowMs() < deadlineMs) {
      const reason = this.#progress.behind(ends, (reader, key) => this.#reads(reader, key))
      if (reason === null) return
      if (reason !== last) changedMs = this.#nowMs()
      else if (this.#nowMs() - changedMs > this.#plan.healLimitMs) return
      last = reason
      yield* this.#wait(() => false, POLL_MS)
    }
  }

  /** L3: a fresh acks=all send to every partition. */
  *#verify(): Steps<Ending | null> {
    const topics = this.#plan.topics.map(({ name }) => name)
    if (topics.length === 0) return null
    const verification = new VerificationProduce({ name: 'verify', topics }, this.#context)
    verification.start(this.world.node(verification.name).ports)
    const { healLimitMs } = this.#plan
    const missing = yield* this.#settled(healLimitMs, 0, () =>
      problemOf('L3', verification.pending()),
    )
    verification.stop()
    this.#watch.evaluated('L3')
    if (missing !== null) return this.#stuck(missing)
    const restless = yield* this.#settled(healLimitMs, 0, () => this.stage.restlessness())
    return restless === null ? null : this.#stuck(restless)
  }

  *#readAll(): Steps<Ending | null> {
    const topics = this.#plan.topics.map(({ name }) => name)
    if (topics.length === 0) return null
    const reader = new FinalReader({ name: 'final', topics }, this.#context)
    reader.start(this.world.node(reader.name).ports)
    const missing = yield* this.#settled(this.#plan.healLimitMs, 0, () =>
      problemOf('L4', reader.pending()),
    )
    this.#isFinalReadComplete = reader.done()
    reader.stop()
    return missing === null ? null : this.#stuck(missing)
  }

  /** L8, and everything that is checked at rest. */
  *#rest(): Steps<Ending | null> {
    const { scheduler } = this.world
    const before = scheduler.eventsRun
    yield* this.#wait(() => false, IDLE_MS)
    const perSecond = ((scheduler.eventsRun - before) * 1000) / IDLE_MS
    const limit = STORM_EVENTS_PER_SECOND * this.stage.cluster.nodes.length
    this.#watch.evaluated('L8')
    if (perSecond > limit) {
      this.#watch.violated('L8', `${perSecond} events a second in an idle cluster, over ${limit}`)
    }
    const restless = yield* this.#settled(this.#plan.healLimitMs, 0, () =>
      this.stage.restlessness(),
    )
    if (restless !== null) return this.#stuck(restless)
    for (const invariant of ['L1', 'L2'] as const) this.#watch.evaluated(invariant)
    asHarness(() => {
      this.#watch.barrier()
      this.#watch.atEnd()
    })
    return null
  }

  #actorsOf(plan: WorkloadPlan): readonly Actor[] {
    const { createKafkajs } = this.#options
    if (plan.kind === 'kafkajs' && createKafkajs === null) {
      throw new ConfigError(`"${plan.name}" needs kafkajs: the run must be given \`createKafkajs\``)
    }
    return createActors(plan, {
      ...this.#context,
      ...(createKafkajs === null ? {} : { createKafkajs }),
    })
  }

  /** Tells clients to stop; what is still pending at the limit, null when nothing is. */
  *#stop(isMeant: (plan: WorkloadPlan) => boolean): Steps<Problem | null> {
    const meant = this.#clients.filter(({ plan }) => isMeant(plan))
    for (const { actor } of meant) actor.stop()
    return yield* this.#settled(STOP_LIMIT_MS, 0, () => {
      for (const { plan, actor } of meant) {
        const reason = actor.pending()
        if (reason === null) continue
        const invariant = isMember(plan) ? 'L5' : 'L3'
        return { invariant, reason: `${actor.name} does not stop: ${reason}` }
      }
      return null
    })
  }

  /** Log ends of the plan's topics as their leaders have them. */
  #ends(): ReadonlyMap<string, { readonly topic: string; readonly end: number }> {
    const ends = new Map<string, { readonly topic: string; readonly end: number }>()
    for (const view of this.stage.cluster.views.values()) {
      for (const { isLeader, key, topic, log } of view.partitions()) {
        if (isLeader) ends.set(key, { topic, end: log.highWatermark })
      }
    }
    return ends
  }

  #reads(name: string, key: string): boolean {
    const plan = this.#plan.workload.find((each) => each.name === name)
    if (plan?.kind !== 'reader') return true
    return plan.partitions.includes(Number(key.slice(key.lastIndexOf('-') + 1)))
  }

  *#wait(until: () => boolean, limitMs: number): Steps<boolean> {
    const watch = this.#watch
    const isOver = this.#options.keepGoing ? until : (): boolean => watch.hasViolation || until()
    return yield { until: isOver, limitMs }
  }

  /** Waits until nothing has been pending for `stableMs`; what still is at the limit. */
  *#settled(
    limitMs: number,
    stableMs: number,
    pending: () => Problem | null,
  ): Steps<Problem | null> {
    const deadlineMs = this.#nowMs() + limitMs
    let wholeSinceMs = Infinity
    for (;;) {
      const problem = pending()
      const nowMs = this.#nowMs()
      if (problem !== null) wholeSinceMs = Infinity
      else if (wholeSinceMs === Infinity) wholeSinceMs = nowMs
      if (nowMs - wholeSinceMs >= stableMs) return null
      if (nowMs >= deadlineMs) return problem ?? UNSTABLE
      if (this.#brokenInvariant() !== null) return problem
      yield* this.#wait(() => false, POLL_MS)
    }
  }

  #stuck({ invariant, reason }: Problem, where = ''): Ending {
    const { holdsDurability, holdsQuorum } = this.#budget
    const { unrecoverable, lostTopics } = this.stage
    // Topics and leaders are metadata: what voters lost with their disks takes along what could become whole again.
    const isGone = this.#watch.isMetadataLost || lostTopics.length > 0
    const isByDesign =
      (isGone && !holdsQuorum) || (unrecoverable.length > 0 && !(holdsDurability && holdsQuorum))
    const broken = this.#brokenInvariant()
    if (broken !== null) return broken
    return {
      verdict: isByDesign ? 'unavailable' : 'stuck',
      invariant,
      reason: `${where}${reason}`,
      atMs: this.#nowMs(),
    }
  }

  /** Why the run ends here, if a state check is the reason. */
  #brokenInvariant(): Ending | null {
    return this.#options.keepGoing ? null : this.#firstViolation()
  }

  #firstViolation(): Ending | null {
    const [first] = this.#watch.violations
    if (first === undefined) return null
    const { invariant, message, atMs } = first
    return { verdict: 'fail', invariant, reason: message, atMs }
  }

  #allBroken(ended: string | null, outcomes: readonly CheckOutcome[]): readonly string[] {
    const byState = this.#watch.violations.map(({ invariant }) => invariant)
    const byHistory = outcomes.flatMap(({ verdict, invariant }) =>
      verdict === 'invalid' ? [invariant] : [],
    )
    return [...new Set([...byState, ...(ended === null ? [] : [ended]), ...byHistory])]
  }

  #evaluated(outcomes: readonly CheckOutcome[]): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (const [invariant, count] of this.#watch.counts()) counts[invariant] = count
    for (const { invariant, evaluated } of outcomes) {
      counts[invariant] = (counts[invariant] ?? 0) + evaluated
    }
    return counts
  }

  #trace(kind: string, fields: Readonly<Record<string, string | null>>): void {
    this.world.trace.add(this.world.scheduler.nowUs, 'run', kind, fields)
  }

  #nowMs(): number {
    return this.world.scheduler.nowMs
  }
}

/** Whether the clients of this part of a workload await promises. */
export function usesPromises({ kind }: WorkloadPlan): boolean {
  return kind === 'kafkajs' || kind === 'connect'
}

/** Clients that belong to a group, of consumers or of Connect. */
function isMember({ kind }: WorkloadPlan): boolean {
  return kind === 'group' || kind === 'connect' || kind === 'kafkajs'
}

/** Clients that add records; the others read what they wrote. */
function isWriter({ kind }: WorkloadPlan): boolean {
  return kind === 'producer' || kind === 'admin' || kind === 'connect' || kind === 'kafkajs'
}

function worldOf({ seed, cluster }: Plan): SimWorld {
  const { network, disk } = cluster
  return new SimWorld({
    seed,
    networkLatency: {
      minUs: network.minUs,
      maxUs: network.maxUs,
      tailPermille: network.tailPermille,
      tailFactor: network.tailFactor,
    },
    fsyncLatency: {
      minUs: disk.fsyncMinUs,
      maxUs: disk.fsyncMaxUs,
      tailPermille: disk.tailPermille,
      tailFactor: disk.tailFactor,
    },
    cutPermille: network.cutPermille,
  })
}
