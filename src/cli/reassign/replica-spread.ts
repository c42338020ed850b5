import { assert } from '../../base/assert.ts'
import type { BrokerId } from '../../base/ids.ts'
import { ToolError } from '../tool-errors.ts'

export interface SpreadBroker {
  readonly id: BrokerId
  readonly rack: string | null
}

/**
 * Spreads partitions over brokers as Kafka's tool does (AdminUtils.assignReplicasToBrokers): leaders go round from a
 * random broker on, the other replicas follow with a shift that grows every round. With racks, no rack gets a second
 * replica before each has one. `below(n)` draws a number below n. Throws `ToolError` when there are too few brokers.
 */
export function spreadReplicas(
  brokers: readonly SpreadBroker[],
  partitionCount: number,
  replicationFactor: number,
  below: (limit: number) => number,
): readonly (readonly BrokerId[])[] {
  if (replicationFactor > brokers.length) {
    throw new ToolError(
      `The target replication factor of ${replicationFactor} cannot be reached because only ${brokers.length} ` +
        'broker(s) are registered or some brokers have all their log directories cordoned.',
      'org.apache.kafka.common.errors.InvalidReplicationFactorException',
    )
  }
  const arranged = alternateRacks(brokers)
  const racks = new Set(arranged.map(({ rack }) => rack))
  const start = below(arranged.length)
  const firstShift = below(arranged.length)
  // Where nobody has a rack, every broker counts as one of its own.
  const isRackAware = arranged.every(({ rack }) => rack !== null)
  return Array.from({ length: partitionCount }, (_, partition) => {
    const shift = firstShift + Math.floor(partition / arranged.length)
    const first = (partition + start) % arranged.length
    return isRackAware
      ? chooseByRack(arranged, first, shift * racks.size, replicationFactor, racks.size)
      : chooseInTurn(arranged, first, shift, replicationFactor)
  })
}

function chooseInTurn(
  brokers: readonly SpreadBroker[],
  first: number,
  shift: number,
  replicationFactor: number,
): readonly BrokerId[] {
  const others = Array.from({ length: replicationFactor - 1 }, (_, at) =>
    replicaIndex(first, shift, at, brokers.length),
  )
  return [first, ...others].map((index) => at(brokers, index).id)
}

function chooseByRack(
  brokers: readonly SpreadBroker[],
  first: number,
  shift: number,
  replicationFactor: number,
  rackCount: number,
): readonly BrokerId[] {
  const chosen = new Set([at(brokers, first).id])
  const racks = new Set([at(brokers, first).rack])
  const limit = brokers.length * (replicationFactor + rackCount)
  for (let turn = 0; chosen.size < replicationFactor; turn += 1) {
    assert(turn < limit, 'there are as many brokers as replicas')
    const broker = at(brokers, replicaIndex(first, shift, turn, brokers.length))
    const isRackFree = !racks.has(broker.rack) || racks.size === rackCount
    if (!isRackFree || chosen.has(broker.id)) continue
    chosen.add(broker.id)
    racks.add(broker.rack)
  }
  return [...chosen]
}

function replicaIndex(first: number, shift: number, replica: number, count: number): number {
  return count === 1 ? first : (first + 1 + ((shift + replica) % (count - 1))) % count
}

/** Brokers so that neighbours are in different racks: the first of each rack, then the second, ... */
function alternateRacks(brokers: readonly SpreadBroker[]): readonly SpreadBroker[] {
  const sorted = [...brokers].sort((a, b) => a.id - b.id)
  if (sorted.some(({ rack }) => rack === null)) return sorted
  const names = [...new Set(sorted.map(({ rack }) => rack ?? ''))].sort()
  const queues = names.map((name) => sorted.filter(({ rack }) => rack === name))
  const rounds = Math.max(...queues.map(({ length }) => length))
  return Array.from({ length: rounds }, (_, round) =>
    queues.flatMap((queue) => queue[round] ?? []),
  ).flat()
}

function at(brokers: readonly SpreadBroker[], index: number): SpreadBroker {
  const broker = brokers[index]
  assert(broker !== undefined, 'an index of the list')
  return broker
}
