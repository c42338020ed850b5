// Goal: a history keeps the order of what happened and ties ends to their invocations.
import { describe, expect, it } from 'vitest'
import { History, type HistoryEntry } from '../../../../../src/chaos/history/history.ts'
import type { Operation } from '../../../../../src/chaos/history/operation.ts'
import { historyProblems } from '../../../../support/chaos-world.ts'

const operation: Operation = { op: 'create-topic', topic: 't' }

describe('history', () => {
  it('numbers entries, stamps them and tells listeners', () => {
    let nowMs = 5
    const history = new History(() => nowMs)
    const heard: HistoryEntry[] = []
    history.onEntry((entry) => heard.push(entry))
    const index = history.invoke('a', operation)
    nowMs = 7
    history.note('b', { op: 'line-sunk', task: 'c', sequence: 1 })
    history.end(index, 'a', 'info', { ...operation, error: 'TIMEOUT' })
    expect(history.entries.map(({ kind, of, atMs }) => [kind, of, atMs])).toEqual([
      ['invoke', 0, 5],
      ['ok', 1, 7],
      ['info', 0, 7],
    ])
    expect(heard).toEqual(history.entries)
    expect(historyProblems(history.entries)).toEqual([])
  })

  it('ends as unknown what a process had under way that is gone, and nobody else’s', () => {
    const history = new History(() => 0)
    for (const process of ['a', 'b', 'a', 'a']) history.invoke(process, operation)
    history.end(0, 'a', 'ok', operation)
    history.abandon('a')
    expect(history.entries.slice(5).map(({ kind, of, process }) => [kind, of, process])).toEqual([
      ['info', 2, 'a'],
      ['info', 3, 'a'],
    ])
    history.abandon('a')
    expect(history.entries).toHaveLength(7)
    expect(historyProblems(history.entries)).toEqual(['create-topic 1 is open'])
  })

  it('the test that looks for ends finds what has none or two', () => {
    const history = new History(() => 0)
    history.invoke('a', operation)
    expect(historyProblems(history.entries)).toEqual(['create-topic 0 is open'])
    history.end(0, 'a', 'ok', operation)
    history.end(0, 'a', 'ok', operation)
    expect(historyProblems(history.entries)).toEqual(['entry 2 ends 0, which is not open'])
  })
})
