import { describe, expect, it } from 'vitest'
import type { HistoryEntry } from '../../../../../src/chaos/history/history.ts'
import type { SendOperation } from '../../../../../src/chaos/history/operation.ts'
import {
  sequenceDiagram,
  type TimedEvent,
} from '../../../../../src/chaos/story/sequence-diagram.ts'
import { chaosPlan, runResult } from '../../../../support/made-up-run.ts'

const leads = (atMs: number, node: string, leaderEpoch: number): TimedEvent => ({
  atMs,
  event: {
    atMs,
    node,
    kind: 'partition.leader-changed',
    fields: { topic: 't', partition: 0, role: 'leader', leader: 1, leaderEpoch },
  },
})

function send(index: number, atMs: number, value: string, end?: 'ok' | 'info'): HistoryEntry {
  const operation: SendOperation = {
    op: 'send',
    topic: 't',
    partition: 0,
    value,
    key: null,
    acks: -1,
    idempotent: true,
    producerId: 1,
    producerEpoch: 0,
    ...(end === 'ok' ? { offset: 7 } : {}),
    ...(end === 'info' ? { error: 'TIMEOUT' } : {}),
  }
  const of = end === undefined ? index : index - 1
  return { index, atMs, process: 'producer-1', kind: end ?? 'invoke', of, operation }
}

const plan = chaosPlan({ faults: [{ atMs: 100, kind: 'crash', target: 'b1', untilMs: 600 }] })

describe('the sequence diagram of a run', () => {
  it('shows faults, leaders and the sends that the verdict names, in the order of time', () => {
    const history = [
      send(0, 10, 'producer-1:1'),
      send(1, 20, 'producer-1:1', 'ok'),
      send(2, 150, 'producer-1:12'),
      send(3, 900, 'producer-1:12', 'info'),
    ]
    const reason = 'producer-1:1 was acknowledged and is gone; see above #3'
    const result = { ...runResult(plan, 'fail', 'D1'), reason, atMs: 1000, history }
    const text = sequenceDiagram(result, [leads(5, 'b1', 0), leads(700, 'b2', 1)])
    expect(text).toBe(
      [
        'sequenceDiagram',
        '    participant P0 as producer-1',
        '    participant P1 as b1',
        '    participant P2 as b2',
        '    Note over P1: 0.005 s leads t-0, epoch 0',
        '    P0->>P1: 0.010 s send producer-1:1 to t-0',
        '    P1-->>P0: 0.020 s producer-1:1: ok, offset 7',
        '    Note over P1: 0.100 s crash for 0.5 s',
        '    Note over P2: 0.700 s leads t-0, epoch 1',
        '    Note over P2: 1.000 s D1: producer-1:1 was acknowledged and is gone  see above  3',
        '',
      ].join('\n'),
    )
  })

  it('shows the last sends when the verdict names none, and leaves out the middle of a long run', () => {
    const history = [send(0, 150, 'producer-1:12'), send(1, 900, 'producer-1:12', 'info')]
    const events = Array.from({ length: 200 }, (_, index) => leads(index, 'b1', index))
    const text = sequenceDiagram({ ...runResult(plan, 'stuck', 'L2'), history, atMs: 950 }, events)
    expect(text).toContain('P0->>P1: 0.150 s send producer-1:12 to t-0')
    expect(text).toContain('P1-->>P0: 0.900 s producer-1:12: info TIMEOUT')
    expect(text).toContain('epoch 14')
    expect(text).not.toContain('epoch 100')
    expect(text.split('\n').length).toBeLessThan(70)
  })
})
