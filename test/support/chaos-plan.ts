import type { Fault } from '../../src/chaos/plan/fault.ts'
import type { Plan } from '../../src/chaos/plan/plan.ts'

/** A small plan: three brokers, three controllers, one busy topic and one idle, two clients. */
export function chaosPlan(
  given: {
    readonly seed?: number
    readonly layout?: 'separate' | 'combined'
    readonly faults?: readonly Fault[]
    readonly chaosMs?: number
    readonly properties?: Readonly<Record<string, string>>
  } = {},
): Plan {
  const { seed = 1, layout = 'separate', faults = [], chaosMs = 5000, properties = {} } = given
  return {
    name: `small-${seed}`,
    seed,
    profile: 'data',
    cluster: {
      layout,
      brokers: 3,
      controllers: 3,
      properties,
      network: { minUs: 50, maxUs: 500, tailPermille: 1, tailFactor: 20, cutPermille: 100 },
      disk: { fsyncMinUs: 200, fsyncMaxUs: 3000, tailPermille: 2, tailFactor: 10 },
    },
    topics: [
      { name: 't', partitions: 2, replicationFactor: 3, configs: { 'min.insync.replicas': '2' } },
      {
        name: 'other',
        partitions: 1,
        replicationFactor: 3,
        configs: { 'min.insync.replicas': '2' },
      },
    ],
    workload: [
      {
        kind: 'producer',
        name: 'producer',
        topic: 't',
        partitions: [0, 1],
        acks: -1,
        idempotent: true,
        inFlight: 3,
        everyMs: 50,
        batchRecords: 2,
        valueBytes: 20,
        compression: 'none',
        keys: 3,
        requestTimeoutMs: 1000,
      },
      {
        kind: 'reader',
        name: 'reader',
        topic: 't',
        partitions: [0, 1],
        isolation: 'read_uncommitted',
        everyMs: 100,
      },
    ],
    faults,
    chaosMs,
    healLimitMs: 40_000,
  }
}
