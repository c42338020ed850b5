import { describe, expect, it } from 'vitest'
import type { Properties } from '../../../../src/client/client-config.ts'
import { Consumer } from '../../../../src/client/consumer.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { fetchApi } from '../../../../src/wire/messages/01-fetch.ts'
import { listOffsetsApi } from '../../../../src/wire/messages/02-list-offsets.ts'
import { endTxnMarkerRecord } from '../../../../src/wire/control-record.ts'
import { writeBatch } from '../../../../src/wire/record-batch.ts'
import { ScriptedCluster } from '../../../support/scripted-cluster.ts'
import { settle, settleFor } from '../../../support/sim-promise.ts'

const T0 = { topic: 't', partition: 0 }

function setUp(
  properties: Properties = {},
  options: { brokers?: number; partitions?: number } = {},
) {
  const scripted = new ScriptedCluster({ brokers: options.brokers ?? 1, seed: 5 })
  scripted.createTopic('t', options.partitions ?? 1)
  const { ports } = scripted.clientNode
  const events: string[] = []
  const consumer = new Consumer(
    { 'bootstrap.servers': scripted.bootstrap, 'auto.offset.reset': 'earliest', ...properties },
    { ...ports, events: { emit: (kind) => events.push(kind) } },
  )
  const { world } = scripted
  const poll = async (ms = 1000): Promise<readonly string[]> => {
    const records = await settle(world, consumer.poll(ms), ms + 5000)
    return records.map(
      ({ partition, offset, value }) => `${value!.toString()}@${partition}:${offset}`,
    )
  }
  const fetches = () =>
    [...scripted.brokers.values()].flatMap((broker) => broker.requests(fetchApi))
  const done = <T>(promise: Promise<T>): Promise<T> => settle(world, promise)
  return { scripted, world, consumer, events, poll, fetches, done }
}

describe('Consumer', () => {
  it('reads from the begin of the log when told to', async () => {
    const { scripted, consumer, poll } = setUp()
    scripted.fill('t', 0, ['a', 'b'])
    scripted.fill('t', 0, ['c'])
    consumer.assign([T0])
    expect(await poll()).toEqual(['a@0:0', 'b@0:1', 'c@0:2'])
    expect(await poll(100)).toEqual([])
    scripted.fill('t', 0, ['d'])
    expect(await poll()).toEqual(['d@0:3'])
  })

  it('reads what comes later when told latest', async () => {
    const { scripted, consumer, poll } = setUp({ 'auto.offset.reset': 'latest' })
    scripted.fill('t', 0, ['a'])
    consumer.assign([T0])
    expect(await poll(600)).toEqual([])
    scripted.fill('t', 0, ['b'])
    expect(await poll()).toEqual(['b@0:1'])
  })

  it('gives an error when there is no offset and none may be chosen', async () => {
    const { scripted, consumer, poll } = setUp({ 'auto.offset.reset': 'none' })
    scripted.fill('t', 0, ['a'])
    consumer.assign([T0])
    await expect(poll()).rejects.toMatchObject({ code: 'NO_OFFSET' })
    consumer.seek(T0, 0)
    expect(await poll()).toEqual(['a@0:0'])
  })

  it('begins again as auto.offset.reset says when its position is out of range', async () => {
    const { scripted, consumer, poll, events } = setUp()
    scripted.fill('t', 0, ['a'])
    consumer.assign([T0])
    expect(await poll()).toEqual(['a@0:0'])
    const state = scripted.partition('t', 0)
    state.startOffset = 10
    state.batches.length = 0
    scripted.fill('t', 0, ['k'])
    expect(await poll()).toEqual(['k@0:10'])
    expect(events).toContain('client.offset-out-of-range')
  })

  it('gives OFFSET_OUT_OF_RANGE when it may not choose', async () => {
    const { scripted, consumer, poll } = setUp({ 'auto.offset.reset': 'none' })
    scripted.fill('t', 0, ['a'])
    consumer.assign([T0])
    consumer.seek(T0, 99)
    await expect(poll()).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
    consumer.seek(T0, 0)
    expect(await poll()).toEqual(['a@0:0'])
  })

  it('seeks, to offsets and to both ends', async () => {
    const { scripted, consumer, poll, done } = setUp()
    scripted.fill('t', 0, ['a', 'b', 'c'])
    consumer.assign([T0])
    consumer.seek(T0, 1)
    expect(await poll()).toEqual(['b@0:1', 'c@0:2'])
    consumer.seekToBeginning([T0])
    expect(await poll()).toEqual(['a@0:0', 'b@0:1', 'c@0:2'])
    consumer.seekToEnd([T0])
    expect(await done(consumer.position(T0))).toBe(3)
    consumer.seek(T0, 0)
    expect([await done(consumer.position(T0)), consumer.knownPosition(T0)]).toEqual([0, 0])
  })

  it('obeys the last of several seeks', async () => {
    const { scripted, world, consumer, poll } = setUp()
    scripted.fill('t', 0, ['a', 'b'])
    consumer.assign([T0])
    consumer.seekToBeginning([T0])
    const open = consumer.poll(300)
    await settleFor(world, 1)
    consumer.seekToEnd([T0])
    expect(await settle(world, open)).toEqual([])
    expect(await poll(100)).toEqual([])
    expect(consumer.knownPosition(T0)).toBe(2)
  })

  it('drops what was fetched before a seek', async () => {
    const { scripted, consumer, poll } = setUp({ 'max.poll.records': '1' })
    scripted.fill('t', 0, ['a', 'b', 'c'])
    consumer.assign([T0])
    expect(await poll()).toEqual(['a@0:0'])
    consumer.seek(T0, 2)
    expect(await poll()).toEqual(['c@0:2'])
  })

  it('gives no more than max.poll.records, and fetches ahead', async () => {
    const { scripted, consumer, poll, fetches } = setUp({ 'max.poll.records': '2' })
    scripted.fill('t', 0, ['a', 'b', 'c', 'd', 'e'])
    consumer.assign([T0])
    expect(await poll()).toEqual(['a@0:0', 'b@0:1'])
    expect(await poll()).toEqual(['c@0:2', 'd@0:3'])
    expect(fetches()).toHaveLength(1)
    expect(await poll()).toEqual(['e@0:4'])
    expect(consumer.currentLag(T0)).toBe(0)
  })

  it('stands still in paused partitions and keeps what it has of them', async () => {
    const { scripted, consumer, poll } = setUp({ 'max.poll.records': '1' }, { partitions: 2 })
    scripted.fill('t', 0, ['a', 'b'])
    scripted.fill('t', 1, ['x', 'y'])
    const both = [T0, { topic: 't', partition: 1 }]
    consumer.assign(both)
    consumer.pause([T0])
    expect(consumer.paused()).toEqual([T0])
    expect([await poll(), await poll(), await poll(100)]).toEqual([['x@1:0'], ['y@1:1'], []])
    consumer.resume([T0])
    expect(await poll()).toEqual(['a@0:0'])
    consumer.pause([T0])
    expect(await poll(100)).toEqual([])
    consumer.resume([T0])
    expect(await poll()).toEqual(['b@0:1'])
  })

  it('keeps the position of partitions that stay assigned', async () => {
    const { scripted, consumer, poll } = setUp({ 'max.poll.records': '1' }, { partitions: 2 })
    scripted.fill('t', 0, ['a', 'b'])
    consumer.assign([T0])
    expect(await poll()).toEqual(['a@0:0'])
    consumer.assign([{ topic: 't', partition: 1 }, T0])
    expect(consumer.assignment()).toHaveLength(2)
    expect(await poll()).toEqual(['b@0:1'])
    consumer.assign([])
    expect(await poll(50)).toEqual([])
  })

  it('follows the leader', async () => {
    const { scripted, consumer, poll } = setUp({}, { brokers: 3 })
    scripted.fill('t', 0, ['a'])
    consumer.assign([T0])
    expect(await poll()).toEqual(['a@0:0'])
    scripted.moveLeader('t', 0, 2)
    scripted.fill('t', 0, ['b'])
    expect(await poll(3000)).toEqual(['b@0:1'])
    scripted.broker(2).stop()
    scripted.moveLeader('t', 0, 3)
    scripted.fill('t', 0, ['c'])
    expect(await poll(5000)).toEqual(['c@0:2'])
  })

  it('names the leader epoch it knows, and looks again when that is refused', async () => {
    const { scripted, consumer, poll, fetches } = setUp()
    scripted.moveLeader('t', 0, 1)
    scripted.fill('t', 0, ['a'])
    const refused = { partitionIndex: 0, errorCode: ErrorCode.UNKNOWN_LEADER_EPOCH, records: null }
    scripted
      .broker(1)
      .next(fetchApi, (_request, reply) =>
        reply({ responses: [{ topicId: scripted.topics.get('t')!.id, partitions: [refused] }] }),
      )
    consumer.assign([T0])
    expect(await poll(3000)).toEqual(['a@0:0'])
    const epochs = fetches().map(({ body }) => body.topics[0]!.partitions[0]!.currentLeaderEpoch)
    expect(epochs.slice(0, 2)).toEqual([1, 1])
  })

  it('gives errors that no retry helps to the poll, and can go on', async () => {
    const { scripted, consumer, poll } = setUp()
    scripted.fill('t', 0, ['a'])
    const code = ErrorCode.TOPIC_AUTHORIZATION_FAILED
    const refused = { partitionIndex: 0, errorCode: code, records: null }
    scripted
      .broker(1)
      .next(fetchApi, (_request, reply) =>
        reply({ responses: [{ topicId: scripted.topics.get('t')!.id, partitions: [refused] }] }),
      )
    consumer.assign([T0])
    await expect(poll()).rejects.toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED' })
    expect(await poll()).toEqual(['a@0:0'])
  })

  it('stays where it was when a batch is damaged', async () => {
    const { scripted, consumer, poll } = setUp()
    scripted.fill('t', 0, ['a'])
    scripted.fill('t', 0, ['b'])
    const bad = scripted.partition('t', 0).batches[1]!
    bad[bad.length - 2]! ^= 1
    consumer.assign([T0])
    await expect(poll()).rejects.toMatchObject({ code: 'CORRUPT_MESSAGE' })
    bad[bad.length - 2]! ^= 1
    expect(await poll()).toEqual(['a@0:0', 'b@0:1'])
  })

  it('reads committed data only, when told so', async () => {
    const { scripted, consumer, poll, fetches, done } = setUp({
      'isolation.level': 'read_committed',
    })
    const transactional = {
      producerId: 9,
      producerEpoch: 0,
      baseSequence: 0,
      isTransactional: true,
    }
    scripted.fill('t', 0, ['x'], transactional)
    scripted.append(
      't',
      0,
      writeBatch({
        records: [endTxnMarkerRecord(false, 0)],
        timestampMs: 1,
        producerId: 9,
        producerEpoch: 0,
        isTransactional: true,
        isControl: true,
      }),
    )
    scripted.partition('t', 0).aborted.push({ producerId: 9, firstOffset: 0 })
    consumer.assign([T0])
    expect(await poll(700)).toEqual([])
    expect(await done(consumer.position(T0))).toBe(2)
    scripted.fill('t', 0, ['a'])
    expect(await poll()).toEqual(['a@0:2'])
    expect(fetches().every(({ body }) => body.isolationLevel === 1)).toBe(true)
    const lists = scripted.broker(1).requests(listOffsetsApi)
    expect(lists[0]!.body.isolationLevel).toBe(1)
  })

  it('returns early when woken, once', async () => {
    const { world, consumer, poll } = setUp()
    consumer.assign([T0])
    const open = consumer.poll(60_000)
    await settleFor(world, 100)
    consumer.wakeup()
    expect(await settle(world, open, 10)).toEqual([])
    consumer.wakeup()
    const before = world.scheduler.nowMs
    await poll(500)
    expect(world.scheduler.nowMs - before).toBeLessThan(1)
    await poll(500)
    expect(world.scheduler.nowMs - before).toBeGreaterThan(499)
  })

  it('finds offsets by time and at both ends', async () => {
    const { scripted, consumer, done } = setUp({}, { partitions: 2 })
    scripted.fill('t', 0, ['a', 'b'])
    scripted.partition('t', 1).startOffset = 4
    const both = [T0, { topic: 't', partition: 1 }]
    expect([...(await done(consumer.beginningOffsets(both)))]).toEqual([
      ['t-0', 0],
      ['t-1', 4],
    ])
    expect([...(await done(consumer.endOffsets(both)))]).toEqual([
      ['t-0', 2],
      ['t-1', 4],
    ])
    const times = await done(consumer.offsetsForTimes([{ ...T0, timestampMs: 5 }]))
    expect(times.get('t-0')).toMatchObject({ offset: 2 })
    expect((await done(consumer.partitionsFor('t'))).partitions).toHaveLength(2)
  })

  it('does not let a partition without a leader hold up the others', async () => {
    const { scripted, consumer, poll } = setUp({}, { partitions: 2 })
    scripted.moveLeader('t', 0, -1)
    scripted.fill('t', 1, ['x'])
    consumer.assign([T0, { topic: 't', partition: 1 }])
    expect(await poll(3000)).toEqual(['x@1:0'])
    scripted.moveLeader('t', 0, 1)
    scripted.fill('t', 0, ['a'])
    expect(await poll(5000)).toEqual(['a@0:0'])
  })

  it('refuses what makes no sense', async () => {
    const { world, consumer, poll, done } = setUp()
    await expect(poll()).rejects.toMatchObject({ code: 'NOT_SUBSCRIBED' })
    expect(() => consumer.subscribe(['t'])).toThrow('group.id')
    expect(() => consumer.seek(T0, 1)).toThrow('not assigned')
    await expect(done(consumer.commitSync())).rejects.toMatchObject({ code: 'NO_GROUP' })
    consumer.assign([T0])
    const open = consumer.poll(100)
    await expect(poll()).rejects.toMatchObject({ code: 'BUSY' })
    await settle(world, open)
    await done(consumer.close())
    await done(consumer.close())
    await expect(poll()).rejects.toMatchObject({ code: 'CONNECTION' })
    expect(() => consumer.assign([T0])).toThrow('closed')
  })

  it('ends an open poll when it is closed', async () => {
    const { scripted, world, consumer, done } = setUp()
    consumer.assign([T0])
    const open = consumer.poll(60_000)
    open.catch(() => undefined)
    await settleFor(world, 100)
    await done(consumer.close())
    await expect(open).rejects.toMatchObject({ code: 'CONNECTION' })
    await settleFor(world, 10)
    expect(scripted.broker(1).openCount).toBe(0)
  })

  it('asks by name where ids are not known', async () => {
    const { scripted, consumer, poll, fetches } = setUp()
    scripted.broker(1).advertise(
      new Map([
        [1, [0, 11]],
        [2, [0, 3]],
        [3, [0, 6]],
        [18, [0, 2]],
      ]),
    )
    scripted.fill('t', 0, ['a'])
    consumer.assign([T0])
    expect(await poll()).toEqual(['a@0:0'])
    expect(fetches()[0]!.version).toBe(11)
  })
})
