import { parseTarget, type Target } from '../plan/target.ts'
import type { ClusterPicture, WatchedPartition } from './cluster-watch.ts'
import { nodeNameOf } from './stage-layout.ts'
import type { StageNode } from './stage-node.ts'

export interface TargetContext {
  readonly nodes: readonly StageNode[]
  readonly clients: readonly string[]
  readonly picture: ClusterPicture
  /** Node id; -1 when nobody knows. */
  readonly coordinatorOf: (groupId: string) => Promise<number>
}

/** Names of the hosts that a target stands for at this moment; empty when there is none. */
export async function resolveTarget(
  text: string,
  context: TargetContext,
): Promise<readonly string[]> {
  const { nodes, clients } = context
  const target = parseTarget(text)
  if (target === null) return []
  if (target.kind === 'all') return nodes.map(({ name }) => name)
  if (target.kind === 'name') {
    const name = nodeNameOf(target.name) ?? target.name
    return clients.includes(name) || nodes.some((node) => node.name === name) ? [name] : []
  }
  const id = await nodeIdOf(target, context)
  return nodes.filter((node) => node.id === id).map(({ name }) => name)
}

async function nodeIdOf(target: Target, context: TargetContext): Promise<number> {
  const { nodes, picture } = context
  switch (target.kind) {
    case 'leader':
    case 'follower':
    case 'replica': {
      const found = picture.partitions.get(`${target.topic}-${target.partition}`)
      return found === undefined ? -1 : replicaIdOf(target, found)
    }
    case 'coordinator':
      return context.coordinatorOf(target.group)
    case 'controller':
      return picture.controller
    case 'other-controller':
      return at(
        nodes.flatMap(({ id, isVoter }) => (isVoter && id !== picture.controller ? [id] : [])),
        target.index,
      )
    case 'any-broker':
      return at(
        nodes.map(({ id }) => id),
        target.index,
      )
    case 'name':
    case 'all':
      return -1
  }
}

function replicaIdOf(
  target: Extract<Target, { readonly topic: string }>,
  { leader, replicas, isr }: WatchedPartition,
): number {
  if (target.kind === 'leader') return leader
  if (target.kind === 'replica') return at(replicas, target.index)
  // Those in sync first, each part by id.
  const isLate = (id: number): number => Number(!isr.includes(id))
  const followers = replicas
    .filter((id) => id !== leader)
    .toSorted((a, b) => isLate(a) - isLate(b) || a - b)
  return at(followers, target.index)
}

/** -1 when there is none at all. */
function at(ids: readonly number[], index: number): number {
  return ids[index % Math.max(1, ids.length)] ?? -1
}
