// Goal: transactions of whole nodes in the simulated world: what is committed is seen, what is aborted is not, also when the
// coordinator dies between the decision and the markers. Method: three brokers, a transactional producer, a reader of
// committed data, and crashes at chosen events.
import { describe, expect, it } from 'vitest'
import { dumpOfTransactionLog } from '../../broker/index.ts'
import { Consumer, Producer } from '../../src/client/index.ts'
import { settle, settleFor } from '../support/sim-promise.ts'
import { SimClient } from '../support/sim-client.ts'
import { SimCluster } from '../support/sim-cluster.ts'

const PROPERTIES = {
  'transaction.state.log.num.partitions': '2',
  'transaction.state.log.replication.factor': '3',
  'transaction.state.log.min.isr': '2',
}

interface Stage {
  readonly cluster: SimCluster
  readonly producer: Producer
  readonly read: () => Promise<string[]>
}

async function stage(seed: number): Promise<Stage> {
  const cluster = new SimCluster({ seed, brokers: 3, properties: PROPERTIES })
  expect(cluster.waitReady()).toBe(true)
  const { world } = cluster
  const bootstrap = cluster.bootstrap().map(({ host, port }) => `${host}:${port}`)
  const client = new SimClient(world.node('admin').ports, cluster.bootstrap())
  let isCreated = false
  client.createTopic('foo', 3, () => (isCreated = true))
  expect(world.runUntil(() => isCreated, 20_000)).toBe(true)
  const producer = new Producer(
    { 'bootstrap.servers': bootstrap.join(','), 'transactional.id': 't', 'linger.ms': '0' },
    world.node('producer').ports,
  )
  let readers = 0
  const read = async (): Promise<string[]> => {
    readers += 1
    const consumer = new Consumer(
      {
        'bootstrap.servers': bootstrap.join(','),
        'isolation.level': 'read_committed',
        'auto.offset.reset': 'earliest',
      },
      world.node(`reader${readers}`).ports,
    )
    consumer.assign([0, 1, 2].map((partition) => ({ topic: 'foo', partition })))
    const values: string[] = []
    for (let round = 0; round < 10; round += 1) {
      const records = await settle(world, consumer.poll(300))
      values.push(...records.map(({ value }) => String(value)))
    }
    await settle(world, consumer.close())
    return values.sort()
  }
  return { cluster, producer, read }
}

async function transact(
  { cluster, producer }: Stage,
  name: string,
  end: 'commit' | 'abort',
): Promise<void> {
  producer.beginTransaction()
  const sent = [0, 1, 2].map((partition) =>
    producer.send({
      topic: 'foo',
      partition,
      key: null,
      value: Buffer.from(`${name}${partition}`),
    }),
  )
  await settle(cluster.world, Promise.all(sent))
  await settle(
    cluster.world,
    end === 'commit' ? producer.commitTransaction() : producer.abortTransaction(),
  )
}

/** Memory of every coordinator is the fold of its log. */
function checkDumps(cluster: SimCluster, ids: readonly number[]): number {
  let checked = 0
  for (const id of ids) {
    const view = cluster.view(id)
    for (const shard of view.transactionShards()) {
      const { log } = view.partition(`__transaction_state-${shard.partition}`)!
      expect(shard.dump()).toBe(dumpOfTransactionLog(log, log.logEndOffset))
      checked += 1
    }
  }
  return checked
}

describe('transactions in simulation', () => {
  it('show what was committed and hide what was aborted', async () => {
    const made = await stage(1)
    await settle(made.cluster.world, made.producer.initTransactions())
    await transact(made, 'a', 'commit')
    await transact(made, 'b', 'abort')
    await transact(made, 'c', 'commit')
    expect(await made.read()).toEqual(['a0', 'a1', 'a2', 'c0', 'c1', 'c2'])
    expect(checkDumps(made.cluster, [1, 2, 3])).toBe(2)
  })

  // Before the decision is replicated, while markers are under way, after the first of them.
  it.each([3, 500, 1000, 2000, 4000])(
    'are completed by the next coordinator when one dies %i us after the decision',
    async (delayUs) => {
      const made = await stage(2)
      const { cluster } = made
      await settle(cluster.world, made.producer.initTransactions())
      let died: number | null = null
      cluster.world.onEvent((event) => {
        if (event.kind !== 'transaction.state-changed' || died !== null) return
        if (event.fields['state'] !== 'PrepareCommit') return
        died = Number(event.node.slice(1))
        cluster.world.scheduler.after(delayUs, 'crash', () => cluster.crash(died!))
      })
      await transact(made, 'a', 'commit')
      expect(died).not.toBeNull()
      await settleFor(cluster.world, 5000)
      expect(await made.read()).toEqual(['a0', 'a1', 'a2'])
      const alive = [1, 2, 3].filter((id) => id !== died)
      expect(checkDumps(cluster, alive)).toBe(2)
      await transact(made, 'b', 'commit')
      expect(await made.read()).toEqual(['a0', 'a1', 'a2', 'b0', 'b1', 'b2'])
    },
  )

  it('of a new producer fence the old one and end what it left open', async () => {
    const made = await stage(3)
    const { cluster, producer } = made
    await settle(cluster.world, producer.initTransactions())
    producer.beginTransaction()
    await settle(
      cluster.world,
      producer.send({ topic: 'foo', partition: 0, key: null, value: Buffer.from('lost') }),
    )
    const bootstrap = cluster.bootstrap().map(({ host, port }) => `${host}:${port}`)
    const next = new Producer(
      { 'bootstrap.servers': bootstrap.join(','), 'transactional.id': 't', 'linger.ms': '0' },
      cluster.world.node('next').ports,
    )
    await settle(cluster.world, next.initTransactions())
    await expect(settle(cluster.world, producer.commitTransaction())).rejects.toThrow(
      /a newer producer/,
    )
    await transact({ ...made, producer: next }, 'n', 'commit')
    expect(await made.read()).toEqual(['n0', 'n1', 'n2'])
  })
})
