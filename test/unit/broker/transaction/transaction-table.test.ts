// Goal: what each request does in each state, as Kafka 4.3 has it. Method: a table for each request; the decision is a pure
// function, so no log and no clock is needed.
import { describe, expect, it } from 'vitest'
import {
  decideAddPartitions,
  verifyPartitions,
} from '../../../../broker/transaction/add-partitions.ts'
import type { Decision, Situation } from '../../../../broker/transaction/decision.ts'
import { decideEnd, fenceAndAbort } from '../../../../broker/transaction/end-transaction.ts'
import { decideInitProducerId } from '../../../../broker/transaction/init-producer-id.ts'
import { PartitionSet } from '../../../../broker/transaction/partition-set.ts'
import {
  completeEnd,
  newTransaction,
  type Transaction,
} from '../../../../broker/transaction/transaction.ts'
import {
  isPrepared,
  mayFollow,
  stateId,
  stateOfId,
  type TransactionState,
} from '../../../../broker/transaction/transaction-state.ts'
import { ErrorCode, errorName } from '../../../../src/wire/error-codes.ts'
import { foo, identity } from '../../../support/transaction-world.ts'

const NOW_MS = 5000
const STARTED_MS = 2000

/** Producer 7 at epoch 3; its last epoch was 2. */
function transaction(state: TransactionState, changes: Partial<Transaction> = {}): Transaction {
  const hasPartitions = state === 'Ongoing' || isPrepared(state)
  return {
    ...newTransaction('t', 7, 60_000, 1000),
    producerEpoch: 3,
    previousProducerId: 7,
    state,
    partitions: PartitionSet.of(hasPartitions ? [foo(0)] : []),
    startMs: state === 'Empty' ? -1 : STARTED_MS,
    ...changes,
  }
}

function situation(changes: Partial<Situation>): Situation {
  return {
    transaction: null,
    isPending: false,
    newProducerId: null,
    nowMs: NOW_MS,
    level: 2,
    ...changes,
  }
}

/** `ERROR`, or `STATE producer/epoch last LAST` of what is written, then what the client is told. */
function told(decision: Decision): string {
  if (decision.kind === 'needs-producer-id') return 'needs id'
  const { producerId, producerEpoch } = decision.identity
  const answer =
    decision.error === ErrorCode.NONE && producerId !== -1
      ? `${producerId}/${producerEpoch}`
      : errorName(decision.error)
  if (decision.kind === 'answered') return answer
  const { next } = decision
  return `${next.state} ${next.producerId}/${next.producerEpoch} last ${next.lastProducerEpoch} -> ${answer}`
}

describe('InitProducerId', () => {
  const decide = (now: Transaction | null, expected: string | null, changes = {}): string =>
    told(
      decideInitProducerId(
        {
          transactionalId: 't',
          timeoutMs: 1000,
          expected: expected === null ? null : identity(expected),
        },
        situation({ transaction: now, ...changes }),
      ),
    )

  it.each<[TransactionState, string | null, string]>([
    ['Empty', null, 'Empty 7/4 last -1 -> 7/4'],
    ['CompleteCommit', null, 'Empty 7/4 last -1 -> 7/4'],
    ['CompleteAbort', null, 'Empty 7/4 last -1 -> 7/4'],
    ['Ongoing', null, 'PrepareAbort 7/4 last 3 -> CONCURRENT_TRANSACTIONS'],
    ['PrepareCommit', null, 'CONCURRENT_TRANSACTIONS'],
    ['PrepareAbort', null, 'CONCURRENT_TRANSACTIONS'],
    // A producer that goes on after an error (KIP-360).
    ['Empty', '7/3', 'Empty 7/4 last 3 -> 7/4'],
    ['CompleteAbort', '7/3', 'Empty 7/4 last 3 -> 7/4'],
    ['Ongoing', '7/3', 'PrepareAbort 7/4 last 3 -> CONCURRENT_TRANSACTIONS'],
    ['PrepareAbort', '7/3', 'CONCURRENT_TRANSACTIONS'],
    // It asks again: the epoch has been bumped before.
    ['Empty', '7/2', 'Empty 7/3 last 2 -> 7/3'],
    ['Empty', '7/1', 'PRODUCER_FENCED'],
    ['Empty', '7/4', 'PRODUCER_FENCED'],
    ['Empty', '6/3', 'PRODUCER_FENCED'],
    ['Ongoing', '6/3', 'PRODUCER_FENCED'],
    ['PrepareCommit', '6/3', 'PRODUCER_FENCED'],
  ])('in %s of producer %s', (state, expected, outcome) => {
    expect(decide(transaction(state, { lastProducerEpoch: 2 }), expected)).toBe(outcome)
  })

  it('makes an id that nobody has used, whoever the producer believes to be', () => {
    expect(decide(null, null)).toBe('needs id')
    expect(decide(null, null, { newProducerId: 9 })).toBe('Empty 9/0 last -1 -> 9/0')
    expect(decide(null, '5/8', { newProducerId: 9 })).toBe('Empty 9/0 last -1 -> 9/0')
  })

  it('waits for a record that is not committed', () => {
    const changes = { isPending: true }
    expect(decide(transaction('Empty'), null, changes)).toBe('CONCURRENT_TRANSACTIONS')
    expect(decide(transaction('Empty'), '6/3', changes)).toBe('CONCURRENT_TRANSACTIONS')
  })

  it.each<[number, string | null, string]>([
    [32_765, null, 'Empty 7/32766 last -1 -> 7/32766'],
    [32_766, null, 'Empty 9/0 last -1 -> 9/0'],
    [32_767, null, 'Empty 9/0 last -1 -> 9/0'],
    [32_766, '7/32766', 'Empty 9/0 last 32766 -> 9/0'],
    [32_766, '7/32765', 'UNKNOWN_SERVER_ERROR'],
  ])('at epoch %i of producer %s', (producerEpoch, expected, outcome) => {
    const now = transaction('CompleteCommit', { producerEpoch })
    expect(decide(now, expected, { newProducerId: 9 })).toBe(outcome)
    const rotates = outcome.includes('9/0')
    expect(decide(now, expected)).toBe(rotates ? 'needs id' : outcome)
  })

  it('knows a producer that missed the change of producer ids', () => {
    const now = transaction('Empty', {
      producerId: 9,
      producerEpoch: 0,
      previousProducerId: 7,
      lastProducerEpoch: 32_766,
    })
    expect(decide(now, '7/32766')).toBe('Empty 9/0 last 32766 -> 9/0')
    expect(decide(now, '7/5')).toBe('PRODUCER_FENCED')
  })

  it('fences by a single bump under each level', () => {
    const now = transaction('Ongoing')
    const start = 'PrepareAbort 7/4'
    expect(decide(now, null, { level: 2 })).toBe(`${start} last 3 -> CONCURRENT_TRANSACTIONS`)
    expect(decide(now, null, { level: 1 })).toBe(`${start} last -1 -> CONCURRENT_TRANSACTIONS`)
    expect(decide(now, null, { level: 0 })).toBe(`${start} last -1 -> CONCURRENT_TRANSACTIONS`)
  })

  it('begins anew: time-out, partitions and start', () => {
    const request = { transactionalId: 't', timeoutMs: 1000, expected: null }
    const now = transaction('CompleteCommit')
    const decision = decideInitProducerId(request, situation({ transaction: now }))
    expect(decision).toMatchObject({
      next: { timeoutMs: 1000, startMs: -1, lastUpdateMs: NOW_MS, previousProducerId: 7 },
    })
  })
})

describe('AddPartitionsToTxn', () => {
  const decide = (now: Transaction | null, producer: string, partition = 1, changes = {}): string =>
    told(
      decideAddPartitions(
        { transactionalId: 't', ...identity(producer), partitions: [foo(partition)] },
        2,
        situation({ transaction: now, ...changes }),
      ),
    )

  it.each<[TransactionState, string, string]>([
    ['Empty', '7/3', 'Ongoing 7/3 last -1 -> NONE'],
    ['Ongoing', '7/3', 'Ongoing 7/3 last -1 -> NONE'],
    ['CompleteCommit', '7/3', 'Ongoing 7/3 last -1 -> NONE'],
    ['CompleteAbort', '7/3', 'Ongoing 7/3 last -1 -> NONE'],
    ['PrepareCommit', '7/3', 'CONCURRENT_TRANSACTIONS'],
    ['PrepareAbort', '7/3', 'CONCURRENT_TRANSACTIONS'],
    ['Ongoing', '7/2', 'PRODUCER_FENCED'],
    ['Ongoing', '7/4', 'PRODUCER_FENCED'],
    ['Ongoing', '8/3', 'INVALID_PRODUCER_ID_MAPPING'],
    ['PrepareCommit', '7/2', 'PRODUCER_FENCED'],
    ['PrepareCommit', '8/3', 'INVALID_PRODUCER_ID_MAPPING'],
  ])('in %s of producer %s', (state, producer, outcome) => {
    expect(decide(transaction(state), producer)).toBe(outcome)
  })

  it('writes nothing for partitions that are in, and nothing while a record is pending', () => {
    expect(decide(transaction('Ongoing'), '7/3', 0)).toBe('NONE')
    expect(decide(null, '7/3')).toBe('INVALID_PRODUCER_ID_MAPPING')
    const pending = { isPending: true }
    expect(decide(transaction('Ongoing'), '8/3', 1, pending)).toBe('CONCURRENT_TRANSACTIONS')
  })

  it('keeps the start of a transaction, and begins one at the first partition', () => {
    const add = (now: Transaction) =>
      decideAddPartitions(
        { transactionalId: 't', ...identity('7/3'), partitions: [foo(2), foo(1)] },
        0,
        situation({ transaction: now }),
      )
    expect(add(transaction('Ongoing'))).toMatchObject({ next: { startMs: STARTED_MS } })
    const decision = add(transaction('CompleteCommit'))
    expect(decision).toMatchObject({ next: { startMs: NOW_MS, clientVersion: 0 } })
    const partitions = decision.kind === 'written' ? decision.next.partitions.byTopic() : null
    expect(partitions).toEqual([{ topic: 'foo', partitions: [1, 2] }])
  })

  it.each<[TransactionState, string, string]>([
    ['Ongoing', '7/3', 'NONE TRANSACTION_ABORTABLE'],
    ['Empty', '7/3', 'TRANSACTION_ABORTABLE TRANSACTION_ABORTABLE'],
    ['PrepareAbort', '7/3', 'CONCURRENT_TRANSACTIONS CONCURRENT_TRANSACTIONS'],
    ['Ongoing', '7/2', 'PRODUCER_FENCED PRODUCER_FENCED'],
    ['Ongoing', '8/3', 'INVALID_PRODUCER_ID_MAPPING INVALID_PRODUCER_ID_MAPPING'],
  ])('verifies in %s for producer %s', (state, producer, outcome) => {
    const partitions = [foo(0), foo(1)]
    const request = { transactionalId: 't', ...identity(producer), partitions }
    const errors = verifyPartitions(request, transaction(state))
    expect([...errors.values()].map(errorName).join(' ')).toBe(outcome)
  })
})

describe('EndTxn of protocols 0 and 1', () => {
  it.each<[TransactionState, string, string, string]>([
    ['Ongoing', '7/3', 'PrepareCommit 7/3 last -1 -> NONE', 'PrepareAbort 7/3 last -1 -> NONE'],
    ['Empty', '7/3', 'INVALID_TXN_STATE', 'INVALID_TXN_STATE'],
    ['PrepareCommit', '7/3', 'CONCURRENT_TRANSACTIONS', 'INVALID_TXN_STATE'],
    ['PrepareAbort', '7/3', 'INVALID_TXN_STATE', 'CONCURRENT_TRANSACTIONS'],
    ['CompleteCommit', '7/3', 'NONE', 'INVALID_TXN_STATE'],
    ['CompleteAbort', '7/3', 'INVALID_TXN_STATE', 'NONE'],
    ['Ongoing', '7/2', 'PRODUCER_FENCED', 'PRODUCER_FENCED'],
    ['Ongoing', '7/4', 'PRODUCER_FENCED', 'PRODUCER_FENCED'],
    ['CompleteCommit', '7/2', 'PRODUCER_FENCED', 'PRODUCER_FENCED'],
    ['Ongoing', '8/3', 'INVALID_PRODUCER_ID_MAPPING', 'INVALID_PRODUCER_ID_MAPPING'],
  ])('in %s of producer %s', (state, producer, commit, abort) => {
    expect([true, false].map((isCommit) => end(state, producer, isCommit, 0))).toEqual([
      commit,
      abort,
    ])
  })
})

describe('EndTxn of protocol 2', () => {
  const ITS = 'INVALID_TXN_STATE'
  const PF = 'PRODUCER_FENCED'
  const AGAIN = 'CONCURRENT_TRANSACTIONS'
  const BUMPED = 'PrepareAbort 7/4 last 3 -> 7/4'

  it.each<[TransactionState, string, string, string]>([
    // The epoch of now is the next end, the one before is a retry.
    ['Ongoing', '7/3', 'PrepareCommit 7/4 last 3 -> 7/4', BUMPED],
    ['Ongoing', '7/2', PF, PF],
    ['Empty', '7/3', ITS, BUMPED],
    ['Empty', '7/2', PF, PF],
    ['CompleteAbort', '7/3', ITS, BUMPED],
    ['CompleteAbort', '7/2', ITS, '7/3'],
    ['CompleteCommit', '7/3', ITS, BUMPED],
    ['CompleteCommit', '7/2', '7/3', ITS],
    ['CompleteCommit', '7/1', PF, PF],
    ['PrepareCommit', '7/2', AGAIN, ITS],
    ['PrepareCommit', '7/3', PF, PF],
    ['PrepareAbort', '7/2', ITS, AGAIN],
    ['PrepareAbort', '7/3', PF, PF],
    ['Ongoing', '8/3', 'INVALID_PRODUCER_ID_MAPPING', 'INVALID_PRODUCER_ID_MAPPING'],
  ])('in %s of producer %s', (state, producer, commit, abort) => {
    expect([true, false].map((isCommit) => end(state, producer, isCommit, 2))).toEqual([
      commit,
      abort,
    ])
  })

  it('takes a new producer id when the epochs are used up', () => {
    const changes = { producerEpoch: 32_766 }
    expect(end('Ongoing', '7/32766', true, 2, changes)).toBe('needs id')
    expect(end('Ongoing', '7/32766', true, 2, changes, 9)).toBe(
      'PrepareCommit 7/32767 last 32766 -> 9/0',
    )
    expect(end('Empty', '7/32766', false, 2, changes, 9)).toBe(
      'PrepareAbort 7/32767 last 32766 -> 9/0',
    )
  })

  it('lets a producer abort that has the last epoch of all', () => {
    const changes = { producerEpoch: 32_767 }
    expect(end('Empty', '7/32767', false, 2, changes, 9)).toBe(
      'PrepareAbort 7/32767 last 32767 -> 9/0',
    )
  })

  it('begins and ends at once what has no partitions', () => {
    const decision = decideEnd(
      { transactionalId: 't', ...identity('7/3'), isCommit: false },
      2,
      situation({ transaction: transaction('Empty') }),
    )
    expect(decision).toMatchObject({ next: { startMs: NOW_MS, clientVersion: 2 } })
  })
})

describe('EndTxn', () => {
  it.each([0, 2] as const)(
    'of protocol %i for nobody, and while a record is pending',
    (version) => {
      const request = { transactionalId: 't', ...identity('7/3'), isCommit: true }
      expect(told(decideEnd(request, version, situation({})))).toBe('INVALID_PRODUCER_ID_MAPPING')
      const pending = situation({ transaction: transaction('Ongoing'), isPending: true })
      expect(told(decideEnd(request, version, pending))).toBe('CONCURRENT_TRANSACTIONS')
    },
  )
})

describe('protocol 2 under transaction.version 0', () => {
  it('is refused where a record would have to tell of it', () => {
    const now = situation({ transaction: transaction('Ongoing'), level: 0 })
    const request = { transactionalId: 't', ...identity('7/3') }
    expect(told(decideEnd({ ...request, isCommit: true }, 2, now))).toBe('UNSUPPORTED_VERSION')
    const added = { ...request, partitions: [foo(1)] }
    expect(told(decideAddPartitions(added, 2, now))).toBe('UNSUPPORTED_VERSION')
    expect(told(decideAddPartitions({ ...added, partitions: [foo(0)] }, 2, now))).toBe('NONE')
  })
})

describe('an abort of the coordinator', () => {
  it.each([
    [0, 3, null, 'PrepareAbort 7/4 last -1 -> NONE', 0],
    [1, 3, null, 'PrepareAbort 7/4 last -1 -> NONE', 0],
    [2, 3, null, 'PrepareAbort 7/4 last 3 -> NONE', 2],
    [1, 32_767, null, 'PrepareAbort 7/32767 last -1 -> NONE', 0],
    [2, 32_766, null, 'needs id', 2],
    [2, 32_766, 9, 'PrepareAbort 7/32767 last 32766 -> NONE', 2],
  ])('at level %i and epoch %i', (level, producerEpoch, newProducerId, outcome, clientVersion) => {
    const now = transaction('Ongoing', { producerEpoch })
    const decision = fenceAndAbort(now, situation({ level, newProducerId }), ErrorCode.NONE)
    expect(told(decision)).toBe(outcome)
    const by = decision.kind === 'written' ? decision.next.clientVersion : clientVersion
    expect(by).toBe(clientVersion)
  })
})

describe('completion', () => {
  it('keeps the producer, or takes the new id', () => {
    const prepared = transaction('PrepareCommit', { clientVersion: 2 })
    expect(completeEnd(prepared, NOW_MS)).toMatchObject({
      state: 'CompleteCommit',
      ...identity('7/3'),
      startMs: STARTED_MS,
      lastUpdateMs: NOW_MS,
    })
    const rotated = { ...prepared, producerEpoch: 32_767, nextProducerId: 9 }
    expect(completeEnd({ ...rotated, state: 'PrepareAbort' }, NOW_MS)).toMatchObject({
      state: 'CompleteAbort',
      ...identity('9/0'),
      previousProducerId: 7,
      nextProducerId: -1,
    })
  })

  it('comes after a decision only', () => {
    expect(() => completeEnd(transaction('Ongoing'), NOW_MS)).toThrow('Ongoing is not followed')
  })
})

describe('the states', () => {
  it('have the ids of Kafka', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8].map(stateOfId)).toEqual([
      'Empty',
      'Ongoing',
      'PrepareCommit',
      'PrepareAbort',
      'CompleteCommit',
      'CompleteAbort',
      'Dead',
      'PrepareEpochFence',
      null,
    ])
    expect(stateId('PrepareAbort')).toBe(3)
    expect(mayFollow('PrepareCommit', 'CompleteAbort')).toBe(false)
  })
})

function end(
  state: TransactionState,
  producer: string,
  isCommit: boolean,
  clientVersion: 0 | 2,
  changes: Partial<Transaction> = {},
  newProducerId: number | null = null,
): string {
  return told(
    decideEnd(
      { transactionalId: 't', ...identity(producer), isCommit },
      clientVersion,
      situation({ transaction: transaction(state, changes), newProducerId }),
    ),
  )
}
