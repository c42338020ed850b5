import type { Fault } from './fault.ts'
import type { WorkloadPlan } from './workload-plan.ts'

export const PROFILES = ['data', 'groups', 'quorum', 'connect', 'transactions'] as const
export type Profile = (typeof PROFILES)[number]

/** Everything one run consists of. The same plan and the same code give the same trace in simulation. */
export interface Plan {
  readonly name: string
  /** Seed of everything that the plan leaves open: latencies, cuts, elections, jitter. */
  readonly seed: number
  readonly profile: Profile
  readonly cluster: ClusterPlan
  readonly topics: readonly TopicPlan[]
  readonly workload: readonly WorkloadPlan[]
  /** Sorted by `atMs`. */
  readonly faults: readonly Fault[]
  /** Length of the phase with faults. Before it the cluster is up and the workload has begun. */
  readonly chaosMs: number
  /** Time for the cluster to become whole and for the final reads, before the run counts as stuck. */
  readonly healLimitMs: number
}

export interface ClusterPlan {
  /** `separate`: brokers b1.. (node ids 1..) and controllers c1.. (node ids 101..). `combined`: n1.. are both. */
  readonly layout: 'separate' | 'combined'
  readonly brokers: number
  /** Of a combined cluster, the first so many nodes are voters too (all nodes by default of the swarm). */
  readonly controllers: number
  /** By Kafka's names, over the harness's defaults; for every node. */
  readonly properties: Readonly<Record<string, string>>
  readonly network: NetworkPlan
  readonly disk: DiskPlan
}

/** One-way times in microseconds. Real mode ignores it. */
export interface NetworkPlan {
  readonly minUs: number
  readonly maxUs: number
  /** So many of a thousand pieces take `tailFactor` times as long. */
  readonly tailPermille: number
  readonly tailFactor: number
  /** So many of a thousand writes arrive in two pieces. */
  readonly cutPermille: number
}

export interface DiskPlan {
  readonly fsyncMinUs: number
  readonly fsyncMaxUs: number
  readonly tailPermille: number
  readonly tailFactor: number
}

export interface TopicPlan {
  readonly name: string
  readonly partitions: number
  readonly replicationFactor: number
  /** Of the topic, by Kafka's names. */
  readonly configs: Readonly<Record<string, string>>
}
