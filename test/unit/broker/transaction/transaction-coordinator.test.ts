// Goal: the coordinator as its clients and the leaders see it. Method: one coordinator over a log in memory, whose commits
// the test holds back where it matters, and leaders that answer by script.
import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { foo, identity, TransactionWorld } from '../../../support/transaction-world.ts'

describe('InitProducerId', () => {
  it('gives a new id epoch 0 and bumps the epoch of a known one', () => {
    const world = new TransactionWorld()
    expect(world.init()).toEqual(['100/0'])
    expect(world.init()).toEqual(['100/1'])
    expect(world.init(null, { transactionalId: 'u' })).toEqual(['101/0'])
    expect(world.state()).toBe('Empty 100/1')
  })

  it.each([
    ['', 1000, 'INVALID_REQUEST'],
    ['t', 0, 'INVALID_TRANSACTION_TIMEOUT'],
    ['t', -1, 'INVALID_TRANSACTION_TIMEOUT'],
    ['t', 900_001, 'INVALID_TRANSACTION_TIMEOUT'],
  ])('refuses id "%s" with time-out %i', (transactionalId, timeoutMs, error) => {
    const world = new TransactionWorld()
    expect(world.init(null, { transactionalId, timeoutMs })).toEqual([error])
    expect(world.log.appendCount).toBe(0)
  })

  it('tells why there is no producer id, and takes nothing for given', () => {
    const world = new TransactionWorld()
    world.producerIdError = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
    expect(world.init()).toEqual(['COORDINATOR_LOAD_IN_PROGRESS'])
    world.producerIdError = ErrorCode.NONE
    expect(world.init()).toEqual(['100/0'])
  })

  it('aborts a transaction under way and fences its producer', () => {
    const world = new TransactionWorld()
    world.init()
    world.add('100/0', [0, 1])
    expect(world.init()).toEqual(['CONCURRENT_TRANSACTIONS'])
    expect(world.state()).toBe('PrepareAbort 100/1')
    expect(world.init()).toEqual(['CONCURRENT_TRANSACTIONS'])
    world.run(10)
    expect(world.markers.sort()).toEqual(['foo-0 abort 100/1 by 1', 'foo-1 abort 100/1 by 1'])
    expect(world.state()).toBe('CompleteAbort 100/1')
    expect(world.add('100/0', [0])).toEqual(['PRODUCER_FENCED'])
    expect(world.init()).toEqual(['100/2'])
  })

  it('answers only when the record is committed, and CONCURRENT_TRANSACTIONS at once meanwhile', () => {
    const world = new TransactionWorld()
    world.init()
    world.log.isHeld = true
    const first = world.init()
    expect(first).toEqual([])
    expect(world.init()).toEqual(['CONCURRENT_TRANSACTIONS'])
    expect(world.add('100/1', [0])).toEqual(['CONCURRENT_TRANSACTIONS'])
    expect(world.end('100/1', false)).toEqual(['CONCURRENT_TRANSACTIONS'])
    world.log.commit(0)
    expect(first).toEqual(['100/1'])
  })
})

describe('EndTxn', () => {
  it('answers when the decision is durable, then writes markers, then completes', () => {
    const world = new TransactionWorld()
    world.init()
    world.add('100/0', [0, 1, 2])
    world.log.isHeld = true
    const told = world.end('100/0', true)
    world.run(100)
    expect([told, world.markers]).toEqual([[], []])
    world.log.isHeld = false
    world.log.commit(0)
    expect(told).toEqual(['100/1'])
    world.run(10)
    expect(world.markers.sort()).toEqual([
      'foo-0 commit 100/1 by 1',
      'foo-1 commit 100/1 by 1',
      'foo-2 commit 100/1 by 1',
    ])
    expect(world.state()).toBe('CompleteCommit 100/1')
    expect(world.transaction().partitions.size).toBe(0)
  })

  it('writes no marker as long as the decision is not committed, however long that takes', () => {
    const world = new TransactionWorld({ config: { requestTimeoutMs: 1000 } })
    world.init()
    world.add('100/0', [0])
    world.log.isHeld = true
    const told = world.end('100/0', true)
    world.run(5000)
    expect([told, world.markers]).toEqual([['COORDINATOR_NOT_AVAILABLE'], []])
    world.log.isHeld = false
    world.log.commit(0)
    world.run(10)
    expect(world.markers).toEqual(['foo-0 commit 100/1 by 1'])
    expect(world.end('100/0', true)).toEqual(['100/1'])
  })

  it('gives a producer whose epochs are used up a new id, also when it asks again', () => {
    const world = new TransactionWorld()
    world.writeEmpty('100/32766')
    world.add('100/32766', [0])
    expect(world.end('100/32766', true)).toEqual(['300/0'])
    expect(world.state()).toBe('PrepareCommit 100/32767')
    expect(world.end('100/32766', true)).toEqual(['CONCURRENT_TRANSACTIONS'])
    world.run(10)
    expect(world.markers).toEqual(['foo-0 commit 100/32767 by 2'])
    expect(world.state()).toBe('CompleteCommit 300/0')
    expect(world.end('100/32766', true)).toEqual(['300/0'])
    expect(world.end('100/32766', false)).toEqual(['INVALID_TXN_STATE'])
  })

  it('needs no leader to abort what was never begun', () => {
    const world = new TransactionWorld()
    world.init()
    expect(world.end('100/0', false)).toEqual(['100/1'])
    world.run(1)
    expect(world.state()).toBe('CompleteAbort 100/1')
    expect(world.markers).toEqual([])
  })

  it('tries again to write the completion that was refused', () => {
    const world = new TransactionWorld()
    world.init()
    world.add('100/0', [0])
    world.end('100/0', true)
    world.log.appendError = ErrorCode.NOT_ENOUGH_REPLICAS
    world.run(500)
    expect(world.state()).toBe('PrepareCommit 100/1')
    world.log.appendError = ErrorCode.NONE
    world.run(100)
    expect(world.state()).toBe('CompleteCommit 100/1')
    expect(world.markers).toHaveLength(1)
  })

  it('changes nothing when the decision cannot be written', () => {
    const world = new TransactionWorld()
    world.init()
    world.add('100/0', [0])
    world.log.appendError = ErrorCode.NOT_ENOUGH_REPLICAS
    expect(world.end('100/0', true)).toEqual(['COORDINATOR_NOT_AVAILABLE'])
    world.log.appendError = ErrorCode.NONE
    expect(world.state()).toBe('Ongoing 100/0')
    expect(world.end('100/0', true)).toEqual(['100/1'])
  })
})

describe('a change of the coordinator', () => {
  it('resumes the markers of a decided end in the new epoch', () => {
    const world = new TransactionWorld()
    world.init()
    world.add('100/0', [0, 1])
    world.markerError = () => ErrorCode.NOT_LEADER_OR_FOLLOWER
    world.end('100/0', true)
    world.run(200)
    world.failOver()
    world.markerError = () => ErrorCode.NONE
    world.run(200)
    expect(world.markers.sort()).toEqual(['foo-0 commit 100/1 by 2', 'foo-1 commit 100/1 by 2'])
    expect(world.state()).toBe('CompleteCommit 100/1')
  })

  it('forgets a decision that was not committed: the transaction is open again', () => {
    const world = new TransactionWorld()
    world.init()
    world.add('100/0', [0])
    world.log.isHeld = true
    const told = world.end('100/0', true)
    world.failOver({ losesTail: true })
    world.log.isHeld = false
    expect(told).toEqual(['NOT_COORDINATOR'])
    world.run(200)
    expect([world.state(), world.markers]).toEqual(['Ongoing 100/0', []])
  })

  it('goes on with the markers when it is elected again', () => {
    const world = new TransactionWorld()
    world.init()
    world.add('100/0', [0])
    world.log.isHeld = true
    world.end('100/0', true)
    world.log.elect(0, 2)
    world.coordinator.onElected(0, 2)
    world.log.isHeld = false
    world.log.commit(0)
    world.run(10)
    expect(world.markers).toEqual(['foo-0 commit 100/1 by 2'])
  })
})

describe('time-outs', () => {
  it('aborts what is open for too long and fences the producer', () => {
    const world = new TransactionWorld()
    world.init(null, { timeoutMs: 15_000 })
    world.add('100/0', [1])
    world.run(14_000)
    expect(world.state()).toBe('Ongoing 100/0')
    world.run(10_000)
    expect(world.state()).toBe('CompleteAbort 100/1')
    expect(world.markers).toEqual(['foo-1 abort 100/1 by 1'])
    expect(world.end('100/0', true)).toEqual(['INVALID_TXN_STATE'])
    expect(world.add('100/0', [1])).toEqual(['PRODUCER_FENCED'])
  })

  it('gives an aborted producer whose epochs are used up a new id', () => {
    const world = new TransactionWorld()
    world.writeEmpty('100/32766')
    world.add('100/32766', [0])
    world.run(80_000)
    expect(world.state()).toBe('CompleteAbort 300/0')
    expect(world.markers).toEqual(['foo-0 abort 100/32767 by 2'])
  })

  it('forgets ids that nobody uses, but none with a transaction', () => {
    const config = { idExpirationMs: 10_000, removeExpiredIntervalMs: 5000 }
    const world = new TransactionWorld({ config })
    world.init(null, { timeoutMs: 900_000 })
    world.add('100/0', [0])
    world.init(null, { transactionalId: 'u' })
    world.run(16_000)
    expect([...world.shard.entries.keys()]).toEqual(['t'])
    expect(world.init(null, { transactionalId: 'u' })).toEqual(['102/0'])
    expect(world.log.records(0).filter(({ value }) => value === null)).toHaveLength(1)
  })
})

describe('verification', () => {
  it('tells leaders which partitions belong to the transaction', () => {
    const world = new TransactionWorld()
    world.init()
    world.add('100/0', [0])
    expect(verify(world, '100/0')).toEqual([ErrorCode.NONE, ErrorCode.TRANSACTION_ABORTABLE])
    expect(verify(world, '100/1')).toEqual(Array(2).fill(ErrorCode.PRODUCER_FENCED))
    expect(verify(world, '99/0')).toEqual(Array(2).fill(ErrorCode.INVALID_PRODUCER_ID_MAPPING))
    world.end('100/0', true)
    expect(verify(world, '100/1')).toEqual(Array(2).fill(ErrorCode.CONCURRENT_TRANSACTIONS))
  })
})

function verify(world: TransactionWorld, producer: string): readonly ErrorCode[] {
  let errors: readonly ErrorCode[] = []
  const request = { transactionalId: 't', ...identity(producer), partitions: [foo(0), foo(1)] }
  world.coordinator.verifyPartitions(request, (found) => (errors = [...found.values()]))
  return errors
}
