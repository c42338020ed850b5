import type { Fault, FaultKind, FaultParams } from '../../src/chaos/plan/fault.ts'
import type { ClusterPlan, TopicPlan } from '../../src/chaos/plan/plan.ts'
import type {
  GroupPlan,
  OffsetsWatcherPlan,
  ProducerPlan,
  ReaderPlan,
  WorkloadPlan,
} from '../../src/chaos/plan/workload-plan.ts'
import { durationMs } from './duration.ts'

/** Partitions of a topic unless said otherwise. */
const PARTITIONS = 3

/**
 * The catalogue's default cluster: brokers b1-b3 and controllers c1-c3. Over processes there are as many nodes as
 * brokers, n1.., and the first `controllers` of them are voters too.
 */
export function c3(properties: Readonly<Record<string, string>> = {}): ClusterPlan {
  return cluster({ brokers: 3, controllers: 3, properties })
}

export interface ClusterShape {
  readonly brokers: number
  readonly controllers: number
  readonly layout?: ClusterPlan['layout']
  readonly properties?: Readonly<Record<string, string>>
}

/** A cluster of any size on a quiet network and a quick disk: what goes wrong is said by the faults. */
export function cluster(shape: ClusterShape): ClusterPlan {
  return {
    layout: shape.layout ?? 'separate',
    brokers: shape.brokers,
    controllers: shape.controllers,
    properties: shape.properties ?? {},
    network: { minUs: 200, maxUs: 800, tailPermille: 0, tailFactor: 1, cutPermille: 20 },
    disk: { fsyncMinUs: 300, fsyncMaxUs: 1500, tailPermille: 0, tailFactor: 1 },
  }
}

export interface TopicShape {
  readonly partitions?: number
  readonly rf?: number
  readonly minIsr?: number
  readonly configs?: Readonly<Record<string, string>>
}

/** Three partitions, three replicas, min.insync.replicas 2. */
export function topic(name: string, shape: TopicShape = {}): TopicPlan {
  return {
    name,
    partitions: shape.partitions ?? PARTITIONS,
    replicationFactor: shape.rf ?? 3,
    configs: { 'min.insync.replicas': String(shape.minIsr ?? 2), ...shape.configs },
  }
}

export type ProducerShape = Omit<Partial<ProducerPlan>, 'kind' | 'name' | 'acks'> & {
  readonly acks?: 'all' | -1 | 0 | 1
  /** Names are `name-1`, `name-2`, ... */
  readonly name?: string
}

/** `count` producers: acks=all, idempotent, five requests in flight, a batch of three every 40 ms. */
export function producers(count: number, shape: ProducerShape = {}): readonly ProducerPlan[] {
  const { name = 'producer', acks = 'all', ...rest } = shape
  const wireAcks = acks === 'all' ? -1 : acks
  return numbered(count, name, (each) => ({
    kind: 'producer',
    topic: 't',
    partitions: partitionsTo(PARTITIONS),
    idempotent: wireAcks === -1,
    inFlight: 5,
    everyMs: 40,
    batchRecords: 3,
    valueBytes: 40,
    compression: 'none',
    keys: 0,
    requestTimeoutMs: 2000,
    ...rest,
    acks: wireAcks,
    name: each,
  }))
}

export type ReaderShape = Omit<Partial<ReaderPlan>, 'kind'>

/** Readers of assigned partitions, from the start and on. */
export function readers(count: number, shape: ReaderShape = {}): readonly ReaderPlan[] {
  const { name = 'reader', ...rest } = shape
  return numbered(count, name, (each) => ({
    kind: 'reader',
    topic: 't',
    partitions: partitionsTo(PARTITIONS),
    isolation: 'read_uncommitted',
    everyMs: 50,
    ...rest,
    name: each,
  }))
}

/** One client that asks for the latest offsets again and again (R11). */
export function offsetsWatcher(
  shape: Omit<Partial<OffsetsWatcherPlan>, 'kind'> = {},
): OffsetsWatcherPlan {
  return {
    kind: 'offsets-watcher',
    name: 'watcher',
    topic: 't',
    partitions: partitionsTo(PARTITIONS),
    everyMs: 100,
    ...shape,
  }
}

/** A consumer group of three members that commit after processing. */
export function group(shape: Omit<Partial<GroupPlan>, 'kind'> = {}): GroupPlan {
  return {
    kind: 'group',
    name: 'member',
    groupId: 'g',
    topic: 't',
    members: 3,
    assignor: 'range',
    commit: 'after-processing',
    commitEveryMs: 300,
    sessionTimeoutMs: 2000,
    isStatic: false,
    churnEveryMs: 0,
    ...shape,
  }
}

export interface FaultShape {
  /** After the begin of the chaos phase, like `at`. */
  readonly until?: string | number
  readonly params?: FaultParams
  /** Fires at the n-th hit of the probe after `at`; `until` counts from then. */
  readonly atProbe?: Fault['atProbe']
}

/** One row of a schedule: `at('5s', 'pause', leaderOf('t', 0), { until: '14s' })`. */
export function at(
  when: string | number,
  kind: FaultKind,
  target: string,
  shape: FaultShape = {},
): Fault {
  return {
    atMs: durationMs(when),
    kind,
    target,
    ...(shape.until === undefined ? {} : { untilMs: durationMs(shape.until) }),
    ...(shape.params === undefined ? {} : { params: shape.params }),
    ...(shape.atProbe === undefined ? {} : { atProbe: shape.atProbe }),
  }
}

/** Whoever leads the partition when the fault fires. */
export function leaderOf(name: string, partition: number): string {
  return `leader(${name}-${partition})`
}

/** The n-th follower: in-sync first, by id. */
export function followerOf(name: string, partition: number, index = 0): string {
  return `follower(${name}-${partition},${index})`
}

export function replicaOf(name: string, partition: number, index: number): string {
  return `replica(${name}-${partition},${index})`
}

/** The active controller. */
export const CONTROLLER = 'controller'

export function otherController(index: number): string {
  return `other-controller(${index})`
}

export function coordinatorOf(groupId: string): string {
  return `coordinator(${groupId})`
}

/** One list of rows or clients from single ones and lists. */
export function flat<T extends Fault | WorkloadPlan>(
  parts: readonly (T | readonly T[])[],
): readonly T[] {
  return parts.flat() as readonly T[]
}

function partitionsTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, partition) => partition)
}

function numbered<T>(count: number, name: string, make: (name: string) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) =>
    make(count === 1 ? name : `${name}-${index + 1}`),
  )
}
