import { describe, expect, it } from 'vitest'
import { ProducerBatch } from '../../../../src/client/producer-batch.ts'
import type { ProducerIdentity } from '../../../../src/client/producer-identity.ts'
import { ProducerPartition } from '../../../../src/client/producer-partition.ts'
import type { PreparedRecord } from '../../../../src/client/producer-record.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'

const NOW = 1000

/** The arithmetic of the real identity without a cluster to ask. */
function identity() {
  let current = { producerId: 7, epoch: 0 }
  const self = {
    acquire: () => current,
    next: (old: { epoch: number }) => {
      if (old.epoch === current.epoch) current = { producerId: 7, epoch: current.epoch + 1 }
      return current
    },
    fatalError: null,
    close: () => undefined,
  }
  return self as unknown as ProducerIdentity
}

function setUp(isIdempotent = true) {
  const partition = new ProducerPartition('t', 0, isIdempotent ? identity() : null)
  const ended: string[] = []
  const add = (name: string, records = 2): void => {
    for (let index = 0; index < records; index += 1) {
      const record: PreparedRecord = {
        topic: 't',
        partition: null,
        input: { key: null, value: Buffer.from(name), timestampMs: NOW },
        sizeBytes: 10,
        done: (error) => ended.push(`${name} ${error === null ? 'ok' : error.message}`),
      }
      partition.append(
        record,
        index === 0 ? 1 : 1000,
        (ordinal) =>
          new ProducerBatch({
            topic: 't',
            partition: 0,
            ordinal,
            createdAtMs: NOW,
            deadlineMs: NOW + 100 + ordinal,
            codec: 0,
          }),
      )
    }
  }
  const send = (broker = 1): ProducerBatch | null => {
    const batch = partition.sendable(NOW, () => true)
    if (batch === null || !partition.mayGoTo(broker) || !partition.take(batch, broker)) return null
    return batch
  }
  const refuse = (batch: ProducerBatch, code: number, isRetriable = true): string => {
    const verdict = partition.judge(batch, code, isRetriable)
    if (verdict === 'retry') partition.retryAt(batch, NOW)
    else partition.drop(batch)
    return verdict
  }
  const place = (batch: ProducerBatch | null): unknown =>
    batch === null ? null : [batch.stamp!.epoch, batch.stamp!.baseSequence]
  return { partition, add, send, refuse, place, ended }
}

describe('ProducerPartition', () => {
  it('numbers batches by the records before them', () => {
    const { add, send, place } = setUp()
    add('a', 2)
    add('b', 3)
    add('c', 1)
    expect([place(send()), place(send()), place(send()), send()]).toEqual([
      [0, 0],
      [0, 2],
      [0, 5],
      null,
    ])
  })

  it('has no more than five batches in flight', () => {
    const { partition, add, send } = setUp()
    for (const name of 'abcdefg') add(name)
    const sent = Array.from({ length: 6 }, () => send())
    expect(sent.map((batch) => batch !== null)).toEqual([true, true, true, true, true, false])
    partition.onStored(sent[0]!)
    expect(send()).not.toBeNull()
    expect(send()).toBeNull()
  })

  it('tries refused batches again in their order, one at a time, before new ones', () => {
    const { partition, add, send, refuse, place } = setUp()
    for (const name of 'abcd') add(name)
    const [a, b, c] = [send()!, send()!, send()!]
    refuse(b, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(send()).toBeNull()
    refuse(a, ErrorCode.NOT_LEADER_OR_FOLLOWER)
    refuse(c, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    const order: unknown[] = []
    const behind: unknown[] = []
    for (let turn = 0; turn < 3; turn += 1) {
      const batch = send()!
      order.push(place(batch))
      behind.push(place(send()))
      partition.onStored(batch)
    }
    expect(order).toEqual([
      [0, 0],
      [0, 2],
      [0, 4],
    ])
    expect(behind).toEqual([null, null, [0, 6]])
  })

  it('goes on under the next epoch from 0 when the broker lost what was before the first batch', () => {
    const { add, send, refuse, place } = setUp()
    for (const name of 'abc') add(name)
    const [a, b] = [send()!, send()!]
    expect(refuse(a, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, false)).toBe('retry')
    expect(refuse(b, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, false)).toBe('retry')
    const again = send()!
    expect([again, place(again), place(b)]).toEqual([a, [1, 0], [1, 2]])
  })

  it('sends nothing to a new leader while the one before has a batch', () => {
    const { add, send, refuse, place } = setUp()
    for (const name of 'abc') add(name)
    const [a, b] = [send(1)!, send(1)!]
    expect(send(2)).toBeNull()
    refuse(a, ErrorCode.NETWORK_EXCEPTION)
    refuse(b, ErrorCode.NOT_LEADER_OR_FOLLOWER)
    expect([send(2), place(a)]).toEqual([a, [0, 0]])
    const plain = setUp(false)
    for (const name of 'ab') plain.add(name)
    expect([plain.send(1), plain.send(2)]).not.toContain(null)
  })

  it('goes on under the next epoch from 0 behind a batch that was given up', () => {
    const { partition, add, send, refuse, place } = setUp()
    for (const name of 'abc') add(name)
    const [a, b] = [send()!, send()!]
    expect(refuse(a, ErrorCode.MESSAGE_TOO_LARGE, false)).toBe('fail')
    expect(send()).toBeNull()
    expect(refuse(b, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, false)).toBe('retry')
    expect(place(send())).toEqual([1, 0])
    partition.onStored(b)
    expect(place(send())).toEqual([1, 2])
  })

  it('keeps the old epoch for batches behind one whose fate is unknown until they are refused', () => {
    const { partition, add, send, refuse, place } = setUp()
    for (const name of 'abc') add(name)
    const [a, b] = [send()!, send()!]
    refuse(a, ErrorCode.NETWORK_EXCEPTION)
    refuse(b, ErrorCode.NETWORK_EXCEPTION)
    const [expired] = partition.expire(NOW + 100)
    expect(expired).toBe(a)
    expired!.fail(() => new Error('late'))
    expect([send(), place(b)]).toEqual([b, [0, 2]])
    partition.onStored(b)
    expect(place(send())).toEqual([1, 0])
  })

  it('knows no gap when a batch that was given up turns out to be stored', () => {
    const { partition, add, send, place, ended } = setUp()
    for (const name of 'ab') add(name)
    const a = send()!
    partition.expire(NOW + 100)[0]!.fail(() => new Error('late'))
    expect(ended).toEqual(['a late', 'a late'])
    partition.onStored(a)
    expect(place(send())).toEqual([0, 2])
  })

  it('takes batches in flight off only when they are answered', () => {
    const { partition, add, send, refuse } = setUp()
    add('a')
    const a = send()!
    partition.expire(NOW + 100)[0]!.fail(() => new Error('late'))
    expect(partition.isEmpty).toBe(false)
    refuse(a, ErrorCode.NETWORK_EXCEPTION)
    expect(partition.isEmpty).toBe(true)
  })

  it('starts again under a new epoch when the broker lost the producer', () => {
    const { add, send, refuse, place } = setUp()
    for (const name of 'ab') add(name)
    const [a, b] = [send()!, send()!]
    refuse(a, ErrorCode.UNKNOWN_PRODUCER_ID, false)
    refuse(b, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, false)
    expect(place(send())).toEqual([1, 0])
    expect(place(b)).toEqual([1, 2])
  })

  it('moves on after an epoch that the broker does not take any more', () => {
    const { add, send, refuse, place } = setUp()
    for (const name of 'ab') add(name)
    expect(refuse(send()!, ErrorCode.INVALID_PRODUCER_EPOCH, false)).toBe('fail')
    expect(place(send())).toEqual([1, 0])
  })

  it('keeps order without sequences too', () => {
    const { add, send, refuse } = setUp(false)
    for (const name of 'abc') add(name)
    const [a, b] = [send()!, send()!]
    refuse(b, ErrorCode.NETWORK_EXCEPTION)
    refuse(a, ErrorCode.NETWORK_EXCEPTION)
    expect(send()).toBe(a)
    expect(send()).toBeNull()
  })
})
