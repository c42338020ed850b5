import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { encodeRow, Trace } from '../../../../src/sim/trace.ts'

describe('a trace', () => {
  it('hashes the canonical text of all its rows', () => {
    const trace = new Trace()
    const hash = createHash('sha256')
    for (let index = 0; index < 1000; index += 1) {
      trace.add(index * 10, 'n', 'x.y', { b: index, a: 'text' })
      if (index % 100 === 0) trace.hash()
    }
    for (const row of trace.rows()) hash.update(encodeRow(row))
    expect(trace.hash()).toBe(hash.digest('hex'))
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
      [1, 'n', 'k', {}],
    ].map((row) => {
      const trace = new Trace()
      trace.add(...(row as Parameters<Trace['add']>))
      return trace.hash()
    })
    expect(new Set(hashes).size).toBe(hashes.length)
  })

  it('keeps the last 50,000 rows and a checkpoint for every 10,000', () => {
    const trace = new Trace()
    for (let index = 0; index < 60_001; index += 1) trace.add(index, 'n', 'k', {})
    const rows = trace.rows()
    expect(rows).toHaveLength(50_000)
    expect([rows[0]!.seq, rows.at(-1)!.seq, trace.rowCount]).toEqual([10_001, 60_000, 60_001])
    expect(trace.checkpoints()).toHaveLength(6)
    expect(new Set(trace.checkpoints()).size).toBe(6)
  })
})
