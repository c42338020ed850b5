// Goal: replicas move between log directories under load, while leaders change and nodes crash and lose power, and nothing
// that was acked is lost; the metadata knows in the end where each of them lies. Method: three whole brokers with two log
// directories in simulation, a client that produces with acks=all, and one that moves replicas back and forth.
import { describe, expect, it } from 'vitest'
import { assert } from '../../src/base/assert.ts'
import { ClientConnection } from '../../src/client/connection.ts'
import { SimRandom } from '../../src/sim/sim-random.ts'
import { alterReplicaLogDirsApi } from '../../src/wire/messages/34-alter-replica-log-dirs.ts'
import {
  describeLogDirsApi,
  type DescribeLogDirsResponse,
} from '../../src/wire/messages/35-describe-log-dirs.ts'
import type { Api, Input } from '../../src/wire/schema.ts'
import { SimClient } from '../support/sim-client.ts'
import { SimCluster } from '../support/sim-cluster.ts'

const TOPIC = 'orders'
const RECORDS = 250
const PATHS = ['/data-1', '/data-2']

class Moves {
  readonly cluster: SimCluster
  readonly client: SimClient

  constructor(seed: number) {
    const properties = { 'log.dirs': PATHS.join(','), 'replica.fetch.max.bytes': '300' }
    this.cluster = new SimCluster({ seed, brokers: 3, properties })
    assert(this.cluster.waitReady(), 'the simulated cluster got stuck')
    const { ports } = this.cluster.world.node('client')
    this.client = new SimClient(ports, this.cluster.bootstrap())
    this.client.createTopic(TOPIC, 1, () => {})
    this.until('the topic', () => this.cluster.view(1).image.partition(TOPIC, 0)?.leader !== -1)
    const produce = (index: number): void => {
      if (index < RECORDS) this.client.produce(TOPIC, 0, `v${index}`, () => produce(index + 1))
    }
    this.client.refresh(() => produce(0))
  }

  until(what: string, predicate: () => boolean): void {
    assert(this.cluster.world.runUntil(predicate, 60_000), `${what} within a minute`)
  }

  /** What a broker says, or null when it does not. */
  ask<Req, Res>(id: number, api: Api<Req, Res>, body: Input<Req>): Res | null {
    const { network, clock } = this.cluster.world.node('client').ports
    const address = this.cluster.bootstrap()[id - 1]!
    const answers: (Res | null)[] = []
    const connection = new ClientConnection({ network, clock, address, clientId: 'mover' })
    connection.request(api, 2, body, 2000, (_error, response) => answers.push(response))
    this.until(api.name, () => answers.length > 0)
    connection.close()
    return answers[0] ?? null
  }

  /** Where the broker has the replica; the second is where it moves to. */
  placesOf(id: number): readonly string[] {
    const topics = [{ topic: TOPIC, partitions: [0] }]
    const answer = this.ask<unknown, DescribeLogDirsResponse>(id, describeLogDirsApi, { topics })
    const found = (isFuture: boolean): readonly string[] =>
      (answer?.results ?? [])
        .filter(({ topics: held }) =>
          held.some(({ partitions }) => partitions.some((each) => each.isFutureKey === isFuture)),
        )
        .map(({ logDir }) => logDir)
    return [...found(false), ...found(true)]
  }

  /** Asks for the directory in which the replica is not. */
  move(id: number): void {
    const [current] = this.placesOf(id)
    const path = PATHS.find((each) => each !== current) ?? ''
    this.ask(id, alterReplicaLogDirsApi, {
      dirs: [{ path, topics: [{ name: TOPIC, partitions: [0] }] }],
    })
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

  /** The directory of each replica by the metadata, as the brokers registered them. */
  assigned(): readonly string[] {
    const { image } = this.cluster.view(1)
    const { replicas = [], directories = [] } = image.partition(TOPIC, 0) ?? {}
    return [1, 2, 3].map((id) => {
      const index = image.brokers.get(id)?.logDirs.indexOf(directories[replicas.indexOf(id)] ?? '')
      return PATHS[index ?? -1] ?? 'none'
    })
  }
}

describe('replicas that move between log directories', () => {
  it.each([1, 2, 3, 4, 5, 6])('under load lose nothing, seed %i', (seed) => {
    const moves = new Moves(seed)
    const { cluster } = moves
    const random = new SimRandom(seed, 7)
    for (let round = 0; round < 8; round += 1) {
      for (const id of cluster.ids) moves.move(id)
      const victim = 1 + random.below(3)
      const { disk } = cluster.nodes[victim - 1]!
      const isPowerCut = random.chance(500)
      let isDown = false
      disk.crashAfterOperation(disk.operationsRun + 1 + random.below(40), () => {
        isDown = true
        cluster.crash(victim, { losesUnsynced: isPowerCut })
      })
      moves.until('the end of the node', () => {
        if (!isDown && moves.client.acked.length === RECORDS) {
          isDown = true
          disk.crashAfterOperation(disk.operationsRun + 100_000, () => undefined)
          cluster.crash(victim, { losesUnsynced: isPowerCut })
        }
        return isDown
      })
      cluster.world.runFor(random.below(3000))
      cluster.restart(victim)
      moves.until('the nodes', () => cluster.ids.every((id) => cluster.isReady(id)))
      moves.until('the ISR', () => cluster.view(1).image.partition(TOPIC, 0)?.isr.length === 3)
    }
    expect(moves.missing()).toEqual([])
    moves.until('the moves', () => cluster.ids.every((id) => moves.placesOf(id).length === 1))
    const places = cluster.ids.flatMap((id) => moves.placesOf(id))
    moves.until('the metadata', () => moves.assigned().join() === places.join())
    const moved = cluster.events.filter(({ kind }) => kind === 'replica.moved')
    expect(moved.length).toBeGreaterThan(3)
  })
})
