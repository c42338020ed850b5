import { describe, expect, it } from 'vitest'
import type { ClusterPlan } from '../../../../../src/chaos/plan/plan.ts'
import type { ProducerPlan } from '../../../../../src/chaos/plan/workload-plan.ts'
import { withRoomForFollowers } from '../../../../../src/chaos/swarm/room-for-followers.ts'

/** As seed 1328 drew them. */
const CLUSTER: ClusterPlan = {
  layout: 'separate',
  brokers: 3,
  controllers: 3,
  properties: {
    'replica.fetch.max.bytes': '1048576',
    'replica.fetch.response.max.bytes': '1',
    'replica.lag.time.max.ms': '800',
  },
  network: { minUs: 1000, maxUs: 6000, tailPermille: 20, tailFactor: 100, cutPermille: 0 },
  disk: { fsyncMinUs: 200, fsyncMaxUs: 20_200, tailPermille: 10, tailFactor: 10 },
}

const PRODUCER: ProducerPlan = {
  kind: 'producer',
  name: 'producer-1',
  topic: 't',
  partitions: [0],
  acks: 1,
  idempotent: false,
  inFlight: 2,
  everyMs: 20,
  batchRecords: 1,
  valueBytes: 16,
  compression: 'none',
  keys: 0,
  requestTimeoutMs: 800,
}

describe('withRoomForFollowers', () => {
  it('lifts the limits of followers that a batch a fetch leaves behind for ever', () => {
    const { properties } = withRoomForFollowers(CLUSTER, [PRODUCER, PRODUCER])
    expect(properties).toEqual({
      'replica.fetch.max.bytes': '1048576',
      'replica.fetch.response.max.bytes': '1048576',
      'replica.lag.time.max.ms': '800',
    })
  })

  it.each([
    ['producers are slow', CLUSTER, { ...PRODUCER, everyMs: 150 }],
    [
      'links are fast',
      { ...CLUSTER, network: { ...CLUSTER.network, minUs: 50, maxUs: 250 } },
      PRODUCER,
    ],
    [
      'many batches fit',
      {
        ...CLUSTER,
        properties: { ...CLUSTER.properties, 'replica.fetch.response.max.bytes': '2000' },
      },
      PRODUCER,
    ],
    ['there are no followers', { ...CLUSTER, brokers: 1 }, PRODUCER],
  ])('leaves all as it was drawn when %s', (_, cluster, producer) => {
    expect(withRoomForFollowers(cluster, [producer])).toBe(cluster)
  })

  it('leaves all as it was drawn without producers', () => {
    expect(withRoomForFollowers(CLUSTER, [])).toBe(CLUSTER)
  })
})
