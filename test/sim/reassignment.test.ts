// Goal: a partition moves to other brokers under load, also when one of them crashes on the way and when it is moved
// back, and loses nothing that was acked; who holds it no longer has no log of it. Method: four whole brokers in
// simulation, a client that produces with acks=all, and one that reassigns.
import { describe, expect, it } from 'vitest'
import { ClientConnection } from '../../src/client/connection.ts'
import { assert, present } from '../../src/base/assert.ts'
import { alterPartitionReassignmentsApi } from '../../src/wire/messages/45-alter-partition-reassignments.ts'
import { listPartitionReassignmentsApi } from '../../src/wire/messages/46-list-partition-reassignments.ts'
import type { Api, Input } from '../../src/wire/schema.ts'
import { SimClient } from '../support/sim-client.ts'
import { SimCluster } from '../support/sim-cluster.ts'

const TOPIC = 'orders'
const RECORDS = 80

class Move {
  readonly cluster: SimCluster
  readonly client: SimClient
  readonly #connection: ClientConnection

  constructor(seed: number) {
    this.cluster = new SimCluster({ seed, brokers: 4 })
    assert(this.cluster.waitReady(), 'the simulated cluster got stuck')
    const { ports } = this.cluster.world.node('client')
    this.client = new SimClient(ports, this.cluster.bootstrap())
    const address = present(this.cluster.bootstrap()[0], 'an address')
    const { network, clock } = ports
    this.#connection = new ClientConnection({ network, clock, address, clientId: 'mover' })
    this.client.createTopic(TOPIC, 1, () => {})
    this.until('the topic', () => (this.partition()?.leader ?? -1) !== -1)
    const produce = (index: number): void => {
      if (index < RECORDS) this.client.produce(TOPIC, 0, `v${index}`, () => produce(index + 1))
    }
    this.client.refresh(() => produce(0))
  }

  /** As the first broker that runs knows it. */
  partition() {
    const id = [1, 2, 3, 4].find((each) => this.cluster.nodes[each - 1]!.isUp)!
    return this.cluster.view(id).image.partition(TOPIC, 0)
  }

  get replicas(): readonly number[] {
    return this.partition()?.replicas ?? []
  }

  hosts(): readonly number[] {
    return [1, 2, 3, 4].filter((id) => this.cluster.nodes[id - 1]!.ports.disk.exists(`${TOPIC}-0`))
  }

  until(what: string, predicate: () => boolean): void {
    assert(this.cluster.world.runUntil(predicate, 60_000), `${what} within a minute`)
  }

  ask<Req, Res>(api: Api<Req, Res>, version: number, body: Input<Req>): Res {
    let answer: Res | null = null
    this.#connection.request(api, version, body, 30_000, (error, response) => {
      assert(error === null, String(error))
      answer = response
    })
    this.until(api.name, () => answer !== null)
    return present<Res>(answer, 'the answer')
  }

  to(replicas: number[] | null): void {
    const partitions = [{ partitionIndex: 0, replicas }]
    const body = { topics: [{ name: TOPIC, partitions }] }
    const { responses } = this.ask(alterPartitionReassignmentsApi, 1, body)
    expect(responses[0]!.partitions[0]).toMatchObject({ errorCode: 0 })
  }

  isMoving(): boolean {
    const { topics } = this.ask(listPartitionReassignmentsApi, 0, { topics: null })
    return topics.length > 0
  }

  /** All that was acked, read back from the leader of now. */
  missing(): readonly string[] {
    this.until('all records', () => this.client.acked.length === RECORDS)
    let values: readonly string[] | null = null
    this.client.refresh(() => {
      this.client.readAll(TOPIC, 0, (found) => {
        values = found
      })
    })
    this.until('the log', () => values !== null)
    return this.client.acked.filter((value) => values?.includes(value) !== true)
  }
}

/** The broker that does not hold the partition yet, and those that do, the leader first. */
function roles(move: Move): { readonly spare: number; readonly holders: readonly number[] } {
  const { leader = -1 } = move.partition() ?? {}
  const others = move.replicas.filter((id) => id !== leader)
  const spare = [1, 2, 3, 4].find((id) => !move.replicas.includes(id))!
  return { spare, holders: [leader, ...others] }
}

describe('a reassignment in simulation', () => {
  it.each([1, 2, 3])('moves a partition away from its leader under load, seed %i', (seed) => {
    const move = new Move(seed)
    const { spare, holders } = roles(move)
    const target = [spare, ...holders.slice(1, 2)]
    move.until('some records', () => move.client.acked.length > 20)
    move.to(target)
    move.until('the end of the move', () => move.replicas.length === target.length)
    expect(move.replicas).toEqual(target)
    expect(move.isMoving()).toBe(false)
    expect(move.missing()).toEqual([])
    const sorted = target.toSorted((a, b) => a - b)
    move.until('the old logs to go', () => move.hosts().join() === sorted.join())
  })

  it.each([4, 5, 6])('waits for a new replica that crashes on the way, seed %i', (seed) => {
    const move = new Move(seed)
    const { spare, holders } = roles(move)
    move.until('some records', () => move.client.acked.length > 20)
    move.cluster.crash(spare, { losesUnsynced: true })
    const target = [spare, ...holders.slice(0, 1)]
    move.to(target)
    move.until('all records', () => move.client.acked.length === RECORDS)
    expect(move.replicas).toHaveLength(4)
    move.cluster.restart(spare)
    move.until('the end of the move', () => move.replicas.length === target.length)
    expect(move.missing()).toEqual([])
  })

  it('is taken back while the new replica is away', () => {
    const move = new Move(7)
    const { spare, holders } = roles(move)
    const before = move.replicas
    move.cluster.crash(spare)
    move.to([spare, ...holders.slice(0, 1)])
    expect(move.replicas).toHaveLength(4)
    move.to(null)
    move.until('the replicas of before', () => move.replicas.join() === before.join())
    expect(move.isMoving()).toBe(false)
    expect(move.missing()).toEqual([])
  })
})
