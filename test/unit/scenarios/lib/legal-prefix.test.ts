import { describe, expect, it } from 'vitest'
import { tornPrefix } from '../../../../scenarios/lib/legal-prefix.ts'
import type { HistoryEntry } from '../../../../src/chaos/history/history.ts'

const CRASH_MS = 100
const POWER_CUT = { crashMs: CRASH_MS, mayLoseTail: true }
const KILL = { crashMs: CRASH_MS, mayLoseTail: false }

function sent(offset: number, value: string, atMs = 10): HistoryEntry {
  const send = { op: 'send', topic: 't', partition: 0, value, key: null, acks: -1, offset } as const
  const operation = { ...send, idempotent: true, producerId: 1, producerEpoch: 0 }
  return { index: offset, of: offset, atMs, process: 'p', kind: 'ok', operation }
}

function read(values: Readonly<Record<number, string>>): HistoryEntry {
  const records = Object.entries(values).map(([offset, value]) => ({
    offset: Number(offset),
    value,
    key: null,
  }))
  const poll = { op: 'poll', topic: 't', partition: 0, position: 0, isFirst: true } as const
  const operation = { ...poll, isolation: 'read_uncommitted', purpose: 'final', records } as const
  return { index: 99, of: 99, atMs: 500, process: 'r', kind: 'ok', operation }
}

describe('the past that a crashed log shows', () => {
  const history = [sent(0, 'a'), sent(1, 'b'), sent(2, 'c'), sent(3, 'after', 200)]

  it('is legal when it is whole', () => {
    expect(tornPrefix([...history, read({ 0: 'a', 1: 'b', 2: 'c' })], 't', KILL)).toBeNull()
  })

  it('is legal after a power cut when it is a prefix, and others came behind', () => {
    expect(tornPrefix([...history, read({ 0: 'a', 1: 'x', 2: 'y' })], 't', POWER_CUT)).toBeNull()
  })

  it('is not when a process crash has lost a record', () => {
    expect(tornPrefix([...history, read({ 0: 'a', 1: 'b' })], 't', KILL)).toBe('c at 2 is lost')
  })

  it('is not when something is missing in the middle', () => {
    expect(tornPrefix([...history, read({ 0: 'a', 2: 'c' })], 't', POWER_CUT)).toBe(
      'c at 2 is there, b at 1 before it is not',
    )
  })

  it('begins where retention has left it', () => {
    expect(tornPrefix([...history, read({ 1: 'b', 2: 'c' })], 't', KILL)).toBeNull()
  })

  it('is about one topic', () => {
    expect(tornPrefix([...history, read({})], 'u', KILL)).toBeNull()
  })
})
