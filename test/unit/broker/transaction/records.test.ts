import { describe, expect, it } from 'vitest'
import { PartitionSet } from '../../../../broker/transaction/partition-set.ts'
import {
  decodeTransactionRecord,
  isFlexibleValue,
  transactionRecord,
  transactionTombstone,
} from '../../../../broker/transaction/records.ts'
import { newTransaction, type Transaction } from '../../../../broker/transaction/transaction.ts'
import { foo } from '../../../support/transaction-world.ts'

const ONGOING: Transaction = {
  ...newTransaction('t', 7, 60_000, 1000),
  producerEpoch: 3,
  previousProducerId: 5,
  nextProducerId: 9,
  state: 'Ongoing',
  partitions: PartitionSet.of([foo(10), { topic: 'bar', partition: 1 }, foo(2)]),
  startMs: 900,
  clientVersion: 2,
}

describe('records of __transaction_state', () => {
  it('have the bytes that Kafka writes under transaction.version 0', () => {
    const { key, value } = transactionRecord(ONGOING, 0)
    expect(key.toString('hex')).toBe('0000000174')
    expect(value!.toString('hex')).toBe(
      [
        '0000', // version
        '0000000000000007', // producer id
        '0003', // epoch
        '0000ea60', // time-out
        '01', // Ongoing
        '00000002', // topics
        '0003626172',
        '0000000100000001',
        '0003666f6f',
        '00000002000000020000000a',
        '00000000000003e8', // last update
        '0000000000000384', // start
      ].join(''),
    )
  })

  it('have the tagged fields of KIP-890 from transaction.version 1 on', () => {
    const { value } = transactionRecord({ ...ONGOING, partitions: PartitionSet.EMPTY }, 1)
    expect(value!.toString('hex')).toBe(
      [
        '0001',
        '0000000000000007',
        '0003',
        '0000ea60',
        '01',
        '01', // no topics
        '00000000000003e8',
        '0000000000000384',
        '03', // tagged fields
        '00080000000000000005',
        '01080000000000000009',
        '02020002',
      ].join(''),
    )
  })

  it.each([0, 1, 2])(
    'come back whole at level %i, save what version 0 has no room for',
    (level) => {
      const record = transactionRecord(ONGOING, level)
      const lost = { previousProducerId: -1, nextProducerId: -1, clientVersion: 0 }
      const decoded = decodeTransactionRecord(record)
      expect(decoded).toMatchObject({ kind: 'transaction', transactionalId: 't' })
      expect(decoded.kind === 'transaction' && decoded.transaction).toEqual(
        level === 0 ? { ...ONGOING, ...lost } : ONGOING,
      )
      expect(isFlexibleValue(record.value!)).toBe(level > 0)
    },
  )

  it('have no partitions at rest', () => {
    const empty = { ...newTransaction('t', 7, 1, 1), producerEpoch: 0 }
    const { value } = transactionRecord(empty, 0)
    expect(value!.subarray(17, 21).toString('hex')).toBe('ffffffff')
  })

  it('may be tombstones, or of a kind that is not known', () => {
    expect(decodeTransactionRecord(transactionTombstone('t'))).toEqual({
      kind: 'transaction',
      transactionalId: 't',
      transaction: null,
    })
    const key = Buffer.from('0009', 'hex')
    expect(decodeTransactionRecord({ key, value: null })).toEqual({ kind: 'unknown', type: 9 })
  })

  it('are refused with a state that does not exist', () => {
    const record = transactionRecord(ONGOING, 0)
    record.value!.writeInt8(8, 16)
    expect(() => decodeTransactionRecord(record)).toThrow('8 is no state of a transaction')
  })
})
