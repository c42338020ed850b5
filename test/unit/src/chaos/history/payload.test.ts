// Goal: a value survives its way through a record's bytes, and damaged filling is never taken for it.
import { describe, expect, it } from 'vitest'
import { decodeLine, encodeLine } from '../../../../../src/chaos/workload/line.ts'
import { decodePayload, encodePayload } from '../../../../../src/chaos/history/payload.ts'

describe('payload', () => {
  it.each([0, 3, 4, 5, 100])('round trip in %i bytes', (bytes) => {
    const payload = encodePayload('p:0', bytes)
    expect(payload.length).toBe(bytes < 4 ? 3 : bytes)
    expect(decodePayload(payload)).toBe('p:0')
  })

  it('gives damaged bytes as they are', () => {
    const payload = encodePayload('p:0', 20)
    payload[10] = 0x79
    expect(decodePayload(payload)).not.toBe('p:0')
    expect(decodePayload(null)).toBe('')
  })
})

describe('line', () => {
  it('round trip, and null for anything else', () => {
    expect(decodeLine(encodeLine({ task: 'c-source-0', sequence: 12 }))).toEqual({
      task: 'c-source-0',
      sequence: 12,
    })
    expect(decodeLine('p:0')).toBeNull()
    expect(decodeLine('#1')).toBeNull()
  })
})
