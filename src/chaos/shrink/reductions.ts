import type { Fault } from '../plan/fault.ts'
import type { ClusterPlan, Plan, TopicPlan } from '../plan/plan.ts'
import type { WorkloadPlan } from '../plan/workload-plan.ts'
import type { RunResult } from '../run/run-result.ts'
import { smallerLists } from './subsets.ts'

/** Ways to make a plan smaller; each yields candidates, the boldest first. */
export type Reduction = (plan: Plan, result: RunResult) => Iterable<Plan>

const PLAIN_NETWORK = { minUs: 200, maxUs: 200, tailPermille: 0, tailFactor: 1, cutPermille: 0 }
const PLAIN_DISK = { fsyncMinUs: 500, fsyncMaxUs: 500, tailPermille: 0, tailFactor: 1 }
/** Time after the last fault within which a failure shows. */
const TAIL_MS = 1000
/** A producer is not slowed down beyond it. */
const SLOWEST_MS = 1000
const ROUND_MS = [1000, 100, 10]

/** In this order: what saves most is tried first. */
export const REDUCTIONS: readonly Reduction[] = [
  withoutTail,
  withoutFaultKinds,
  withoutFaults,
  withoutActors,
  withLiteralTargets,
  withFewerNodes,
  withFewerPartitions,
  withFewerPropertiesAndConfigs,
  withPlainModels,
  withSimplerFaults,
  withSimplerActors,
]

/** Nothing after the failure matters, and little before it. */
function* withoutTail(plan: Plan, result: RunResult): Generator<Plan> {
  const last = result.fired.at(-1)
  for (const chaosMs of [0, plan.chaosMs / 4, plan.chaosMs / 2, lastRowMs(plan) + TAIL_MS]) {
    const rounded = Math.ceil(chaosMs)
    if (rounded >= plan.chaosMs) continue
    yield { ...plan, chaosMs: rounded, faults: plan.faults.filter(({ atMs }) => atMs <= rounded) }
  }
  if (last === undefined) return
  const fired = new Set(result.fired.map(({ row }) => JSON.stringify(row)))
  const faults = plan.faults.filter((row) => fired.has(JSON.stringify(row)))
  if (faults.length < plan.faults.length) yield { ...plan, faults }
}

function* withoutFaultKinds(plan: Plan): Generator<Plan> {
  const kinds = [...new Set(plan.faults.map(({ kind }) => kind))]
  if (kinds.length < 2) return
  for (const kind of kinds) {
    yield { ...plan, faults: plan.faults.filter((fault) => fault.kind !== kind) }
  }
}

function* withoutFaults(plan: Plan): Generator<Plan> {
  for (const faults of smallerLists(plan.faults)) yield { ...plan, faults }
}

function* withoutActors(plan: Plan): Generator<Plan> {
  for (const workload of smallerLists(plan.workload)) yield { ...plan, workload }
}

/** The nodes that the symbols stood for, so that a smaller plan does not hit others. */
function* withLiteralTargets(plan: Plan, result: RunResult): Generator<Plan> {
  const nodes = new Map(result.fired.map(({ row, node }) => [JSON.stringify(row), node]))
  const faults = plan.faults.map((fault) => {
    const node = nodes.get(JSON.stringify(fault))
    return node === undefined || node === '' || fault.target === 'all'
      ? fault
      : { ...fault, target: node }
  })
  if (faults.some((fault, index) => fault.target !== plan.faults[index]?.target)) {
    yield { ...plan, faults }
  }
}

function* withFewerNodes(plan: Plan): Generator<Plan> {
  const { cluster } = plan
  const change = (changes: Partial<ClusterPlan>): Plan => {
    const brokers = changes.brokers ?? cluster.brokers
    const topics = plan.topics.map((topic) => ({
      ...topic,
      replicationFactor: Math.min(topic.replicationFactor, brokers),
    }))
    return { ...plan, cluster: { ...cluster, ...changes }, topics }
  }
  if (cluster.controllers > 1) yield change({ controllers: 1 })
  if (cluster.controllers > 3) yield change({ controllers: 3 })
  for (const brokers of [1, 2, 3]) {
    if (brokers >= cluster.brokers) continue
    const isCombined = cluster.layout === 'combined'
    const controllers = isCombined ? Math.min(cluster.controllers, brokers) : cluster.controllers
    yield change({ brokers, controllers })
  }
  for (const topic of plan.topics) {
    if (topic.replicationFactor < 2) continue
    yield withTopic(plan, topic, { replicationFactor: topic.replicationFactor - 1 })
  }
}

function* withFewerPartitions(plan: Plan): Generator<Plan> {
  for (const topic of plan.topics) {
    const isUsed = plan.workload.some((actor) => 'topic' in actor && actor.topic === topic.name)
    if (!isUsed) yield { ...plan, topics: plan.topics.filter((other) => other !== topic) }
    if (topic.partitions === 1) continue
    const workload = plan.workload.map((actor) =>
      'partitions' in actor && actor.topic === topic.name ? { ...actor, partitions: [0] } : actor,
    )
    yield { ...withTopic(plan, topic, { partitions: 1 }), workload }
  }
}

function* withFewerPropertiesAndConfigs(plan: Plan): Generator<Plan> {
  const names = Object.keys(plan.cluster.properties)
  for (const kept of smallerLists(names)) {
    yield {
      ...plan,
      cluster: { ...plan.cluster, properties: only(plan.cluster.properties, kept) },
    }
  }
  for (const topic of plan.topics) {
    for (const kept of smallerLists(Object.keys(topic.configs))) {
      yield withTopic(plan, topic, { configs: only(topic.configs, kept) })
    }
  }
}

function* withPlainModels(plan: Plan): Generator<Plan> {
  const { cluster } = plan
  yield { ...plan, cluster: { ...cluster, network: PLAIN_NETWORK, disk: PLAIN_DISK } }
  yield { ...plan, cluster: { ...cluster, network: PLAIN_NETWORK } }
  yield { ...plan, cluster: { ...cluster, disk: PLAIN_DISK } }
}

function* withSimplerFaults(plan: Plan): Generator<Plan> {
  for (const [index, fault] of plan.faults.entries()) {
    for (const simpler of simplerFaults(fault)) {
      const faults = plan.faults.map((other, at) => (at === index ? simpler : other))
      yield { ...plan, faults: faults.toSorted((a, b) => a.atMs - b.atMs) }
    }
  }
}

function* simplerFaults(fault: Fault): Generator<Fault> {
  const { untilMs, params, ...bare } = fault
  if (untilMs !== undefined) yield params === undefined ? bare : { ...bare, params }
  if (params !== undefined) yield untilMs === undefined ? bare : { ...bare, untilMs }
  for (const unit of ROUND_MS) {
    const atMs = Math.floor(fault.atMs / unit) * unit
    const until = untilMs === undefined ? {} : { untilMs: Math.ceil(untilMs / unit) * unit }
    if (atMs !== fault.atMs || until.untilMs !== untilMs) yield { ...fault, atMs, ...until }
  }
}

function* withSimplerActors(plan: Plan): Generator<Plan> {
  for (const [index, actor] of plan.workload.entries()) {
    for (const simpler of simplerActors(actor)) {
      yield {
        ...plan,
        workload: plan.workload.map((other, at) => (at === index ? simpler : other)),
      }
    }
  }
}

function* simplerActors(actor: WorkloadPlan): Generator<WorkloadPlan> {
  if (actor.kind === 'producer') {
    yield { ...actor, batchRecords: 1, valueBytes: 16, compression: 'none', keys: 0, inFlight: 1 }
    if (actor.compression !== 'none') yield { ...actor, compression: 'none' }
    if (actor.batchRecords > 1) yield { ...actor, batchRecords: 1 }
    if (actor.inFlight > 1) yield { ...actor, inFlight: 1 }
    if (actor.probes === true) yield { ...actor, probes: false }
    if (actor.everyMs < SLOWEST_MS) yield { ...actor, everyMs: actor.everyMs * 4 }
  }
  if (actor.kind === 'group') {
    if (actor.members > 1) yield { ...actor, members: 1 }
    if (actor.churnEveryMs > 0) yield { ...actor, churnEveryMs: 0 }
    if (actor.isStatic) yield { ...actor, isStatic: false }
    if (actor.assignor !== 'range') yield { ...actor, assignor: 'range' }
  }
}

function withTopic(plan: Plan, topic: TopicPlan, changes: Partial<TopicPlan>): Plan {
  const topics = plan.topics.map((other) => (other === topic ? { ...other, ...changes } : other))
  return { ...plan, topics }
}

function only(
  values: Readonly<Record<string, string>>,
  names: readonly string[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, values[name] ?? '']))
}

function lastRowMs(plan: Plan): number {
  return plan.faults.reduce((last, { atMs }) => Math.max(last, atMs), 0)
}
