// Goal: checks accept every history of a correct Kafka, and each kind of damage is found by the check that is meant
// to find it. Method: histories of a small model, whole and damaged in one place.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkHistory } from '../../../../../src/chaos/checks/index.ts'
import type { HistoryEntry } from '../../../../../src/chaos/history/history.ts'
import type {
  Operation,
  PollOperation,
  SendOperation,
} from '../../../../../src/chaos/history/operation.ts'
import type { InvariantId } from '../../../../../src/chaos/invariants.ts'
import { evidenceOf } from '../../../../support/chaos-history.ts'
import { ModelRun, MODEL_PLAN } from '../../../../support/chaos-model.ts'

type Entries = readonly HistoryEntry[]

/** The numbers of a seed; a model needs no better ones. */
function pickOf(seed: number): (limit: number) => number {
  let state = seed >>> 0
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

function entriesOf(seed: number): Entries {
  return new ModelRun(pickOf(seed)).run(150).script.history.entries
}

function broken(entries: Entries): readonly InvariantId[] {
  return checkHistory(evidenceOf(entries, { plan: MODEL_PLAN }))
    .filter(({ verdict }) => verdict === 'invalid')
    .map(({ invariant }) => invariant)
}

function withOperation(entry: HistoryEntry, operation: Operation): HistoryEntry {
  return { ...entry, operation }
}

function isPoll(
  entry: HistoryEntry,
  purpose: PollOperation['purpose'],
  atLeast = 1,
): entry is HistoryEntry & { operation: PollOperation } {
  const { operation } = entry
  return (
    operation.op === 'poll' &&
    operation.purpose === purpose &&
    (operation.records?.length ?? 0) >= atLeast
  )
}

function isAcked(entry: HistoryEntry): entry is HistoryEntry & { operation: SendOperation } {
  return (
    entry.operation.op === 'send' && entry.kind === 'ok' && entry.operation.expects === undefined
  )
}

/** Changes the records of one poll, the first that `change` does not answer with null. */
function damagePoll(
  purpose: PollOperation['purpose'],
  atLeast: number,
  change: (poll: PollOperation) => PollOperation,
): (entries: Entries) => Entries | null {
  return (entries) => {
    const at = entries.findIndex((entry) => isPoll(entry, purpose, atLeast))
    if (at === -1) return null
    return entries.map((entry, index) =>
      index === at ? withOperation(entry, change(entry.operation as PollOperation)) : entry,
    )
  }
}

function damageOne(
  find: (entry: HistoryEntry, entries: Entries) => boolean,
  change: (entry: HistoryEntry) => HistoryEntry,
): (entries: Entries) => Entries | null {
  return (entries) => {
    const at = entries.findIndex((entry) => find(entry, entries))
    return at === -1 ? null : entries.map((entry, index) => (index === at ? change(entry) : entry))
  }
}

/** Adds an entry, an invocation of its own, at the end. */
function adding(
  make: (entries: Entries) => (Partial<HistoryEntry> & { readonly operation: Operation }) | null,
): (entries: Entries) => Entries | null {
  return (entries) => {
    const more = make(entries)
    if (more === null) return null
    const last = entries.at(-1)!
    const index = entries.length
    return [...entries, { index, of: index, atMs: last.atMs, process: 'z', kind: 'ok', ...more }]
  }
}

/** The value of the first send of a kind. */
function valueOf(
  entries: Entries,
  kind: HistoryEntry['kind'],
  expects?: string,
): SendOperation | null {
  const found = entries.find(
    ({ kind: own, operation }) =>
      operation.op === 'send' && own === kind && operation.expects === expects,
  )
  return found === undefined ? null : (found.operation as SendOperation)
}

function lastReader(entries: Entries): (HistoryEntry & { operation: PollOperation }) | null {
  return entries.findLast((entry) => isPoll(entry, 'reader')) ?? null
}

function readOf(send: SendOperation, offset: number): PollOperation {
  const { topic, partition, value, key } = send
  return {
    op: 'poll',
    topic,
    partition,
    position: offset,
    isolation: 'read_uncommitted',
    isFirst: false,
    purpose: 'reader',
    records: [{ offset, value, key }],
  }
}

const DAMAGES: readonly {
  readonly name: string
  readonly by: InvariantId
  readonly damage: (entries: Entries) => Entries | null
}[] = [
  {
    name: 'an acknowledged record is not in the final log',
    by: 'D1',
    damage: (entries) => {
      const acked = entries.find(isAcked)
      if (acked === undefined) return null
      return entries.map((entry) =>
        isPoll(entry, 'final')
          ? withOperation(entry, {
              ...entry.operation,
              records: entry.operation.records!.filter(
                ({ value }) => value !== acked.operation.value,
              ),
            })
          : entry,
      )
    },
  },
  {
    name: 'a record that was read is not in the final log',
    by: 'D3',
    damage: damagePoll('final', 2, (poll) => ({ ...poll, records: poll.records!.slice(0, -1) })),
  },
  {
    name: 'a record is in the log twice',
    by: 'P1',
    damage: damagePoll('final', 1, (poll) => ({
      ...poll,
      records: [
        ...poll.records!,
        { ...poll.records![0]!, offset: poll.records!.at(-1)!.offset + 1 },
      ],
    })),
  },
  {
    name: 'two records have changed places',
    by: 'R3',
    damage: damagePoll('final', 6, (poll) => {
      const records = poll.records!.map((record, index, all) => ({
        ...all[all.length - 1 - index]!,
        offset: record.offset,
      }))
      return { ...poll, records }
    }),
  },
  {
    name: 'the log has another order than the sends',
    by: 'P5',
    damage: damagePoll('final', 6, (poll) => {
      const records = poll.records!.map((record, index, all) => ({
        ...all[all.length - 1 - index]!,
        offset: record.offset,
      }))
      return { ...poll, records }
    }),
  },
  {
    name: 'a record was sent by nobody',
    by: 'D2',
    damage: damagePoll('final', 1, (poll) => ({
      ...poll,
      records: [
        ...poll.records!,
        { offset: poll.records!.at(-1)!.offset + 1, value: 'ghost', key: null },
      ],
    })),
  },
  {
    name: 'a record has another key',
    by: 'D2',
    damage: damagePoll('reader', 1, (poll) => ({
      ...poll,
      records: poll.records!.map((record) => ({ ...record, key: 'other' })),
    })),
  },
  {
    name: 'a reader saw another record than the final log has',
    by: 'D3',
    damage: damagePoll('reader', 2, (poll) => ({
      ...poll,
      records: [...poll.records!].map((record, index, all) => ({
        ...all[all.length - 1 - index]!,
        offset: record.offset,
      })),
    })),
  },
  {
    name: 'a reader skipped a record',
    by: 'D5',
    damage: damagePoll('reader', 3, (poll) => ({
      ...poll,
      records: poll.records!.filter((_, index) => index !== 1),
    })),
  },
  {
    name: 'a reader went back',
    by: 'D5',
    damage: adding((entries) => {
      const last = lastReader(entries)
      return last === null
        ? null
        : { process: 'r', operation: { ...last.operation, isFirst: false } }
    }),
  },
  {
    name: 'a failed send was read',
    by: 'D4',
    damage: adding((entries) => {
      const failed = valueOf(entries, 'fail')
      return failed === null ? null : { operation: readOf(failed, 1000) }
    }),
  },
  {
    name: 'the latest offset went back',
    by: 'R11',
    damage: (entries) => {
      const at = entries.findLastIndex(
        ({ operation, kind }) =>
          operation.op === 'list-offsets' && kind === 'ok' && operation.offset! > 0,
      )
      if (at === -1) return null
      const { operation, process } = entries[at]!
      return adding(() => ({ process, operation: { ...operation, offset: 0 } as Operation }))(
        entries,
      )
    },
  },
  {
    name: 'a position was refused as out of range',
    by: 'R11',
    damage: adding((entries) => {
      const last = lastReader(entries)
      return last === null
        ? null
        : {
            kind: 'fail',
            operation: { ...last.operation, records: [], error: 'OFFSET_OUT_OF_RANGE' },
          }
    }),
  },
  {
    name: 'a later send has an earlier offset',
    by: 'R4',
    damage: (entries) => {
      const acked = entries.filter(isAcked).filter(({ operation }) => operation.partition === 0)
      const [first, last] = [acked[0], acked.at(-1)]
      if (first === undefined || last === undefined || entries[last.of]!.index < first.index)
        return null
      const swap = (entry: HistoryEntry, offset: number): HistoryEntry =>
        withOperation(entry, { ...entry.operation, offset } as Operation)
      return entries.map((entry) =>
        entry === first
          ? swap(entry, last.operation.offset!)
          : entry === last
            ? swap(entry, first.operation.offset!)
            : entry,
      )
    },
  },
  {
    name: 'two records were acknowledged at one offset',
    by: 'R3',
    damage: (entries) => {
      const acked = entries.filter(isAcked).filter(({ operation }) => operation.partition === 0)
      const [first, second] = acked
      if (first === undefined || second === undefined) return null
      return entries.map((entry) =>
        entry === second
          ? withOperation(entry, { ...second.operation, offset: first.operation.offset! })
          : entry,
      )
    },
  },
  {
    name: 'an acknowledged offset is not the real one',
    by: 'D6',
    damage: damageOne(isAcked, (entry) =>
      withOperation(entry, { ...entry.operation, offset: 4000 } as Operation),
    ),
  },
  {
    name: 'a repeat got another offset',
    by: 'D6',
    damage: damageOne(
      ({ operation, kind }) =>
        operation.op === 'send' && kind === 'ok' && operation.expects === 'duplicate',
      (entry) => withOperation(entry, { ...entry.operation, offset: 0.5 } as Operation),
    ),
  },
  {
    name: 'a repeat was called a gap',
    by: 'P2',
    damage: damageOne(
      ({ operation, kind }) =>
        operation.op === 'send' && kind === 'ok' && operation.expects === 'duplicate',
      (entry) => ({
        ...entry,
        kind: 'fail',
        operation: { ...entry.operation, error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' } as Operation,
      }),
    ),
  },
  {
    name: 'a gap was acknowledged',
    by: 'P2',
    damage: damageOne(
      ({ operation, kind }) =>
        operation.op === 'send' && kind === 'fail' && operation.expects === 'gap',
      (entry) => ({
        ...entry,
        kind: 'ok',
        operation: { ...entry.operation, offset: 7 } as Operation,
      }),
    ),
  },
  {
    name: 'an older epoch was read',
    by: 'P3',
    damage: adding((entries) => {
      const fenced = valueOf(entries, 'fail', 'fenced')
      return fenced === null ? null : { operation: readOf(fenced, 1000) }
    }),
  },
  {
    name: 'two members own a partition',
    by: 'G1',
    damage: damageOne(
      ({ operation }) =>
        operation.op === 'assigned' &&
        operation.member === 'g-2' &&
        operation.partitions.length < 2,
      (entry) => withOperation(entry, { ...entry.operation, partitions: [0, 1] } as Operation),
    ),
  },
  {
    name: 'a commit of an older generation was accepted',
    by: 'G3',
    damage: damageOne(
      ({ operation, kind }) => operation.op === 'commit' && kind === 'fail',
      (entry) => ({ ...entry, kind: 'ok' }),
    ),
  },
  {
    name: 'the committed offset went back',
    by: 'G4',
    damage: (entries) => {
      const last = entries.findLast(
        ({ operation, kind }) => operation.op === 'commit' && kind === 'ok',
      )
      if (last === undefined) return null
      return adding(() => ({
        process: 'g-1',
        operation: { op: 'committed', group: 'group', topic: 't-0', partition: 0, offset: -1 },
      }))(entries)
    },
  },
  {
    name: 'a refused commit took effect',
    by: 'G4',
    damage: (entries) => {
      if (!entries.some(({ operation, kind }) => operation.op === 'commit' && kind === 'ok'))
        return null
      return adding(() => ({
        process: 'g-1',
        operation: { op: 'committed', group: 'group', topic: 't-0', partition: 0, offset: 77_777 },
      }))(entries)
    },
  },
  {
    name: 'a record was never given to the group',
    by: 'G6',
    damage: (entries) => {
      const final = entries.find((entry) => isPoll(entry, 'final', 2))
      if (final === undefined) return null
      const { partition } = final.operation
      return entries.map((entry) =>
        isPoll(entry, 'group') && entry.operation.partition === partition
          ? withOperation(entry, {
              ...entry.operation,
              records: entry.operation.records!.filter(({ offset }) => offset !== 0),
            })
          : entry,
      )
    },
  },
  {
    name: 'a partition has no owner at the end',
    by: 'G9',
    damage: (entries) => {
      const generation = entries.reduce(
        (most, { operation }) =>
          operation.op === 'assigned' ? Math.max(most, operation.generation) : most,
        0,
      )
      return entries.map((entry) =>
        entry.operation.op === 'assigned' && entry.operation.generation === generation
          ? withOperation(entry, {
              ...entry.operation,
              partitions: entry.operation.partitions.filter((each) => each !== 1),
            })
          : entry,
      )
    },
  },
  {
    name: 'an operation was never answered',
    by: 'L3',
    damage: (entries) => entries.filter((_, index) => index !== entries.findIndex(isAcked)),
  },
  {
    name: 'a reader did not get to the end',
    by: 'L4',
    damage: (entries) => {
      const last = lastReader(entries)
      return last === null ? null : entries.filter((entry) => entry !== last)
    },
  },
]

describe('history checks', () => {
  it('accept every history of the model, and look at all of it', () => {
    const evaluated = new Map<string, number>()
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const entries = entriesOf(seed)
        for (const outcome of checkHistory(evidenceOf(entries, { plan: MODEL_PLAN }))) {
          expect(outcome).toMatchObject({ verdict: 'valid', violations: [] })
          evaluated.set(
            outcome.invariant,
            (evaluated.get(outcome.invariant) ?? 0) + outcome.evaluated,
          )
        }
      }),
      { numRuns: 60 },
    )
    const vacuous = [...evaluated]
      .filter(([, times]) => times === 0)
      .map(([invariant]) => invariant)
    expect(vacuous).toEqual(['C1', 'C2', 'C4', 'L5'])
  })

  for (const { name, by, damage } of DAMAGES) {
    it(`find that ${name} (${by})`, () => {
      let found = 0
      for (let seed = 1; seed <= 20; seed += 1) {
        const entries = damage(entriesOf(seed * 7919))
        if (entries === null) continue
        expect(broken(entries), `seed ${seed}`).toContain(by)
        found += 1
      }
      expect(found).toBeGreaterThan(5)
    })
  }
})
