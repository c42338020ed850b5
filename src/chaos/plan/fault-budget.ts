import { nodesOf } from './cluster-nodes.ts'
import type { Fault, FaultKind } from './fault.ts'
import type { Plan } from './plan.ts'
import { parseTarget } from './target.ts'

/**
 * What the faults of a plan leave of the promises. A lost tail without an fsync before the acknowledgement,
 * a wiped disk or damage on more replicas than min.insync.replicas allows is over the budget of durability:
 * then acknowledged records may be lost (R7, R8, D1 are reported, not failed).
 */
export interface FaultBudget {
  /** Committed records must survive: R7, R8, D1, R14(d) count. */
  readonly holdsDurability: boolean
  /** Unclean elections are allowed in this plan. */
  readonly isUnclean: boolean
  /** Votes and the metadata log must survive: Q2, Q3, Q5, Q7 count. */
  readonly holdsQuorum: boolean
}

const UNCLEAN = 'unclean.leader.election.enable'
const OFFSETS_REPLICAS = 3
/** From the end of a fault until the replica is in sync again: a session, a start, the missing records. */
const CATCH_UP_MS = 8000

/** A replica comes back with less than it had acknowledged, and knows that it was away. */
const TAIL_LOSERS: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'power-cut',
  'wipe-disk',
  'stale-disk',
])

/** A replica has less than it believes, from then on until the heal. */
const DAMAGERS: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'bit-flip',
  'lose-write',
  'misdirect-write',
])

/** Nothing of this takes a replica out of its ISR. */
const HARMLESS: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'reset',
  'lose-responses',
  'clock-skew',
  'clock-jump',
  'elect-preferred',
  'create-partitions',
  'alter-topic',
  'client-crash',
  'client-pause',
])

/** Kinds that may leave a node down although they last no longer than a moment: the heal starts it. */
const STAYS: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'read-error',
  'write-error',
  'fsync-error',
  'disk-full',
  'log-dir-failure',
  'lying-fsync',
  'corrupt-index',
  ...DAMAGERS,
])

/**
 * What may be asked of a run of this plan.
 *
 * Brokers here, like Apache Kafka's, acknowledge from the page cache: an fsync comes when a segment is rolled, after
 * `flush.messages` and at an orderly end, and no answer waits for one. So a power cut loses what was acknowledged since. Other replicas have it: a broker that comes back from an unclean stop was fenced first,
 * or is by registering, and left every ISR that has another member. Only as the last member it stays (there are no
 * eligible leader replicas, KIP-966), is elected, and makes the loss everyone's. Hence the rule: a replica
 * that loses a tail, its disk or part of its bytes is within the budget while at least one other replica of every
 * partition is sure to stay in sync: fewer than replication factor - 1 other faults that can take replicas out of
 * an ISR lie within its time and that of catching up. What is committed is held by all members of the ISR, so
 * min.insync.replicas does not enter into it.
 *
 * Votes and the metadata log are synced before they count, so a power cut of voters, even of all, breaks nothing; an
 * emptied, older or lying disk of a voter does, unless the plan has taken care that a majority of the others has all
 * (`isWithinBudget`). Without the metadata nothing else is promised either.
 */
export function budgetOf(plan: Plan): FaultBudget {
  const isUnclean = allowsUnclean(plan)
  const holdsQuorum = !plan.faults.some((fault) => losesVotes(fault, plan))
  const holdsDurability =
    holdsQuorum && !isUnclean && plan.faults.every((fault) => isSurvived(fault, plan))
  return { holdsDurability, isUnclean, holdsQuorum }
}

function allowsUnclean({ cluster, topics, faults }: Plan): boolean {
  return (
    cluster.properties[UNCLEAN] === 'true' ||
    topics.some(({ configs }) => configs[UNCLEAN] === 'true') ||
    faults.some(({ kind, params }) => kind === 'alter-topic' && params?.['name'] === UNCLEAN)
  )
}

function losesVotes(fault: Fault, plan: Plan): boolean {
  if (!mayHit(fault, plan, 'isController')) return false
  switch (fault.kind) {
    case 'wipe-disk':
      return fault.params?.['isWithinBudget'] !== true
    case 'stale-disk':
    case 'lose-write':
    case 'misdirect-write':
      return true
    case 'bit-flip':
      return fault.params?.['topic'] === '__cluster_metadata'
    case 'lying-fsync':
      return plan.faults.some(({ kind }) => kind === 'power-cut' || kind === 'power-cut-all')
    default:
      return false
  }
}

function isSurvived(fault: Fault, plan: Plan): boolean {
  const { kind } = fault
  if (kind === 'power-cut-all') return false
  if (fault.params?.['isOverBudget'] === true) return false
  const isLoser = TAIL_LOSERS.has(kind) || DAMAGERS.has(kind)
  if (!isLoser || !mayHit(fault, plan, 'isBroker')) return true
  const spare = leastReplicas(plan) - 1
  const others = plan.faults.filter(
    (other) => other !== fault && touchesIsr(other, plan) && overlap(fault, other, plan),
  )
  const lost = others.reduce((sum, other) => sum + (hitsMany(other) ? spare : 1), 0)
  return lost < spare && !hitsMany(fault)
}

function leastReplicas({ topics, cluster, workload }: Plan): number {
  const hasGroups = workload.some(({ kind }) => kind === 'group' || kind === 'kafkajs')
  const offsets = Number(
    cluster.properties['offsets.topic.replication.factor'] ??
      Math.min(OFFSETS_REPLICAS, cluster.brokers),
  )
  const factors = topics.map(({ replicationFactor }) => replicationFactor)
  return Math.min(...factors, ...(hasGroups ? [offsets] : []), cluster.brokers)
}

/** Whether a fault can take a replica out of its ISR, or down as the last of it. */
function touchesIsr(fault: Fault, plan: Plan): boolean {
  return !HARMLESS.has(fault.kind) && mayHit(fault, plan, 'isBroker')
}

function hitsMany({ kind, target, params }: Fault): boolean {
  if (target === 'all' || kind === 'power-cut-all' || kind === 'clog') return true
  // A cut from its peers leaves a leader alone as well as it leaves a follower behind.
  return kind === 'cut' && params?.['peers'] !== 'clients' && params?.['peers'] !== 'controllers'
}

/** Whether the target can be a node of this role; a symbol may be whatever it can stand for. */
function mayHit(
  { target: text }: Fault,
  { cluster }: Plan,
  role: 'isBroker' | 'isController',
): boolean {
  const target = parseTarget(text)
  const nodes = nodesOf(cluster)
  switch (target?.kind) {
    case undefined:
      return false
    case 'name':
      return nodes.some((node) => node.name === target.name && node[role])
    case 'controller':
    case 'other-controller':
      return nodes.some((node) => node.isController && node[role])
    case 'all':
      return true
    default:
      return nodes.some((node) => node.isBroker && node[role])
  }
}

function overlap(one: Fault, other: Fault, plan: Plan): boolean {
  return beginOf(one) <= endOf(other, plan) && beginOf(other) <= endOf(one, plan)
}

/** A fault that is triggered may fire at any time after its own. */
function beginOf({ atMs }: Fault): number {
  return atMs
}

function endOf({ kind, atMs, untilMs, atProbe }: Fault, { chaosMs }: Plan): number {
  if (atProbe !== undefined || STAYS.has(kind)) return chaosMs + CATCH_UP_MS
  if (untilMs === undefined) {
    return (kind === 'recreate-topic' ? atMs : chaosMs) + CATCH_UP_MS
  }
  return untilMs + CATCH_UP_MS
}
