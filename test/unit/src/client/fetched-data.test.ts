import { describe, expect, it } from 'vitest'
import {
  FetchedData,
  type AbortedTransaction,
  type FetchedDataOptions,
} from '../../../../src/client/fetched-data.ts'
import { endTxnMarkerRecord } from '../../../../src/wire/control-record.ts'
import { patchBatch, setLogAppendTime, writeBatch } from '../../../../src/wire/record-batch.ts'

interface BatchSpec {
  readonly at: number
  readonly values?: readonly string[]
  readonly producerId?: number
  readonly marker?: 'commit' | 'abort'
}

function batch({ at, values = [], producerId, marker }: BatchSpec): Buffer {
  const records =
    marker === undefined
      ? values.map((value) => ({ key: null, value: Buffer.from(value) }))
      : [endTxnMarkerRecord(marker === 'commit', 0)]
  const bytes = writeBatch({
    records,
    timestampMs: 50,
    ...(producerId === undefined
      ? {}
      : { producerId, producerEpoch: 0, baseSequence: marker === undefined ? 0 : -1 }),
    isTransactional: producerId !== undefined,
    isControl: marker !== undefined,
  })
  patchBatch(bytes, 0, at, 3)
  return bytes
}

function dataOf(
  batches: readonly Buffer[],
  options: Partial<FetchedDataOptions> = {},
): FetchedData {
  return new FetchedData({
    topic: 't',
    partition: 1,
    records: Buffer.concat(batches),
    fetchOffset: 0,
    abortedTransactions: null,
    checksCrcs: true,
    ...options,
  })
}

const texts = (data: FetchedData, limit = 100): readonly string[] =>
  data.take(limit).map(({ offset, value }) => `${value!.toString()}@${offset}`)

describe('FetchedData', () => {
  it('gives records in order, as many as wanted', () => {
    const data = dataOf([
      batch({ at: 0, values: ['a', 'b'] }),
      batch({ at: 2, values: ['c', 'd', 'e'] }),
    ])
    expect([texts(data, 1), data.nextOffset]).toEqual([['a@0'], 1])
    expect([texts(data, 2), data.nextOffset, data.lastEpoch]).toEqual([['b@1', 'c@2'], 3, 3])
    expect([texts(data), data.nextOffset]).toEqual([['d@3', 'e@4'], 5])
    expect(texts(data)).toEqual([])
  })

  it('leaves out what is before the position in the first batch', () => {
    const data = dataOf([batch({ at: 5, values: ['a', 'b', 'c'] })], { fetchOffset: 6 })
    expect([texts(data), data.nextOffset]).toEqual([['b@6', 'c@7'], 8])
  })

  it('stops before a batch that is cut at the end', () => {
    const whole = batch({ at: 0, values: ['a'] })
    const next = batch({ at: 1, values: ['b'] })
    for (const cut of [1, 11, 30, 60, next.length - 1]) {
      const data = dataOf([whole, next.subarray(0, cut)])
      expect([texts(data), data.nextOffset]).toEqual([['a@0'], 1])
    }
  })

  it('carries topic, partition, epoch, time and headers', () => {
    const bytes = writeBatch({
      records: [{ key: Buffer.from('k'), value: null, headers: [{ key: 'h', value: null }] }],
      timestampMs: 7,
    })
    setLogAppendTime(bytes, 0, 99)
    const [record] = dataOf([bytes]).take(1)
    expect(record).toEqual({
      topic: 't',
      partition: 1,
      offset: 0,
      timestampMs: 99,
      timestampType: 'LogAppendTime',
      leaderEpoch: -1,
      key: Buffer.from('k'),
      value: null,
      headers: [{ key: 'h', value: null }],
    })
  })

  it('never gives control records but moves past them', () => {
    const data = dataOf([
      batch({ at: 0, values: ['a'], producerId: 1 }),
      batch({ at: 1, marker: 'commit', producerId: 1 }),
    ])
    expect([texts(data), data.nextOffset]).toEqual([['a@0'], 2])
  })

  it('gives data of aborted transactions only to those who read uncommitted', () => {
    const batches = [
      batch({ at: 0, values: ['a'], producerId: 1 }),
      batch({ at: 1, values: ['x', 'y'], producerId: 2 }),
      batch({ at: 3, values: ['plain'] }),
      batch({ at: 4, marker: 'abort', producerId: 2 }),
      batch({ at: 5, values: ['b'], producerId: 2 }),
      batch({ at: 6, marker: 'commit', producerId: 2 }),
      batch({ at: 7, marker: 'commit', producerId: 1 }),
    ]
    const abortedTransactions = [{ producerId: 2, firstOffset: 1 }]
    expect(texts(dataOf(batches, { abortedTransactions }))).toEqual(['a@0', 'plain@3', 'b@5'])
    expect(texts(dataOf(batches))).toEqual(['a@0', 'x@1', 'y@2', 'plain@3', 'b@5'])
  })

  it('follows several transactions of one producer, listed in any order', () => {
    const batches = [
      batch({ at: 0, values: ['x'], producerId: 1 }),
      batch({ at: 1, marker: 'abort', producerId: 1 }),
      batch({ at: 2, values: ['a'], producerId: 1 }),
      batch({ at: 3, marker: 'commit', producerId: 1 }),
      batch({ at: 4, values: ['y'], producerId: 1 }),
      batch({ at: 5, marker: 'abort', producerId: 1 }),
    ]
    const abortedTransactions: AbortedTransaction[] = [
      { producerId: 1, firstOffset: 4 },
      { producerId: 1, firstOffset: 0 },
    ]
    const data = dataOf(batches, { abortedTransactions })
    expect([texts(data), data.nextOffset]).toEqual([['a@2'], 6])
  })

  it('knows of transactions that began before what was fetched', () => {
    const batches = [batch({ at: 10, values: ['x'], producerId: 1 })]
    const data = dataOf(batches, {
      fetchOffset: 10,
      abortedTransactions: [{ producerId: 1, firstOffset: 3 }],
    })
    expect([texts(data), data.nextOffset]).toEqual([[], 11])
  })

  it('refuses a batch with a number that a flipped bit made too large as one with a wrong CRC', () => {
    const bad = batch({ at: 0, values: ['a'], producerId: 0 })
    // The highest byte but sign of the producer id.
    bad[43] = bad[43]! ^ 4
    expect(() => dataOf([bad]).take(1)).toThrow('the batch at offset 0 of t-1 has a wrong CRC')
  })

  it('refuses a batch whose CRC is wrong unless told not to look', () => {
    const good = batch({ at: 0, values: ['a'] })
    const bad = batch({ at: 1, values: ['b'] })
    bad[bad.length - 2] = bad[bad.length - 2]! ^ 1
    const data = dataOf([good, bad])
    expect(texts(data, 1)).toEqual(['a@0'])
    expect(() => data.take(1)).toThrow('the batch at offset 1 of t-1 has a wrong CRC')
    expect(data.nextOffset).toBe(1)
    expect(dataOf([bad], { fetchOffset: 1, checksCrcs: false }).take(1)).toHaveLength(1)
  })

  it('throws on bytes that are no batch, or not one whole', () => {
    const cut = batch({ at: 0, values: ['a'] }).subarray(0, 65)
    expect(() => dataOf([cut]).take(1)).toThrow('first batch of t-1 is cut, 65 bytes came')
    expect(dataOf([]).take(1)).toEqual([])
    expect(() => dataOf([Buffer.alloc(100, 1)]).take(1)).toThrow('first batch of t-1 is cut')
    expect(() => dataOf([Buffer.alloc(100)], { checksCrcs: false }).take(1)).toThrow('magic 0')
  })
})
