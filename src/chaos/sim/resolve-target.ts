import type { NodeView } from '../../../broker/index.ts'
import { parseTarget, type Target } from '../plan/target.ts'
import type { SimCluster } from './sim-cluster.ts'

const OFFSETS_TOPIC = '__consumer_offsets'

/**
 * Names of the machines that a target means at this moment: none when there is no such thing now (no leader,
 * no active controller). What is meant is read from the newest metadata that any running node has.
 */
export function resolveTarget(
  text: string,
  cluster: SimCluster,
  clients: readonly string[],
): readonly string[] {
  const target = parseTarget(text)
  if (target === null) return []
  if (target.kind === 'name') {
    return cluster.has(target.name) || clients.includes(target.name) ? [target.name] : []
  }
  if (target.kind === 'all') return cluster.nodes.map(({ name }) => name)
  const id = nodeIdOf(target, cluster)
  const found = cluster.nodes.find(({ nodeId }) => nodeId === id)
  return found === undefined ? [] : [found.name]
}

/** The view with the newest metadata; null when no node runs. */
export function newestView(cluster: SimCluster): NodeView | null {
  let newest: NodeView | null = null
  for (const view of cluster.views.values()) {
    if (newest === null || isNewer(view, newest)) newest = view
  }
  return newest
}

/** The controller that acts for the newest epoch; null when there is none. */
export function activeController(cluster: SimCluster): NodeView | null {
  let active: NodeView | null = null
  for (const view of cluster.views.values()) {
    if (view.controller?.isActive !== true) continue
    if (active === null || view.quorum.epoch > active.quorum.epoch) active = view
  }
  return active
}

function isNewer(left: NodeView, right: NodeView): boolean {
  const { lastEpoch, lastOffset } = left.image
  if (lastEpoch !== right.image.lastEpoch) return lastEpoch > right.image.lastEpoch
  return lastOffset > right.image.lastOffset
}

function nodeIdOf(target: Target, cluster: SimCluster): number | null {
  switch (target.kind) {
    case 'leader':
    case 'follower':
    case 'replica':
      return replicaIdOf(target, cluster)
    case 'coordinator':
      return coordinatorOf(target.group, cluster)
    case 'controller':
      return activeController(cluster)?.nodeId ?? null
    case 'other-controller': {
      const active = activeController(cluster)?.nodeId
      const others = cluster.nodes.filter((node) => node.isController && node.nodeId !== active)
      return others[target.index % Math.max(1, others.length)]?.nodeId ?? null
    }
    case 'any-broker': {
      const brokers = cluster.nodes.filter(({ isBroker }) => isBroker)
      return brokers[target.index % brokers.length]?.nodeId ?? null
    }
    case 'name':
    case 'all':
      return null
  }
}

function replicaIdOf(
  target: Extract<Target, { readonly topic: string }>,
  cluster: SimCluster,
): number | null {
  const state = newestView(cluster)?.image.partition(target.topic, target.partition)
  if (state === undefined || state === null) return null
  if (target.kind === 'leader') return state.leader === -1 ? null : state.leader
  if (target.kind === 'replica') return state.replicas[target.index % state.replicas.length] ?? null
  // Those in sync first, each part by id: the order does not hang on the history of the ISR.
  const followers = state.replicas
    .filter((id) => id !== state.leader)
    .sort((a, b) => Number(state.isr.includes(b)) - Number(state.isr.includes(a)) || a - b)
  return followers[target.index % Math.max(1, followers.length)] ?? null
}

/** The broker that leads the group's partition of the offsets topic. */
function coordinatorOf(group: string, cluster: SimCluster): number | null {
  const view = newestView(cluster)
  const count = view?.image.topicsByName.get(OFFSETS_TOPIC)?.partitions.size ?? 0
  if (view === null || count === 0) return null
  const state = view.image.partition(OFFSETS_TOPIC, groupPartition(group, count))
  return state === null || state.leader === -1 ? null : state.leader
}

/** Kafka's choice: the positive part of Java's String.hashCode, by the number of partitions. */
function groupPartition(group: string, count: number): number {
  let hash = 0
  for (let index = 0; index < group.length; index += 1) {
    hash = (Math.imul(31, hash) + group.charCodeAt(index)) | 0
  }
  return (hash & 0x7fffffff) % count
}
