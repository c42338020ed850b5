import type { ClusterPlan } from '../plan/plan.ts'

/** How much a seed holds: `full` is what the swarm is about, `small` what many more seeds can be run of. */
export const SWARM_SIZES = ['full', 'small'] as const
export type SwarmSize = (typeof SWARM_SIZES)[number]

type Weights<T> = readonly (readonly [T, number])[]

/** What depends on the size of a seed; everything else is drawn alike. */
export interface SizeRule {
  /**
   * Time-outs are a tenth of Kafka's, so a few seconds hold an election and what comes of it. Many short schedules
   * find more in the same time than few long ones; the long ones are for what only piles up slowly.
   */
  readonly chaosMs: Weights<number>
  /** Of a thousand rounds, so many have no fault. */
  readonly calmPermille: number
  /** The first round begins before this. */
  readonly firstRoundMs: number
  /** Of a thousand seeds, so many have a topic that can be deleted and created again, with a producer of its own. */
  readonly recreatedPermille: number
  readonly brokers: Weights<number>
  readonly layouts: Weights<ClusterPlan['layout']>
  readonly controllers: Weights<number>
  /** Of profile `quorum`. */
  readonly quorumControllers: Weights<number>
  readonly maxProducers: number
  /** Mostly so slow that faults, and not requests, take up the time of a campaign. */
  readonly producerEveryMs: Weights<number>
  readonly readerEveryMs: Weights<number>
  /** How long followers wait for more: most of what an idle cluster does. */
  readonly fetchWaitMs: readonly number[]
}

export const SIZE_RULES: Readonly<Record<SwarmSize, SizeRule>> = {
  full: {
    chaosMs: [
      [3000, 20],
      [6000, 46],
      [12_000, 24],
      [25_000, 8],
      [50_000, 2],
    ],
    calmPermille: 200,
    firstRoundMs: 600,
    recreatedPermille: 500,
    brokers: [
      [1, 6],
      [2, 10],
      [3, 56],
      [4, 14],
      [5, 14],
    ],
    layouts: [
      ['separate', 60],
      ['combined', 40],
    ],
    controllers: [
      [1, 12],
      [3, 78],
      [5, 10],
    ],
    quorumControllers: [
      [1, 5],
      [3, 65],
      [5, 30],
    ],
    maxProducers: 4,
    producerEveryMs: [
      [20, 8],
      [60, 22],
      [150, 35],
      [400, 35],
    ],
    readerEveryMs: [
      [20, 10],
      [100, 40],
      [500, 50],
    ],
    fetchWaitMs: [50, 200, 400],
  },
  // One round of faults, mostly on three nodes that are both broker and controller.
  small: {
    chaosMs: [
      [1800, 80],
      [3000, 12],
      [5500, 8],
    ],
    calmPermille: 50,
    firstRoundMs: 200,
    recreatedPermille: 100,
    brokers: [
      [1, 3],
      [2, 7],
      [3, 90],
    ],
    layouts: [
      ['separate', 30],
      ['combined', 70],
    ],
    controllers: [
      [1, 30],
      [3, 70],
    ],
    quorumControllers: [
      [1, 5],
      [3, 95],
    ],
    maxProducers: 2,
    producerEveryMs: [
      [100, 10],
      [200, 40],
      [400, 50],
    ],
    readerEveryMs: [
      [200, 40],
      [500, 60],
    ],
    fetchWaitMs: [200, 400],
  },
}
