import { AssertionError, present } from '../../src/base/assert.ts'
import type { BrokerId } from '../../src/base/ids.ts'
import type { Random } from '../../src/ports/random.ts'

/** A broker that may get replicas. */
export interface UsableBroker {
  readonly id: BrokerId
  readonly rack: string | null
  readonly isFenced: boolean
}

export interface PlacementRequest {
  readonly brokers: readonly UsableBroker[]
  readonly partitionCount: number
  readonly replicationFactor: number
}

/** Replicas of each partition, or why they cannot be placed. */
export type Placement =
  | { readonly replicas: readonly (readonly BrokerId[])[] }
  | { readonly problem: string }

/**
 * Places replicas as Kafka's StripedReplicaPlacer does: each partition starts one rack further than the one before,
 * takes one broker from each rack in turn, and racks turn their brokers by one from partition to partition.
 * The first replica is always an unfenced broker; fenced ones are taken only when a rack has no other left.
 */
export function placeReplicas(request: PlacementRequest, random: Random): Placement {
  const { brokers, partitionCount, replicationFactor } = request
  if (replicationFactor <= 0) {
    return {
      problem: `Invalid replication factor ${replicationFactor}: the replication factor must be positive.`,
    }
  }
  if (!brokers.some((broker) => !broker.isFenced)) {
    return { problem: 'All brokers are currently fenced.' }
  }
  if (replicationFactor > brokers.length) {
    return {
      problem:
        `The target replication factor of ${replicationFactor} cannot be reached because only ` +
        `${brokers.length} broker(s) are registered or some brokers have all their log directories cordoned.`,
    }
  }
  const racks = new RackRing(brokers, random)
  const replicas: (readonly BrokerId[])[] = []
  for (let index = 0; index < partitionCount; index += 1) {
    replicas.push(racks.place(replicationFactor))
  }
  return { replicas }
}

/** Brokers of one kind in one rack, taken in a circle whose start moves on with each round. */
class BrokerRing {
  readonly #ids: BrokerId[]
  #taken = 0
  #start: number
  #round = 0

  constructor(ids: readonly BrokerId[], random: Random) {
    this.#ids = [...ids].sort((left, right) => left - right)
    this.#start = this.#ids.length === 0 ? 0 : random.below(this.#ids.length)
  }

  shuffle(random: Random): void {
    shuffle(this.#ids, random)
  }

  /** The next broker that was not taken in this round, or null. */
  next(round: number): BrokerId | null {
    if (this.#ids.length === 0) return null
    if (this.#round !== round) {
      this.#round = round
      this.#taken = 0
      this.#start = (this.#start + 1) % this.#ids.length
    }
    if (this.#taken === this.#ids.length) return null
    const id = present(this.#ids[(this.#start + this.#taken) % this.#ids.length], 'broker of rack')
    this.#taken += 1
    return id
  }
}

interface Rack {
  readonly unfenced: BrokerRing
  readonly fenced: BrokerRing
}

class RackRing {
  readonly #random: Random
  readonly #racks: Rack[]
  readonly #unfencedCount: number
  #start: number
  #round = 0
  #roundOfShuffle = 0

  constructor(brokers: readonly UsableBroker[], random: Random) {
    this.#random = random
    this.#unfencedCount = brokers.filter((broker) => !broker.isFenced).length
    this.#racks = rackNamesOf(brokers).map((name) => {
      const members = brokers.filter((broker) => broker.rack === name)
      const idsOf = (isFenced: boolean): BrokerId[] =>
        members.filter((broker) => broker.isFenced === isFenced).map((broker) => broker.id)
      return {
        unfenced: new BrokerRing(idsOf(false), random),
        fenced: new BrokerRing(idsOf(true), random),
      }
    })
    this.#start = random.below(this.#racks.length)
  }

  /** The replicas of the next partition. There are enough brokers and one of them is unfenced. */
  place(replicationFactor: number): readonly BrokerId[] {
    // All ways to start were used once; other neighbours are better than the same again.
    const roundsUsed = this.#round - this.#roundOfShuffle
    if (roundsUsed === this.#unfencedCount && this.#unfencedCount > 1) this.#shuffle()
    const leader = this.#takeLeader()
    const replicas = [leader.id]
    let isLeaderRackDue = true
    for (let turn = this.#start; replicas.length < replicationFactor; turn += 1) {
      const index = turn % this.#racks.length
      if (isLeaderRackDue && index === leader.rack) {
        isLeaderRackDue = false
        continue
      }
      const rack = this.#rack(index)
      const id = rack.unfenced.next(this.#round) ?? rack.fenced.next(this.#round)
      if (id !== null) replicas.push(id)
    }
    this.#round += 1
    this.#start = (this.#start + 1) % this.#racks.length
    return replicas
  }

  #takeLeader(): { readonly id: BrokerId; readonly rack: number } {
    for (let step = 0; step < this.#racks.length; step += 1) {
      const rack = (this.#start + step) % this.#racks.length
      const id = this.#rack(rack).unfenced.next(this.#round)
      if (id !== null) return { id, rack }
    }
    throw new AssertionError('more partitions start in a round than there are unfenced brokers')
  }

  #shuffle(): void {
    shuffle(this.#racks, this.#random)
    for (const rack of this.#racks) {
      rack.fenced.shuffle(this.#random)
      rack.unfenced.shuffle(this.#random)
    }
    this.#roundOfShuffle = this.#round
  }

  #rack(index: number): Rack {
    return present(this.#racks[index], 'rack')
  }
}

/** Brokers without a rack share one, which comes first. */
function rackNamesOf(brokers: readonly UsableBroker[]): readonly (string | null)[] {
  const names = new Set(brokers.map((broker) => broker.rack))
  const named = [...names].filter((name) => name !== null).sort()
  return names.has(null) ? [null, ...named] : named
}

function shuffle(items: unknown[], random: Random): void {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = random.below(last + 1)
    const moved = present(items[last], 'item')
    items[last] = present(items[other], 'item')
    items[other] = moved
  }
}
