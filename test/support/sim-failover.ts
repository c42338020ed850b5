import { assert } from '../../src/base/assert.ts'
import { SimClient } from './sim-client.ts'
import { SimCluster } from './sim-cluster.ts'

const TOPIC = 'orders'
const RECORDS = 60

/** What one run showed. */
export interface SimFailover {
  readonly hash: string
  readonly rows: number
  readonly acked: readonly string[]
  readonly log: readonly string[]
  readonly oldLeader: number
  readonly newLeader: number
  readonly isr: readonly number[]
}

/** Produces record after record; half-way the leader of the partition is crashed and later restarted. */
export function simFailover(
  seed: number,
  options: { readonly losesUnsynced: boolean },
): SimFailover {
  const cluster = new SimCluster({ seed, brokers: 3 })
  const { world } = cluster
  assert(cluster.waitReady(), 'the simulated cluster got stuck')
  const client = new SimClient(world.node('client').ports, cluster.bootstrap())
  let isCreated = false
  const look = (): void =>
    client.refresh(() => {
      isCreated = (client.partition(TOPIC, 0)?.leaderId ?? -1) !== -1
      if (!isCreated) look()
    })
  client.createTopic(TOPIC, 1, look)
  assert(
    world.runUntil(() => isCreated, 20_000),
    'the simulated cluster got stuck',
  )
  const oldLeader = client.partition(TOPIC, 0)!.leaderId

  const produce = (index: number): void => {
    if (index < RECORDS) client.produce(TOPIC, 0, `v${index}`, () => produce(index + 1))
  }
  produce(0)
  assert(
    world.runUntil(() => client.acked.length >= RECORDS / 2, 20_000),
    'the simulated cluster got stuck',
  )
  cluster.crash(oldLeader, options)
  assert(
    world.runUntil(() => client.acked.length === RECORDS, 60_000),
    'the simulated cluster got stuck',
  )
  const newLeader = client.partition(TOPIC, 0)!.leaderId
  cluster.restart(oldLeader)
  let isFull = false
  const watch = (): void =>
    client.refresh(() => {
      isFull = client.partition(TOPIC, 0)?.isrNodes.length === 3
      if (!isFull) watch()
    })
  watch()
  assert(
    world.runUntil(() => isFull, 60_000),
    'the simulated cluster got stuck',
  )
  let log: readonly string[] | null = null
  client.readAll(TOPIC, 0, (values) => (log = values))
  assert(
    world.runUntil(() => log !== null, 20_000),
    'the simulated cluster got stuck',
  )
  return {
    hash: world.trace.hash(),
    rows: world.trace.rowCount,
    acked: client.acked,
    log: log!,
    oldLeader,
    newLeader,
    isr: client.partition(TOPIC, 0)!.isrNodes,
  }
}
