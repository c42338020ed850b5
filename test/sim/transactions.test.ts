// Goal: exactly-once copying. A reader takes records, writes them to another topic and commits its offsets in the same
// transaction; brokers are killed under it, it aborts at times, and is replaced by another with its id at others. Method:
// whole brokers in the simulated world; at the end readers of committed records find every input once.
import { describe, expect, it } from 'vitest'
import { createClient, type Client, type Consumer, type Producer } from '../../src/client/index.ts'
import type { Random } from '../../src/ports/random.ts'
import { settle, settleFor } from '../support/sim-promise.ts'
import { SimCluster } from '../support/sim-cluster.ts'

const INPUTS = 120
const PARTITIONS = 2

interface Copier {
  readonly producer: Producer
  readonly consumer: Consumer
}

class Run {
  readonly cluster: SimCluster
  readonly #client: Client
  readonly #random: Random
  /** How often each thing happened, so that a run that did nothing is noticed. */
  readonly counts = { committed: 0, aborted: 0, fenced: 0, failed: 0, replaced: 0, crashes: 0 }
  /** Producers that were left with an open transaction. */
  #zombies: Producer[] = []
  #isOver = false

  constructor(seed: number) {
    this.cluster = new SimCluster({
      seed,
      brokers: 3,
      properties: {
        'transaction.state.log.replication.factor': '3',
        'transaction.state.log.num.partitions': '2',
        'transaction.state.log.min.isr': '2',
        'min.insync.replicas': '2',
        'group.initial.rebalance.delay.ms': '0',
      },
    })
    expect(this.cluster.waitReady()).toBe(true)
    const { ports } = this.cluster.world.node('client')
    this.#random = this.cluster.world.random('copy')
    const bootstrapServers = this.cluster
      .bootstrap()
      .map(({ host, port }) => `${host}:${port}`)
      .join()
    this.#client = createClient({ bootstrapServers, ports })
  }

  async copyAll(): Promise<readonly string[]> {
    await this.#prepare()
    this.#crashSometimes()
    let copier = await this.#start()
    for (let copied = await this.#copied(); copied < INPUTS; copied = await this.#copied()) {
      const isUsable = await this.#copySome(copier)
      if (isUsable && this.#random.below(8) > 0) continue
      // The old one is not closed: it may still have requests on their way.
      this.counts.replaced += 1
      copier = await this.#start()
    }
    this.#isOver = true
    await this.#run(copier.producer.close())
    await settleFor(this.cluster.world, 5000)
    for (const id of this.cluster.ids) if (!this.cluster.isReady(id)) this.cluster.restart(id)
    expect(this.cluster.waitReady()).toBe(true)
    return this.#read('out')
  }

  async #prepare(): Promise<void> {
    const topics = ['in', 'out'].map((name) => ({
      name,
      partitions: PARTITIONS,
      replicationFactor: 3,
    }))
    await this.#run(this.#client.admin().createTopics(topics))
    const producer = this.#client.producer()
    const sent = Array.from({ length: INPUTS }, (_, index) =>
      producer.send({ topic: 'in', value: `v${index}`, partition: index % PARTITIONS }),
    )
    await this.#run(Promise.all(sent))
  }

  async #start(): Promise<Copier> {
    const producer = this.#client.producer({ 'transactional.id': 'copy', 'linger.ms': '0' })
    for (;;) {
      try {
        await this.#run(producer.initTransactions())
        break
      } catch (error) {
        expect((error as { code: string }).code).toBe('TIMEOUT')
      }
    }
    await this.#wakeZombies()
    const consumer = this.#client.consumer({
      'group.id': 'copy',
      'enable.auto.commit': 'false',
      'auto.offset.reset': 'earliest',
      'isolation.level': 'read_committed',
    })
    consumer.assign(partitionsOf('in'))
    return { producer, consumer }
  }

  /** Nothing of theirs counts any more, whatever they send. */
  async #wakeZombies(): Promise<void> {
    for (const zombie of this.#zombies) {
      zombie.send({ topic: 'out', partition: 0, value: 'late' }).catch(() => undefined)
      const outcome = await this.#run(
        zombie.commitTransaction().then(
          () => 'committed',
          (error: { code: string }) => error.code,
        ),
      )
      expect(outcome).not.toBe('committed')
      this.counts.fenced += 1
    }
    this.#zombies = []
  }

  /** One transaction. False when the copier cannot go on: it has read what may not count as copied. */
  async #copySome({ producer, consumer }: Copier): Promise<boolean> {
    const records = await this.#run(consumer.poll(200))
    if (records.length === 0) return true
    const some = records.slice(0, 1 + this.#random.below(12))
    try {
      producer.beginTransaction()
      const offsets = partitionsOf('in').flatMap(({ topic, partition }) => {
        const last = some.findLast((record) => record.partition === partition)
        return last === undefined ? [] : [{ topic, partition, offset: last.offset + 1 }]
      })
      const sent = some.map(({ partition, value }) =>
        producer.send({ topic: 'out', partition, value: String(value) }),
      )
      // What fails here is told by the commit too.
      for (const each of sent) each.catch(() => undefined)
      if (this.#random.below(4) > 0) await this.#run(Promise.allSettled(sent))
      if (this.#random.below(6) === 0) {
        this.#zombies.push(producer)
        return false
      }
      await this.#run(producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata()))
      if (this.#random.below(5) === 0) {
        await this.#run(producer.abortTransaction())
        this.counts.aborted += 1
        return false
      }
      await this.#run(producer.commitTransaction())
      this.counts.committed += 1
      return some.length === records.length
    } catch {
      this.counts.failed += 1
      return false
    }
  }

  #crashSometimes(): void {
    const { clock } = this.cluster.world.node('crashes').ports
    const next = (): void => {
      clock.after(1000 + this.#random.below(6000), 'crash', () => {
        if (this.#isOver) return
        const id = 1 + this.#random.below(3)
        if (this.cluster.ids.every((each) => this.cluster.isReady(each))) {
          this.counts.crashes += 1
          this.cluster.crash(id, { losesUnsynced: true })
          clock.after(1000 + this.#random.below(3000), 'restart', () => this.cluster.restart(id))
        }
        next()
      })
    }
    next()
  }

  async #copied(): Promise<number> {
    const consumer = this.#client.consumer({ 'isolation.level': 'read_committed' })
    consumer.assign(partitionsOf('out'))
    consumer.seekToBeginning(partitionsOf('out'))
    let count = 0
    for (let empty = 0; empty < 2;) {
      const records = await this.#run(consumer.poll(300))
      count += records.length
      empty = records.length === 0 ? empty + 1 : 0
    }
    await this.#run(consumer.close())
    return count
  }

  async #read(topic: string): Promise<readonly string[]> {
    const consumer = this.#client.consumer({ 'isolation.level': 'read_committed' })
    consumer.assign(partitionsOf(topic))
    consumer.seekToBeginning(partitionsOf(topic))
    const found: string[] = []
    for (let empty = 0; empty < 5;) {
      const records = await this.#run(consumer.poll(500))
      found.push(...records.map(({ partition, value }) => `${partition}:${String(value)}`))
      empty = records.length === 0 ? empty + 1 : 0
    }
    return found
  }

  #run<T>(promise: Promise<T>): Promise<T> {
    return settle(this.cluster.world, promise)
  }
}

function partitionsOf(topic: string) {
  return Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }))
}

describe('exactly-once copying in simulation', () => {
  it.each([1, 2, 3, 4])('loses nothing and doubles nothing, seed %i', async (seed) => {
    const run = new Run(seed)
    const copied = await run.copyAll()
    for (const partition of [0, 1]) {
      const prefix = `${partition}:`
      const inputs = Array.from({ length: INPUTS }, (_, index) => index)
        .filter((index) => index % PARTITIONS === partition)
        .map((index) => `${prefix}v${index}`)
      expect(copied.filter((value) => value.startsWith(prefix))).toEqual(inputs)
    }
    expect(run.counts.committed).toBeGreaterThan(5)
    expect(run.counts.aborted + run.counts.fenced).toBeGreaterThan(0)
  })
})
