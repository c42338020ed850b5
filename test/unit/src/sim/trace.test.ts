import { describe, expect, it } from 'vitest'
import { encodeRow, Trace, type TraceRow } from '../../../../src/sim/trace.ts'

describe('a trace', () => {
  it('hashes all its rows, whenever it is asked and in whatever order their fields are written', () => {
    const [one, other] = [new Trace(), new Trace()]
    for (let index = 0; index < 3000; index += 1) {
      const value = index % 7 === 0 ? index / 3 : index
      one.add(index * 10, 'n', 'x.y', { b: value, a: `text ${index % 50}`, c: null })
      if (index % 100 === 0) one.hash()
      if (index % 2 === 0) {
        other.add(index * 10, 'n', 'x.y', { c: null, a: `text ${index % 50}`, b: value })
      } else {
        other.add(index * 10, 'n', 'x.y', { b: value, c: null, a: `text ${index % 50}` })
      }
    }
    expect(other.hash()).toBe(one.hash())
    expect(one.rows()).toEqual(other.rows())
  })

  it('takes rows of any size, and knows all that floating numbers can be', () => {
    const hashOf = (fields: TraceRow['fields']): string => {
      const trace = new Trace()
      trace.add(0.5, 'n', 'k', fields)
      return trace.hash()
    }
    const long = 'x'.repeat(200_000)
    const values = [
      NaN,
      Infinity,
      -Infinity,
      0.1,
      2 ** 40,
      -1,
      long,
      `${long}y`,
      [1, 2],
      ['1', '2'],
    ]
    expect(new Set(values.map((a) => hashOf({ a }))).size).toBe(values.length)
    expect(hashOf({ a: NaN })).toBe(hashOf({ a: 0 / 0 }))
    expect(hashOf({ a: -0 })).toBe(hashOf({ a: 0 }))
  })

  it('writes a row as one line with its fields in the order of their names', () => {
    const fields = { z: null, list: [1, 2], A: 'a b\n"', names: ['x'], big: Infinity, yes: true }
    const row = { seq: 3, atUs: 42, node: 'broker-1', kind: 'log.truncated', fields }
    expect(encodeRow(row)).toBe(
      '3 42 broker-1 log.truncated A="a b\\n\\"" big=Infinity list=[1,2] names=["x"] yes=true z=null\n',
    )
  })

  it('differs for every difference', () => {
    const hashes = [
      [1, 'n', 'k', { a: 1 }],
      [2, 'n', 'k', { a: 1 }],
      [1, 'm', 'k', { a: 1 }],
      [1, 'n', 'l', { a: 1 }],
      [1, 'n', 'k', { a: 2 }],
      [1, 'n', 'k', { a: '1' }],
      [1, 'n', 'k', { b: 1 }],
      [1, 'n', 'k', { a: [1] }],
      [1, 'n', 'k', { a: ['1'] }],
      [1, 'n', 'k', { a: null }],
      [1, 'n', 'k', { a: false }],
      [1, 'n', 'k', { a: 1, b: 1 }],
      [1, 'n', 'k', { 'a","b': 1 }],
      [1, 'n', 'k', {}],
    ].map((row) => {
      const trace = new Trace()
      trace.add(...(row as Parameters<Trace['add']>))
      return trace.hash()
    })
    expect(new Set(hashes).size).toBe(hashes.length)
  })

  it('differs also where a field has the text that it had before, long or short', () => {
    const hashOf = (texts: readonly string[]): string => {
      const trace = new Trace()
      for (const a of texts) trace.add(1, 'n', 'k', { a, b: 'same' })
      return trace.hash()
    }
    const long = 'x'.repeat(100)
    const hashes = [
      ['p', 'p', 'q'],
      ['p', 'q', 'p'],
      ['p', 'q', 'q'],
      ['p', 'same', 'p'],
      [long, long, 'q'],
      [long, 'q', long],
      [long, 'q', 'q'],
    ].map(hashOf)
    expect(new Set(hashes).size).toBe(hashes.length)
    expect(hashOf(['p', 'p', 'q'])).toBe(hashes[0])
  })

  it('keeps the last 50,000 rows and a checkpoint for every 10,000', () => {
    const trace = new Trace()
    for (let index = 0; index < 60_001; index += 1) trace.add(index, 'n', 'k', { index })
    const rows = trace.rows()
    expect(rows[0]).toEqual({
      seq: 10_001,
      atUs: 10_001,
      node: 'n',
      kind: 'k',
      fields: { index: 10_001 },
    })
    expect(rows).toHaveLength(50_000)
    expect([rows[0]!.seq, rows.at(-1)!.seq, trace.rowCount]).toEqual([10_001, 60_000, 60_001])
    expect(trace.checkpoints()).toHaveLength(6)
    expect(new Set(trace.checkpoints()).size).toBe(6)
  })
})
