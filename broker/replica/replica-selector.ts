import { ConfigError } from '../../src/base/errors.ts'
import type { BrokerId, Offset } from '../../src/base/ids.ts'
import { endpointNamed, type BrokerRegistration } from '../metadata/cluster-image.ts'
import type { FollowerState } from './follower-state.ts'
import type { Partition } from './partition.ts'

/** A consumer as a selector sees it. */
export interface SelectorClient {
  /** client.rack; '' when it has none. */
  readonly rackId: string
  readonly listenerName: string
}

/** Which follower a consumer is to read from (KIP-392); null: the leader. Asked on the leader only. */
export type ReplicaSelector = (
  partition: Partition,
  client: SelectorClient,
  fetchOffset: Offset,
) => BrokerId | null

type BrokerOf = (id: BrokerId) => BrokerRegistration | undefined

const RACK_AWARE = 'org.apache.kafka.common.replica.RackAwareReplicaSelector'
const LEADER = 'org.apache.kafka.common.replica.LeaderSelector'

/** The selector that replica.selector.class names; null without one. Throws `ConfigError` for a class that is not here. */
export function replicaSelectorOf(
  className: string | null,
  ownId: BrokerId,
  broker: BrokerOf,
): ReplicaSelector | null {
  if (className === null || className === '' || className === LEADER) return null
  if (className === RACK_AWARE) {
    return (partition, client, offset) => replicaInRack(partition, client, offset, ownId, broker)
  }
  throw new ConfigError(
    `replica.selector.class is ${className}, expected ${RACK_AWARE} or ${LEADER}`,
  )
}

/**
 * The most caught-up replica in the client's rack, unless the leader itself is there. Only members of the ISR that
 * have the offset count: one that lags would fall behind further with each consumer it is given.
 */
function replicaInRack(
  partition: Partition,
  { rackId, listenerName }: SelectorClient,
  fetchOffset: Offset,
  ownId: BrokerId,
  broker: BrokerOf,
): BrokerId | null {
  const role = partition.leaderRole
  if (role === null || rackId === '' || broker(ownId)?.rack === rackId) return null
  let best: FollowerState | null = null
  for (const follower of role.followers.values()) {
    const registration = broker(follower.brokerId)
    const isReachable =
      registration?.rack === rackId &&
      !registration.isFenced &&
      endpointNamed(registration.listeners, listenerName) !== undefined
    const hasOffset = follower.logEndOffset >= fetchOffset && follower.logStartOffset <= fetchOffset
    const isCandidate = isReachable && hasOffset && role.inSync.committed.has(follower.brokerId)
    if (isCandidate && (best === null || isFurther(follower, best))) best = follower
  }
  return best?.brokerId ?? null
}

function isFurther(a: FollowerState, b: FollowerState): boolean {
  if (a.logEndOffset !== b.logEndOffset) return a.logEndOffset > b.logEndOffset
  if (a.lastCaughtUpMs !== b.lastCaughtUpMs) return a.lastCaughtUpMs > b.lastCaughtUpMs
  return a.brokerId > b.brokerId
}
