import type { Fault } from '../plan/fault.ts'
import type { Plan } from '../plan/plan.ts'
import type { ProducerPlan, ReaderPlan, WorkloadPlan } from '../plan/workload-plan.ts'

const PARTITIONS = [0, 1, 2, 3] as const
const CHAOS_MS = 60_000

/** A producer and a consumer with Kafka's usual settings, or three producers, two readers and a watcher of offsets. */
export type StandardClients = 'native' | 'six'

/**
 * The schedule that speed is measured by: 60 virtual seconds of three brokers and three controllers, four
 * partitions and native clients, with a few faults. Only its randomness depends on the seed.
 */
export function standardPlan(seed: number, clients: StandardClients = 'native'): Plan {
  return {
    name: `standard-${seed}`,
    seed,
    profile: 'data',
    cluster: {
      layout: 'separate',
      brokers: 3,
      controllers: 3,
      properties: { 'auto.create.topics.enable': 'false', 'min.insync.replicas': '2' },
      network: { minUs: 50, maxUs: 500, tailPermille: 1, tailFactor: 20, cutPermille: 100 },
      disk: { fsyncMinUs: 200, fsyncMaxUs: 3000, tailPermille: 2, tailFactor: 10 },
    },
    topics: [
      {
        name: 't',
        partitions: PARTITIONS.length,
        replicationFactor: 3,
        configs: { 'min.insync.replicas': '2', 'internal.segment.bytes': '65536' },
      },
    ],
    workload: clients === 'native' ? NATIVE : SIX,
    faults: FAULTS,
    chaosMs: CHAOS_MS,
    healLimitMs: CHAOS_MS,
  }
}

const FAULTS: readonly Fault[] = [
  { atMs: 5000, kind: 'crash', target: 'leader(t-0)', untilMs: 10_000 },
  { atMs: 15_000, kind: 'pause', target: 'follower(t-1,0)', untilMs: 19_000 },
  { atMs: 25_000, kind: 'crash', target: 'controller', untilMs: 30_000 },
  {
    atMs: 35_000,
    kind: 'cut',
    target: 'leader(t-2)',
    untilMs: 40_000,
    params: { direction: 'both' },
  },
  { atMs: 45_000, kind: 'power-cut', target: 'follower(t-3,0)', untilMs: 48_000 },
]

function producer(
  name: string,
  given: Pick<ProducerPlan, 'idempotent' | 'inFlight'> & Partial<ProducerPlan>,
): ProducerPlan {
  return {
    kind: 'producer',
    name,
    topic: 't',
    partitions: PARTITIONS,
    acks: -1,
    everyMs: 200,
    batchRecords: 1,
    valueBytes: 16,
    compression: 'none',
    keys: 0,
    requestTimeoutMs: 1500,
    ...given,
  }
}

function reader(name: string, everyMs: number): ReaderPlan {
  return {
    kind: 'reader',
    name,
    topic: 't',
    partitions: PARTITIONS,
    isolation: 'read_uncommitted',
    everyMs,
  }
}

const NATIVE: readonly WorkloadPlan[] = [
  producer('producer', { idempotent: true, inFlight: 5 }),
  reader('consumer', 500),
]

const SIX: readonly WorkloadPlan[] = [
  producer('producer-1', { idempotent: true, inFlight: 5 }),
  producer('producer-2', { idempotent: true, inFlight: 1 }),
  producer('producer-3', { idempotent: false, inFlight: 1, acks: 1 }),
  reader('reader-1', 100),
  reader('reader-2', 500),
  {
    kind: 'offsets-watcher',
    name: 'watcher',
    topic: 't',
    partitions: PARTITIONS,
    everyMs: 500,
  },
]
