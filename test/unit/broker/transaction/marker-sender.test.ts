// Goal: every partition of a decided transaction gets its marker, whatever its leaders do. Method: a coordinator with two
// leaders that answer by script; the test moves leaderships, breaks connections and refuses markers.
import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { writeTxnMarkersApi } from '../../../../src/wire/messages/27-write-txn-markers.ts'
import { TransactionWorld } from '../../../support/transaction-world.ts'

/** A transaction over three partitions whose commit has just been decided. */
function decided(
  setUp: (world: TransactionWorld) => void = () => undefined,
  partitions = [0, 1, 2],
): TransactionWorld {
  const world = new TransactionWorld()
  world.init()
  world.add('100/0', partitions)
  setUp(world)
  world.end('100/0', true)
  return world
}

const ALL = [0, 1, 2].map((partition) => `foo-${partition} commit 100/1 by 1`)

describe('markers', () => {
  it('go to each leader in one request, with all that Kafka tells of them', () => {
    const world = decided()
    world.run(10)
    const [first, second] = world.leaders.map((leader) => leader.requests(writeTxnMarkersApi))
    expect(first).toHaveLength(1)
    expect(second).toHaveLength(1)
    expect(first![0]).toMatchObject({
      version: 2,
      clientId: 'markers',
      body: {
        markers: [
          {
            producerId: 100,
            producerEpoch: 1,
            transactionResult: true,
            topics: [{ name: 'foo', partitionIndexes: [0, 2] }],
            coordinatorEpoch: 1,
            transactionVersion: 2,
          },
        ],
      },
    })
  })

  it('of several transactions share a request', () => {
    const world = new TransactionWorld()
    for (const transactionalId of ['t', 'u']) {
      const producer = world.init(null, { transactionalId })[0]!
      world.addTo(transactionalId, producer, [0])
      world.endOf(transactionalId, producer, false)
    }
    world.run(10)
    const requests = world.leaders[0]!.requests(writeTxnMarkersApi)
    expect(requests.map(({ body }) => body.markers.length)).toEqual([2])
    expect(world.markers).toEqual(['foo-0 abort 100/1 by 1', 'foo-0 abort 101/1 by 1'])
    expect([world.state('t'), world.state('u')]).toEqual([
      'CompleteAbort 100/1',
      'CompleteAbort 101/1',
    ])
  })

  it.each([
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ErrorCode.NOT_LEADER_OR_FOLLOWER,
    ErrorCode.NOT_ENOUGH_REPLICAS,
    ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    ErrorCode.REQUEST_TIMED_OUT,
    ErrorCode.KAFKA_STORAGE_ERROR,
    ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ])('are written again after error %i, those that were taken are not', (error) => {
    const world = decided((it) => {
      it.markerError = (_, __, partition) => (partition === 2 ? error : ErrorCode.NONE)
    })
    world.run(300)
    expect(world.markers.sort()).toEqual(ALL.slice(0, 2))
    expect(world.state()).toBe('PrepareCommit 100/1')
    world.markerError = () => ErrorCode.NONE
    world.run(100)
    expect(world.markers.sort()).toEqual(ALL)
    expect(world.state()).toBe('CompleteCommit 100/1')
  })

  it.each([ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT, ErrorCode.UNSUPPORTED_VERSION])(
    'are not needed where error %i says that there can be no records',
    (error) => {
      const world = decided((it) => (it.markerError = () => error))
      world.run(10)
      expect([world.state(), world.markers]).toEqual(['CompleteCommit 100/1', []])
    },
  )

  it.each([ErrorCode.INVALID_PRODUCER_EPOCH, ErrorCode.TRANSACTION_COORDINATOR_FENCED])(
    'end with error %i: somebody newer is in charge',
    (error) => {
      const world = decided((it) => (it.markerError = () => error))
      world.run(1000)
      expect(world.leaders.map((each) => each.requests(writeTxnMarkersApi).length)).toEqual([1, 1])
      expect(world.state()).toBe('PrepareCommit 100/1')
      expect(
        world.events.filter(({ kind }) => kind === 'transaction.markers-refused'),
      ).toHaveLength(1)
    },
  )

  it('follow the leader', () => {
    const world = decided((it) => it.leaders[1]!.stop())
    world.run(200)
    expect(world.markers.sort()).toEqual([ALL[0], ALL[2]])
    world.moveLeader(1, 1)
    world.run(200)
    expect(world.markers.sort()).toEqual(ALL)
  })

  it('do not wait for the answer of who leads no more', () => {
    const world = decided((it) => {
      it.leaders[1]!.on(writeTxnMarkersApi, () => undefined)
    })
    world.run(2000)
    expect(world.markers.sort()).toEqual([ALL[0], ALL[2]])
    world.moveLeader(1, 1)
    world.run(200)
    expect(world.markers.sort()).toEqual(ALL)
    expect(world.state()).toBe('CompleteCommit 100/1')
  })

  it('wait for a leader that is not there yet', () => {
    const world = decided((it) => it.moveLeader(1, -1))
    world.run(200)
    expect(world.markers.sort()).toEqual([ALL[0], ALL[2]])
    world.moveLeader(1, 2)
    world.run(10)
    expect(world.state()).toBe('CompleteCommit 100/1')
  })

  it('are written again over a new connection, when the answer was lost', () => {
    const world = decided((it) => {
      it.leaders[0]!.next(writeTxnMarkersApi, (_, reply) => reply.drop())
    })
    world.run(200)
    expect(world.leaders[0]!.connectionCount).toBe(2)
    expect(world.markers.sort()).toEqual(ALL)
  })

  it('are written again where the answer does not speak of them', () => {
    const world = decided((it) => {
      it.leaders[0]!.next(writeTxnMarkersApi, (_, reply) => reply({ markers: [] }))
    })
    world.run(200)
    expect(world.markers.sort()).toEqual(ALL)
  })

  it('are not needed of partitions that are gone', () => {
    const world = decided((it) => it.deleteTopic())
    world.run(10)
    expect([world.state(), world.markers]).toEqual(['CompleteCommit 100/1', []])
  })

  it('are not needed of partitions that go while they wait', () => {
    const world = decided((it) => {
      it.markerError = () => ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    })
    world.run(100)
    world.deleteTopic()
    world.run(100)
    expect(world.state()).toBe('CompleteCommit 100/1')
  })

  it('are sent no more by who lost the partition, or has ended', () => {
    for (const stop of ['onResigned', 'close'] as const) {
      const world = decided((it) => (it.markerError = () => ErrorCode.NOT_ENOUGH_REPLICAS))
      world.run(100)
      world.coordinator[stop](0)
      world.run(100)
      const count = (): number => world.leaders.reduce((sum, { seen }) => sum + seen.length, 0)
      const before = count()
      world.run(1000)
      expect(count()).toBe(before)
    }
  })
})
