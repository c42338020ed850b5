// Goal: every error has the class that the invariants' vocabulary gives it. Method: the examples of that text by
// number, and what follows from several attempts of one batch.
import { describe, expect, it } from 'vitest'
import { ConnectionError, TimeoutError, WireError } from '../../../../../src/base/errors.ts'
import { History } from '../../../../../src/chaos/history/history.ts'
import {
  errorNameOf,
  errorOfCode,
  outcomeOf,
  type OutcomeTable,
} from '../../../../../src/chaos/workload/outcome.ts'
import { SentBatch } from '../../../../../src/chaos/workload/sent-batch.ts'
import { KafkaError } from '../../../../../src/client/kafka-error.ts'

describe('outcomes', () => {
  it.each([
    // 6, 3, 100: before or after the append. 7, 20: appended. 56, -1: unknown how far it came. 46: appended before.
    ['send', 'info', [6, 3, 100, 7, 20, 56, -1, 46, 5, 13, 74, 75, 12345]],
    ['send', 'fail', [19, 87, 90, 47, 45, 10, 18, 2, 32, 29, 76, 21]],
    // 15 and 16 also stand for a write that was appended.
    ['commit', 'info', [15, 16, 7, -1, 56, 12345]],
    ['commit', 'fail', [22, 25, 27, 82, 110, 113, 14, 12]],
    ['admin', 'info', [7, 41, -1, 12345]],
    ['admin', 'fail', [36, 3, 17, 37, 38, 40]],
  ] as const)('%s is %s for %j', (table, expected, codes) => {
    for (const code of codes) {
      const outcome = outcomeOf(table, new KafkaError(code))
      expect({ code, outcome }).toEqual({ code, outcome: expected })
    }
  })

  it.each(['send', 'commit', 'admin'] as const)(
    '%s without an answer is info',
    (table: OutcomeTable) => {
      const errors = [
        new TimeoutError('t'),
        new ConnectionError('c'),
        new WireError('w'),
        new Error('x'),
      ]
      for (const error of errors) expect(outcomeOf(table, error)).toBe('info')
    },
  )

  it('names errors as histories do', () => {
    expect(errorNameOf(new TimeoutError('t'))).toBe('TIMEOUT')
    expect(errorNameOf(new ConnectionError('c'))).toBe('DISCONNECTED')
    expect(errorNameOf(new KafkaError(19))).toBe('NOT_ENOUGH_REPLICAS')
    expect(errorNameOf(new Error('x'))).toBe('UNKNOWN')
    expect(errorOfCode(0)).toBeNull()
    expect(errorOfCode(6)?.code).toBe('NOT_LEADER_OR_FOLLOWER')
  })
})

describe('a batch of several attempts', () => {
  function batchOf(...errors: readonly Error[]): {
    readonly history: History
    readonly batch: SentBatch
  } {
    const history = new History(() => 0)
    const batch = new SentBatch(
      {
        history,
        process: 'p',
        topic: 't',
        partition: 0,
        acks: -1,
        records: [
          { value: 'p:0', key: null },
          { value: 'p:1', key: 'k' },
        ],
        valueBytes: 0,
        codec: 0,
        timestampMs: 0,
        stamp: { producerId: 7, epoch: 0, baseSequence: 2_147_483_647 },
      },
      0,
    )
    for (const error of errors) batch.noteFailure(error)
    return { history, batch }
  }

  it.each([
    ['fail', 'NOT_ENOUGH_REPLICAS', [new KafkaError(19), new KafkaError(19)]],
    ['info', 'NOT_ENOUGH_REPLICAS', [new TimeoutError('t'), new KafkaError(19)]],
    ['info', 'TIMEOUT', [new KafkaError(19), new TimeoutError('t')]],
    ['fail', 'NOT_SENT', []],
  ] as const)('is %s %s', (kind, error, errors) => {
    const { history, batch } = batchOf(...errors)
    batch.giveUp()
    const ends = history.entries.slice(2)
    expect(ends).toHaveLength(2)
    for (const end of ends) expect(end).toMatchObject({ kind, operation: { error } })
    expect(() => batch.giveUp()).toThrow('a batch ends once')
  })

  it('has the offset and the sequence of each record, which wraps', () => {
    const { history, batch } = batchOf()
    batch.succeed(10)
    expect(history.entries.map(({ kind, of }) => [kind, of])).toEqual([
      ['invoke', 0],
      ['invoke', 1],
      ['ok', 0],
      ['ok', 1],
    ])
    const [, , first, second] = history.entries
    expect(first!.operation).toMatchObject({ value: 'p:0', offset: 10, sequence: 2_147_483_647 })
    expect(second!.operation).toMatchObject({ value: 'p:1', offset: 11, sequence: 0 })
  })
})
