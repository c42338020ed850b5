// Goal: the broker that serves TCP clients also runs in the simulated world, survives its leader there,
// and one seed gives one trace. Method: three whole brokers, a callback client that produces with
// acks=all, a crash of the partition leader under load, its return; the run is made twice.
import { describe, expect, it } from 'vitest'
import { withForbiddenGlobals } from '../../src/sim/forbidden-globals.ts'
import { SimClient } from '../support/sim-client.ts'
import { SimCluster } from '../support/sim-cluster.ts'

const TOPIC = 'orders'
const RECORDS = 60

interface Outcome {
  readonly hash: string
  readonly rows: number
  readonly acked: readonly string[]
  readonly log: readonly string[]
  readonly oldLeader: number
  readonly newLeader: number
  readonly isr: readonly number[]
}

/** Produces record after record; half-way the leader of the partition is crashed and later restarted. */
function run(seed: number, options: { readonly losesUnsynced: boolean }): Outcome {
  const cluster = new SimCluster({ seed, brokers: 3 })
  const { world } = cluster
  expect(cluster.waitReady()).toBe(true)
  const client = new SimClient(world.node('client').ports, cluster.bootstrap())
  let isCreated = false
  const look = (): void =>
    client.refresh(() => {
      isCreated = (client.partition(TOPIC, 0)?.leaderId ?? -1) !== -1
      if (!isCreated) look()
    })
  client.createTopic(TOPIC, 1, look)
  expect(world.runUntil(() => isCreated, 20_000)).toBe(true)
  const oldLeader = client.partition(TOPIC, 0)!.leaderId

  const produce = (index: number): void => {
    if (index < RECORDS) client.produce(TOPIC, 0, `v${index}`, () => produce(index + 1))
  }
  produce(0)
  expect(world.runUntil(() => client.acked.length >= RECORDS / 2, 20_000)).toBe(true)
  cluster.crash(oldLeader, options)
  expect(world.runUntil(() => client.acked.length === RECORDS, 60_000)).toBe(true)
  const newLeader = client.partition(TOPIC, 0)!.leaderId
  cluster.restart(oldLeader)
  let isFull = false
  const watch = (): void =>
    client.refresh(() => {
      isFull = client.partition(TOPIC, 0)?.isrNodes.length === 3
      if (!isFull) watch()
    })
  watch()
  expect(world.runUntil(() => isFull, 60_000)).toBe(true)
  let log: readonly string[] | null = null
  client.readAll(TOPIC, 0, (values) => (log = values))
  expect(world.runUntil(() => log !== null, 20_000)).toBe(true)
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

describe('failover in simulation', () => {
  it('elects a leader out of the ISR and loses nothing that was acked', () => {
    const { acked, log, oldLeader, newLeader, isr } = withForbiddenGlobals(() =>
      run(1, { losesUnsynced: false }),
    )
    expect(newLeader).not.toBe(oldLeader)
    expect(isr.toSorted()).toEqual([1, 2, 3])
    expect(acked.filter((value) => !log.includes(value))).toEqual([])
  })

  it('survives a power cut of the leader that loses its unsynced tail', () => {
    const { acked, log, newLeader, oldLeader } = run(2, { losesUnsynced: true })
    expect(newLeader).not.toBe(oldLeader)
    expect(acked.filter((value) => !log.includes(value))).toEqual([])
  })

  it('gives the same trace for the same seed, also after another seed in between', () => {
    const first = run(7, { losesUnsynced: false })
    const other = run(8, { losesUnsynced: false })
    const again = run(7, { losesUnsynced: false })
    expect(again.rows).toBe(first.rows)
    expect(again.hash).toBe(first.hash)
    expect(other.hash).not.toBe(first.hash)
  })
})
