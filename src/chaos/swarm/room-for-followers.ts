import type { ClusterPlan } from '../plan/plan.ts'
import type { WorkloadPlan } from '../plan/workload-plan.ts'

const FETCH_BYTES = 'replica.fetch.max.bytes'
const RESPONSE_BYTES = 'replica.fetch.response.max.bytes'
const AMPLE_BYTES = '1048576'
/** What a batch and a record of it take besides the value, roughly. */
const BATCH_BYTES = 70
const RECORD_BYTES = 20
/** Of what a follower can fetch, producers may send so much: it has to catch up, too. */
const LOAD_PERMILLE = 600

/**
 * Limits so low that a fetch brings a batch or two, over links so slow that producers send more than that meanwhile,
 * leave followers behind for ever: nothing is ever committed, with no fault at all. Then the limits are ample.
 */
export function withRoomForFollowers(
  cluster: ClusterPlan,
  workload: readonly WorkloadPlan[],
): ClusterPlan {
  const { properties, network, brokers } = cluster
  const limitBytes = Math.min(Number(properties[FETCH_BYTES]), Number(properties[RESPONSE_BYTES]))
  let batchesPerSecond = 0
  let bytesPerSecond = 0
  for (const client of workload) {
    if (client.kind !== 'producer') continue
    const bytes = BATCH_BYTES + client.batchRecords * (client.valueBytes + RECORD_BYTES)
    batchesPerSecond += 1000 / client.everyMs
    bytesPerSecond += (1000 / client.everyMs) * bytes
  }
  if (brokers === 1 || batchesPerSecond === 0) return cluster
  const { minUs, maxUs, tailPermille, tailFactor } = network
  const tail = 1 + (tailPermille * (tailFactor - 1)) / 1000
  const fetchesPerSecond = 1_000_000 / ((minUs + maxUs) * tail)
  // At least one batch comes with each.
  const batchesPerFetch = Math.max(1, (limitBytes * batchesPerSecond) / bytesPerSecond)
  if (batchesPerSecond * 1000 <= fetchesPerSecond * batchesPerFetch * LOAD_PERMILLE) return cluster
  return {
    ...cluster,
    properties: { ...properties, [FETCH_BYTES]: AMPLE_BYTES, [RESPONSE_BYTES]: AMPLE_BYTES },
  }
}
