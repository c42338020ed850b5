import { present } from '../../base/assert.ts'
import { clientNamesOf } from '../plan/client-names.ts'
import type { ClusterPlan, TopicPlan } from '../plan/plan.ts'
import type { WorkloadPlan } from '../plan/workload-plan.ts'
import type { Draw } from './draw.ts'

/** What the faults of a plan can be aimed at. */
export interface FaultField {
  readonly cluster: ClusterPlan
  readonly topics: readonly TopicPlan[]
  readonly workload: readonly WorkloadPlan[]
}

export function groupIdsOf({ workload }: FaultField): readonly string[] {
  return workload.flatMap((plan) =>
    plan.kind === 'group' || plan.kind === 'kafkajs' ? [plan.groupId] : [],
  )
}

/** A node by the role it has when the fault fires. */
export function anyNode(draw: Draw, field: FaultField): string {
  return draw.chance('controller', 250) ? aController(draw, field) : aBroker(draw, field)
}

export function aController(draw: Draw, { cluster }: FaultField): string {
  if (cluster.controllers === 1) return 'controller'
  const other = draw.between('which other', 0, cluster.controllers - 2)
  return draw.chance('other', 400) ? `other-controller(${other})` : 'controller'
}

export function aBroker(draw: Draw, field: FaultField): string {
  const { key, topic } = aPartition(draw, field)
  const groupIds = groupIdsOf(field)
  const symbols: (readonly [string, number])[] = [
    [`leader(${key})`, 40],
    [followerOf(draw, key, topic), 25],
    [`replica(${key},${draw.between('replica', 0, topic.replicationFactor - 1)})`, 10],
    [`any-broker(${draw.between('any', 0, field.cluster.brokers - 1)})`, 15],
  ]
  if (groupIds.length > 0) symbols.push([`coordinator(${draw.pick('group', groupIds)})`, 25])
  return draw.weighted('broker', symbols)
}

export interface TargetPartition {
  readonly topic: TopicPlan
  /** `topic-partition`. */
  readonly key: string
}

/** A partition, of the main topic most of the time. */
export function aPartition(draw: Draw, { topics }: FaultField): TargetPartition {
  const topic = present(
    draw.chance('main topic', 700) ? topics[0] : draw.pick('topic', topics),
    'a plan has topics',
  )
  return { topic, key: `${topic.name}-${draw.between('partition', 0, topic.partitions - 1)}` }
}

/** A follower of the partition, or its leader when nobody follows. */
export function followerOf(draw: Draw, key: string, topic: TopicPlan): string {
  if (topic.replicationFactor === 1) return `leader(${key})`
  return `follower(${key},${draw.between('follower', 0, topic.replicationFactor - 2)})`
}

export function aClient(draw: Draw, { workload }: FaultField): string {
  return draw.pick('client', workload.flatMap(clientNamesOf))
}
