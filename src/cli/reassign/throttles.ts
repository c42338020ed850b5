import type { BrokerId } from '../../base/ids.ts'
import {
  AlterOperation,
  ConfigResourceType,
  type Admin,
  type Reassignment,
  type ResourceAlteration,
} from '../../client/index.ts'
import { namesInHashOrder } from '../java-hash-map.ts'
import type { ToolIo } from '../kafka-tool.ts'
import { named } from '../tool-errors.ts'
import { keyOf, type AssignedReplicas } from './reassignment-file.ts'

const LEADER_RATE = 'leader.replication.throttled.rate'
const FOLLOWER_RATE = 'follower.replication.throttled.rate'
const LOG_DIR_RATE = 'replica.alter.log.dirs.io.max.bytes.per.second'
const LEADER_REPLICAS = 'leader.replication.throttled.replicas'
const FOLLOWER_REPLICAS = 'follower.replication.throttled.replicas'

/** From which brokers to which a partition moves. */
export interface PartitionMove {
  readonly topic: string
  readonly partition: number
  readonly sources: readonly BrokerId[]
  readonly destinations: readonly BrokerId[]
}

/** Those that are under way, and those that are asked for. */
export function movesOf(
  current: readonly Reassignment[],
  proposed: readonly AssignedReplicas[],
  now: readonly AssignedReplicas[],
): readonly PartitionMove[] {
  const replicasNow = new Map(now.map((each) => [keyOf(each), each.replicas]))
  const moves = new Map<string, PartitionMove>()
  for (const { topic, partition, replicas, adding } of current) {
    const sources = replicas.filter((id) => !adding.includes(id))
    moves.set(keyOf({ topic, partition }), { topic, partition, sources, destinations: adding })
  }
  for (const { topic, partition, replicas } of proposed) {
    const key = keyOf({ topic, partition })
    const sources = moves.get(key)?.sources ?? replicasNow.get(key) ?? []
    const destinations = replicas.filter((id) => !sources.includes(id))
    moves.set(key, { topic, partition, sources, destinations })
  }
  return [...moves.values()]
}

/** The topics' throttled replicas, `partition:broker` with commas. */
export function throttledReplicas(
  moves: readonly PartitionMove[],
  side: 'sources' | 'destinations',
): ReadonlyMap<string, string> {
  const byTopic = new Map<string, Set<string>>()
  for (const move of moves) {
    const entries = byTopic.get(move.topic) ?? new Set()
    byTopic.set(move.topic, entries)
    for (const broker of move[side]) entries.add(`${move.partition}:${broker}`)
  }
  return new Map([...byTopic].map(([topic, entries]) => [topic, [...entries].sort().join(',')]))
}

/** Limits what moves between brokers. */
export async function throttleBrokers(
  admin: Admin,
  moves: readonly PartitionMove[],
  bytesPerSecond: number,
  io: ToolIo,
): Promise<void> {
  const leaders = throttledReplicas(moves, 'sources')
  const followers = throttledReplicas(moves, 'destinations')
  await alter(
    admin,
    [...leaders].map(([topic, replicas]) =>
      settings(ConfigResourceType.TOPIC, topic, {
        [LEADER_REPLICAS]: replicas,
        [FOLLOWER_REPLICAS]: followers.get(topic) ?? '',
      }),
    ),
  )
  const brokers = new Set(
    moves.flatMap(({ sources, destinations }) => [...sources, ...destinations]),
  )
  const rate = `${bytesPerSecond}`
  await alter(
    admin,
    [...brokers].map((id) =>
      settings(ConfigResourceType.BROKER, `${id}`, { [LEADER_RATE]: rate, [FOLLOWER_RATE]: rate }),
    ),
  )
  io.out(`The inter-broker throttle limit was set to ${rate} B/s`)
}

/** Limits what moves between directories of these brokers. */
export async function throttleLogDirs(
  admin: Admin,
  brokers: ReadonlySet<BrokerId>,
  bytesPerSecond: number,
  io: ToolIo,
): Promise<void> {
  const rate = `${bytesPerSecond}`
  await alter(
    admin,
    [...brokers].map((id) =>
      settings(ConfigResourceType.BROKER, `${id}`, { [LOG_DIR_RATE]: rate }),
    ),
  )
  io.out(`The replica-alter-dir throttle limit was set to ${rate} B/s`)
}

/** Removes the limits of all brokers and of these topics: which brokers had one is not known any more. */
export async function clearThrottles(
  admin: Admin,
  partitions: readonly AssignedReplicas[],
  io: ToolIo,
): Promise<void> {
  const { endpoints } = await named('listNodes', admin.cluster.brokers())
  const all = [...endpoints.map(({ id }) => id), ...partitions.flatMap(({ replicas }) => replicas)]
  const brokers = [...new Set(all)].sort((a, b) => a - b)
  io.out(`Clearing broker-level throttles on broker${plural(brokers)} ${brokers.join(',')}`)
  await alter(
    admin,
    brokers.map((id) =>
      removals(ConfigResourceType.BROKER, `${id}`, [LEADER_RATE, FOLLOWER_RATE, LOG_DIR_RATE]),
    ),
  )
  const topics = namesInHashOrder([...new Set(partitions.map(({ topic }) => topic))])
  io.out(`Clearing topic-level throttles on topic${plural(topics)} ${topics.join(',')}`)
  await alter(
    admin,
    topics.map((topic) =>
      removals(ConfigResourceType.TOPIC, topic, [LEADER_REPLICAS, FOLLOWER_REPLICAS]),
    ),
  )
}

function alter(admin: Admin, alterations: readonly ResourceAlteration[]): Promise<void> {
  return named('incrementalAlterConfigs', admin.configResources.alter(alterations))
}

function settings(
  type: number,
  name: string,
  values: Readonly<Record<string, string>>,
): ResourceAlteration {
  const set = Object.entries(values).map(([key, value]) => ({
    name: key,
    operation: AlterOperation.SET,
    value,
  }))
  return { resource: { type, name }, alterations: set }
}

function removals(type: number, name: string, keys: readonly string[]): ResourceAlteration {
  const removed = keys.map((key) => ({ name: key, operation: AlterOperation.DELETE, value: null }))
  return { resource: { type, name }, alterations: removed }
}

function plural(items: readonly unknown[]): string {
  return items.length === 1 ? '' : 's'
}
