// Goal: the cleaner compacts what is dirty enough, leaves the rest, and goes on after a log that it
// cannot read. Method: one broker in simulated time; the logs, files and events tell.
import { describe, expect, it } from 'vitest'
import { ZERO_UUID } from '../../../../src/base/uuid.ts'
import { writeBatch } from '../../../../src/wire/record-batch.ts'
import type { CompactionSummary } from '../../../../broker/replica/log-cleaner.ts'
import { ReplicaCluster } from '../../../support/replica-cluster.ts'
import { readWhole } from '../../../support/log-world.ts'

const PROPERTIES = { 'log.cleanup.policy': 'compact', 'log.cleaner.backoff.ms': '1000' }
const TIME_MS = 1_700_000_000_000

function cluster(properties: Readonly<Record<string, string>> = {}): ReplicaCluster {
  const made = new ReplicaCluster({
    seed: 1,
    brokers: 1,
    properties: { ...PROPERTIES, ...properties },
  })
  made.start()
  return made
}

function create(brokers: ReplicaCluster, topic: string): void {
  brokers.controller.createTopic(topic, [[1]])
  const isThere = (): boolean => brokers.broker(1).manager.partition(topic, 0)?.isLeader === true
  brokers.until(isThere, 'led')
}

/** Writes a record of each key and closes the segment. */
function write(brokers: ReplicaCluster, topic: string, keys: readonly string[]): void {
  for (const key of keys) {
    const value = Buffer.alloc(100, key)
    const records = writeBatch({
      records: [{ key: Buffer.from(key), value }],
      timestampMs: TIME_MS,
    })
    brokers.broker(1).manager.append({
      requiredAcks: 1,
      timeoutMs: 1000,
      origin: 'client',
      entries: [{ topic, topicId: ZERO_UUID, partition: 0, records }],
      respond: () => undefined,
    })
  }
  brokers.partition(1, topic).log.rollActive(TIME_MS)
}

function many(count: number, prefix = 'k'): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`)
}

describe('the cleaner', () => {
  it('compacts a log that is dirty enough and says so in the checkpoint', () => {
    const brokers = cluster()
    create(brokers, 't')
    write(
      brokers,
      't',
      Array.from({ length: 20 }, () => 'same'),
    )
    const { log } = brokers.partition(1, 't')
    const before = log.sizeBytes
    brokers.until(() => log.cleanedTo === 20, 'compacted', 3000)
    expect(log.sizeBytes).toBeLessThan(before / 10)
    const { disk } = brokers.broker(1).node.ports
    const checkpoint = readWhole(disk, 'cleaner-offset-checkpoint').toString()
    expect(checkpoint).toBe('0\n1\nt 0 20\n')
    brokers.crash(1)
    brokers.restart(1)
    brokers.world.runFor(200)
    const reopened = brokers.partition(1, 't').log
    expect([reopened.cleanedTo, reopened.compactedTo, reopened.logEndOffset]).toEqual([20, 20, 20])
  })

  it('leaves a log whose dirty part is small, unless it is called', () => {
    const brokers = cluster()
    create(brokers, 't')
    write(brokers, 't', many(40))
    const { log } = brokers.partition(1, 't')
    brokers.until(() => log.cleanedTo === 40, 'compacted', 3000)
    write(brokers, 't', many(5))
    brokers.world.runFor(5000)
    expect(log.cleanedTo).toBe(40)
    let summary: CompactionSummary | null = null
    brokers.broker(1).manager.compactAll((done) => (summary = done))
    brokers.until(() => summary !== null, 'compacted on call', 3000)
    expect(summary).toMatchObject({ partitions: 1 })
    expect(log.cleanedTo).toBe(45)
  })

  it('does nothing by itself when it is switched off', () => {
    const brokers = cluster({ 'log.cleaner.enable': 'false' })
    create(brokers, 't')
    write(brokers, 't', many(5))
    brokers.world.runFor(5000)
    expect(brokers.partition(1, 't').log.cleanedTo).toBe(0)
  })

  it.each([
    ['an offset', 7],
    ['a value', 100],
  ])('gives up a log with %s that is damaged and goes on with the others', (_name, byte) => {
    const brokers = cluster()
    const uncleanable: unknown[] = []
    brokers.world.onEvent(({ kind, fields }) => {
      if (kind === 'log.uncleanable') uncleanable.push(fields['topic'])
    })
    create(brokers, 'bad')
    create(brokers, 'good')
    write(brokers, 'bad', many(20))
    write(brokers, 'good', many(20))
    // In the second batch; ten of twenty keys have one byte more than the others.
    const batchBytes = (brokers.partition(1, 'bad').log.sizeBytes - 10) / 20
    brokers.broker(1).node.disk.flipBit('bad-0/00000000000000000000.log', batchBytes + byte, 3)
    const { log } = brokers.partition(1, 'good')
    brokers.until(() => log.cleanedTo === 20, 'compacted', 5000)
    brokers.world.runFor(5000)
    expect(uncleanable).toEqual(['bad'])
    expect(brokers.partition(1, 'bad').log.cleanedTo).toBe(0)
  })

  it('reads no more than log.cleaner.io.max.bytes.per.second', () => {
    const brokers = cluster({
      'log.cleaner.io.max.bytes.per.second': '1000',
      'log.cleaner.io.buffer.size': '500',
    })
    create(brokers, 't')
    write(brokers, 't', many(20))
    const { log } = brokers.partition(1, 't')
    // About 3500 bytes, which are read twice.
    brokers.world.runFor(4000)
    expect(log.cleanedTo).toBe(0)
    brokers.until(() => log.cleanedTo === 20, 'compacted', 10_000)
  })
})
