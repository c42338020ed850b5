import { ConfigError } from '../../base/errors.ts'
import { didYouMean } from '../../base/nearest-name.ts'
import { clientNamesOf } from './client-names.ts'
import { nodesOf } from './cluster-nodes.ts'
import { FAULT_KINDS, type Fault } from './fault.ts'
import { isFaultKind, ruleOf, type FaultRule, type ParamType } from './fault-rules.ts'
import type { Plan } from './plan.ts'
import { planShape } from './plan-shape.ts'
import { parseTarget, SYMBOLS, type Target } from './target.ts'

const OFFSETS_TOPIC = '__consumer_offsets'

/** Names in a plan that a target may use. */
interface Names {
  readonly nodes: readonly string[]
  readonly clients: readonly string[]
  /** Partitions by topic. */
  readonly topics: ReadonlyMap<string, number>
  readonly groups: readonly string[]
}

/** Throws `ConfigError`, one line that names the place, unless `value` is a plan that can be carried out. */
export function validatePlan(value: unknown): Plan {
  planShape(value, 'plan')
  const plan = value as Plan
  checkCluster(plan)
  const names = namesOf(plan)
  checkWorkload(plan, names)
  let lastMs = 0
  for (const [index, fault] of plan.faults.entries()) {
    const path = `plan.faults[${index}]`
    checkFault(fault, names, path)
    if (fault.atMs < lastMs) refuseAt(path, `is at ${fault.atMs} ms, after one at ${lastMs} ms`)
    lastMs = fault.atMs
  }
  return plan
}

function refuseAt(path: string, problem: string): never {
  throw new ConfigError(`${path}: ${problem}`)
}

function checkCluster({ cluster, topics }: Plan): void {
  const { layout, brokers, controllers, network, disk } = cluster
  const path = 'plan.cluster'
  if (layout === 'combined' && controllers > brokers) {
    refuseAt(path, `${controllers} controllers among ${brokers} combined nodes`)
  }
  if (network.minUs > network.maxUs) refuseAt(`${path}.network`, 'minUs is more than maxUs')
  if (disk.fsyncMinUs > disk.fsyncMaxUs)
    refuseAt(`${path}.disk`, 'fsyncMinUs is more than fsyncMaxUs')
  const seen = new Set<string>()
  for (const { name, replicationFactor } of topics) {
    if (seen.has(name)) refuseAt('plan.topics', `"${name}" is there twice`)
    seen.add(name)
    if (replicationFactor > brokers) {
      refuseAt('plan.topics', `"${name}" has ${replicationFactor} replicas on ${brokers} brokers`)
    }
  }
}

function namesOf(plan: Plan): Names {
  return {
    nodes: nodesOf(plan.cluster).map(({ name }) => name),
    clients: plan.workload.flatMap(clientNamesOf),
    topics: new Map(plan.topics.map(({ name, partitions }) => [name, partitions])),
    groups: plan.workload.flatMap((part) =>
      part.kind === 'group' || part.kind === 'kafkajs' ? [part.groupId] : [],
    ),
  }
}

function checkWorkload(plan: Plan, names: Names): void {
  const seen = new Set<string>(names.nodes)
  for (const name of names.clients) {
    if (seen.has(name)) refuseAt('plan.workload', `the name "${name}" is there twice`)
    seen.add(name)
  }
  for (const [index, part] of plan.workload.entries()) {
    const path = `plan.workload[${index}]`
    if (!('topic' in part)) continue
    const count = names.topics.get(part.topic)
    if (count === undefined) {
      const near = didYouMean(part.topic, names.topics.keys())
      refuseAt(path, `there is no topic "${part.topic}"${near}`)
    }
    const beyond = 'partitions' in part ? part.partitions.find((each) => each >= count) : undefined
    if (beyond !== undefined) refuseAt(path, `${part.topic} has no partition ${beyond}`)
  }
}

function checkFault(fault: Fault, names: Names, path: string): void {
  const kind: string = fault.kind
  if (!isFaultKind(kind)) {
    refuseAt(path, `there is no fault "${kind}"${didYouMean(kind, FAULT_KINDS)}`)
  }
  const rule = ruleOf(kind)
  if (fault.untilMs !== undefined) {
    if (!rule.lasts) refuseAt(path, `${kind} is over at once, untilMs means nothing`)
    if (fault.untilMs <= fault.atMs) refuseAt(path, `ends at ${fault.untilMs} ms, before it begins`)
  }
  checkParams(fault, rule, path)
  if (rule.aim === 'cluster') checkTopicOf(fault, names, path)
  else checkTarget(fault, rule, names, path)
}

function checkParams({ kind, params = {} }: Fault, rule: FaultRule, path: string): void {
  const known = Object.keys(rule.params)
  for (const [name, value] of Object.entries(params)) {
    const type = rule.params[name]
    if (type === undefined) {
      refuseAt(path, `${kind} takes no params.${name}${didYouMean(name, known)}`)
    }
    if (!isOfType(value, type)) {
      const expected = typeof type === 'string' ? `a ${type}` : `one of ${type.join(', ')}`
      refuseAt(path, `params.${name} should be ${expected}, not ${JSON.stringify(value)}`)
    }
  }
  const missing = rule.requires.find((name) => params[name] === undefined)
  if (missing !== undefined) refuseAt(path, `${kind} needs params.${missing}`)
}

function isOfType(value: string | number | boolean, type: ParamType): boolean {
  if (type === 'number') return typeof value === 'number'
  if (type === 'boolean') return typeof value === 'boolean'
  if (type === 'text') return typeof value === 'string'
  return typeof value === 'string' && type.includes(value)
}

/** Administration names a topic in `params.topic`; the election alone does without. */
function checkTopicOf({ kind, target, params = {} }: Fault, names: Names, path: string): void {
  const given = params['topic'] ?? (kind === 'elect-preferred' ? undefined : target)
  if (given === undefined || names.topics.has(String(given))) return
  refuseAt(path, `there is no topic "${given}"${didYouMean(String(given), names.topics.keys())}`)
}

function checkTarget(fault: Fault, rule: FaultRule, names: Names, path: string): void {
  const { kind, target: text } = fault
  const target = parseTarget(text)
  if (target === null) {
    refuseAt(path, `"${text}" is no target; symbols are ${SYMBOLS.join(', ')}`)
  }
  if (target.kind === 'all' && !rule.mayBeAll) refuseAt(path, `${kind} takes one node at a time`)
  if (target.kind === 'name') return checkName(fault, rule, names, path)
  if (rule.aim === 'client' && target.kind !== 'all') {
    refuseAt(path, `${kind} is for clients, "${text}" is none`)
  }
  checkSymbol(target, names, path)
}

function checkName({ kind, target }: Fault, rule: FaultRule, names: Names, path: string): void {
  const isNode = names.nodes.includes(target)
  const isClient = names.clients.includes(target)
  if (!isNode && !isClient) {
    const near = didYouMean(target, [...names.nodes, ...names.clients, ...SYMBOLS])
    refuseAt(path, `there is no node or client "${target}"${near}`)
  }
  if (isClient && rule.aim === 'node')
    refuseAt(path, `${kind} is for nodes, "${target}" is a client`)
  if (isNode && rule.aim === 'client')
    refuseAt(path, `${kind} is for clients, "${target}" is a node`)
}

function checkSymbol(target: Target, names: Names, path: string): void {
  if (target.kind === 'coordinator' && !names.groups.includes(target.group)) {
    refuseAt(path, `there is no group "${target.group}"${didYouMean(target.group, names.groups)}`)
  }
  if (!('topic' in target) || target.topic === OFFSETS_TOPIC) return
  if (names.topics.has(target.topic)) return
  refuseAt(
    path,
    `there is no topic "${target.topic}"${didYouMean(target.topic, names.topics.keys())}`,
  )
}
