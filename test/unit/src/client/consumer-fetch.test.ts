import { describe, expect, it } from 'vitest'
import type { Properties } from '../../../../src/client/client-config.ts'
import { Consumer } from '../../../../src/client/consumer.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import {
  fetchApi,
  type FetchRequest,
  type FetchResponse,
} from '../../../../src/wire/messages/01-fetch.ts'
import type { Input } from '../../../../src/wire/schema.ts'
import type { Handler } from '../../../support/scripted-broker.ts'
import { ScriptedCluster } from '../../../support/scripted-cluster.ts'
import { settle } from '../../../support/sim-promise.ts'

const T0 = { topic: 't', partition: 0 }
const LEADER = 1
const FOLLOWER = 2
const EMPTY_AFTER_MS = 100

type PartitionAnswer = Input<FetchResponse['responses'][number]['partitions'][number]>
type FetchHandler = Handler<FetchRequest, FetchResponse>

function setUp(properties: Properties = {}) {
  const scripted = new ScriptedCluster({ brokers: 2, seed: 5 })
  scripted.createTopic('t', 1)
  const { ports } = scripted.clientNode
  const consumer = new Consumer(
    { 'bootstrap.servers': scripted.bootstrap, 'auto.offset.reset': 'earliest', ...properties },
    ports,
  )
  consumer.assign([T0])
  const { world } = scripted
  const poll = async (ms = 1000): Promise<readonly string[]> => {
    const records = await settle(world, consumer.poll(ms), ms + 5000)
    return records.map(({ value }) => value!.toString())
  }
  const fetchesOf = (id: number): readonly FetchRequest[] =>
    scripted
      .broker(id)
      .requests(fetchApi)
      .map(({ body }) => body)
  const answer = (partition: Partial<PartitionAnswer>): FetchHandler => {
    const topicId = scripted.topics.get('t')!.id
    const records = Buffer.alloc(0)
    const partitions = [{ partitionIndex: 0, highWatermark: 1, records, ...partition }]
    return (_request, reply) => reply({ responses: [{ topicId, partitions }] })
  }
  /** The follower gives what the leader has, once, and then waits in vain. */
  const followerServes = (): void => {
    const records = Buffer.concat(scripted.partition('t', 0).batches)
    scripted.broker(FOLLOWER).on(fetchApi, (request, reply) => {
      if (records.length > 0 && request.body.topics[0]?.partitions[0]?.fetchOffset === 0) {
        answer({ records })(request, reply)
      } else {
        const { clock } = scripted.node(FOLLOWER).ports
        clock.after(EMPTY_AFTER_MS, 'test.empty', () => answer({})(request, reply))
      }
    })
  }
  return { scripted, consumer, poll, fetchesOf, answer, followerServes }
}

describe('Consumer in a fetch session', () => {
  it('tells what has changed, and goes on in full when the broker has lost the session', async () => {
    const { scripted, poll, fetchesOf } = setUp()
    scripted.fill('t', 0, ['a'])
    scripted.broker(LEADER).next(
      fetchApi,
      (_request, reply) => reply({ sessionId: 9, responses: [] }),
      (_request, reply) => reply({ sessionId: 9, responses: [] }),
      (_request, reply) => reply({ errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND }),
    )
    expect(await poll()).toEqual(['a'])
    const seen = fetchesOf(LEADER).map(({ sessionId, sessionEpoch, topics }) => [
      sessionId,
      sessionEpoch,
      topics.length,
    ])
    expect(seen.slice(0, 4)).toEqual([
      [0, 0, 1],
      // The first answer left out what a full one must have, so the partition was delayed and is told again.
      [9, 1, 0],
      [9, 2, 0],
      [0, 0, 1],
    ])
  })
})

describe('Consumer with client.rack (KIP-392)', () => {
  it('tells its rack, and reads from the follower that the leader names', async () => {
    const { scripted, poll, fetchesOf, answer, followerServes } = setUp({ 'client.rack': 'b' })
    scripted.fill('t', 0, ['a'])
    followerServes()
    scripted.broker(LEADER).next(fetchApi, answer({ preferredReadReplica: FOLLOWER }))
    expect(await poll()).toEqual(['a'])
    expect(fetchesOf(LEADER).map(({ rackId }) => rackId)).toEqual(['b'])
    expect(fetchesOf(FOLLOWER)[0]).toMatchObject({ rackId: 'b' })
  })

  it.each([ErrorCode.OFFSET_OUT_OF_RANGE, ErrorCode.NOT_LEADER_OR_FOLLOWER])(
    'asks the leader again after error %i of the follower, without a reset',
    async (errorCode) => {
      const { scripted, consumer, poll, fetchesOf, answer } = setUp({
        'client.rack': 'b',
        'auto.offset.reset': 'none',
      })
      consumer.seek(T0, 0)
      scripted.fill('t', 0, ['a'])
      scripted.broker(LEADER).next(fetchApi, answer({ preferredReadReplica: FOLLOWER }))
      scripted.broker(FOLLOWER).next(fetchApi, answer({ errorCode }))
      expect(await poll()).toEqual(['a'])
      expect(fetchesOf(LEADER).length).toBeGreaterThan(1)
      expect(fetchesOf(FOLLOWER)).toHaveLength(1)
    },
  )

  it('asks the leader again when the follower is gone', async () => {
    const { scripted, poll, fetchesOf, answer } = setUp({ 'client.rack': 'b' })
    scripted.fill('t', 0, ['a'])
    scripted.broker(LEADER).next(fetchApi, answer({ preferredReadReplica: FOLLOWER }))
    scripted.broker(FOLLOWER).on(fetchApi, (_request, reply) => reply.drop())
    expect(await poll(5000)).toEqual(['a'])
    expect(fetchesOf(FOLLOWER)).toHaveLength(1)
  })

  it('asks the leader again when the time of the follower is over', async () => {
    const { scripted, poll, fetchesOf, answer, followerServes } = setUp({
      'client.rack': 'b',
      'metadata.max.age.ms': '1000',
    })
    followerServes()
    scripted.broker(LEADER).next(fetchApi, answer({ preferredReadReplica: FOLLOWER }))
    expect(await poll(500)).toEqual([])
    expect(fetchesOf(LEADER)).toHaveLength(1)
    expect(await poll(2000)).toEqual([])
    expect(fetchesOf(LEADER).length).toBeGreaterThan(1)
  })
})
