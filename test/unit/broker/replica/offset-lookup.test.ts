import { describe, expect, it } from 'vitest'
import { lookUpEpoch } from '../../../../broker/replica/epoch-lookup.ts'
import { lookUpOffset, type ListOffsetsInput } from '../../../../broker/replica/offset-lookup.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { writeBatch } from '../../../../src/wire/record-batch.ts'
import { PartitionBench, TOPIC } from '../../../support/replica-partition.ts'

const BASE_MS = 1_700_000_000_000

function recordAt(timestampMs: number): Buffer {
  return writeBatch({ records: [{ key: null, value: Buffer.from('v'), timestampMs }], timestampMs })
}

/** Records at +10, +30, +20 ms; the first two are committed. */
function leaderOfThree(): PartitionBench {
  const bench = new PartitionBench()
  bench.lead({ leaderEpoch: 4, isr: [1, 2] })
  for (const delta of [10, 30, 20]) {
    bench.partition.appendAsLeader(recordAt(BASE_MS + delta), 1, 'client')
  }
  bench.fetched(2, 2)
  return bench
}

function look(
  bench: PartitionBench,
  timestamp: number,
  input: Partial<ListOffsetsInput> & { currentLeaderEpoch?: number } = {},
) {
  const { currentLeaderEpoch = -1, ...rest } = input
  const entry = { topic: TOPIC, partition: 0, currentLeaderEpoch, timestamp }
  return lookUpOffset(bench.partition, entry, {
    replicaId: -1,
    isolationLevel: 0,
    version: 11,
    ...rest,
  })
}

describe('lookUpOffset', () => {
  it('answers latest with the end of what the asker may see', () => {
    const bench = leaderOfThree()
    const latest = { error: 0, offset: 2, timestamp: -1, leaderEpoch: 4 }
    expect(look(bench, -1)).toMatchObject(latest)
    expect(look(bench, -1, { isolationLevel: 1 })).toMatchObject(latest)
    expect(look(bench, -1, { replicaId: 2 })).toMatchObject({ offset: 3 })
    expect(look(bench, -1, { replicaId: -2 })).toMatchObject({ offset: 3 })
  })

  it('answers earliest with the log start', () => {
    const bench = leaderOfThree()
    expect(look(bench, -2)).toMatchObject({ error: 0, offset: 0, timestamp: -1, leaderEpoch: 4 })
    bench.partition.log.incrementLogStartOffset(1)
    expect(look(bench, -2)).toMatchObject({ offset: 1 })
    expect(look(bench, -4)).toMatchObject({ offset: 1 })
  })

  it('finds the first record at or after a time, as far as it may be fetched', () => {
    const bench = leaderOfThree()
    expect(look(bench, BASE_MS)).toMatchObject({ offset: 0, timestamp: BASE_MS + 10 })
    expect(look(bench, BASE_MS + 11)).toMatchObject({ offset: 1, timestamp: BASE_MS + 30 })
    expect(look(bench, BASE_MS + 31)).toMatchObject({ error: 0, offset: -1, timestamp: -1 })
  })

  it('finds the largest timestamp', () => {
    const bench = leaderOfThree()
    expect(look(bench, -3)).toMatchObject({ offset: 1, timestamp: BASE_MS + 30 })
    const empty = new PartitionBench()
    empty.lead()
    expect(look(empty, -3)).toMatchObject({ error: 0, offset: -1, timestamp: -1 })
  })

  it('takes the first record for the one with the largest timestamp where none has one', () => {
    const bench = new PartitionBench()
    bench.lead({ leaderEpoch: 4, isr: [1] })
    expect(look(bench, -3)).toMatchObject({ error: 0, offset: -1, timestamp: -1 })
    bench.partition.appendAsLeader(recordAt(-1), 1, 'client')
    expect(look(bench, -3)).toMatchObject({ error: 0, offset: 0, timestamp: -1, leaderEpoch: 4 })
  })

  it('is an unexpected error with an isolation level that does not exist', () => {
    const error = ErrorCode.UNKNOWN_SERVER_ERROR
    expect(look(leaderOfThree(), -1, { isolationLevel: 2 })).toMatchObject({ error, offset: -1 })
  })

  it('has nothing in a tier that does not exist', () => {
    const bench = leaderOfThree()
    expect(look(bench, -5)).toMatchObject({ error: 0, offset: -1 })
    expect(look(bench, -6)).toMatchObject({ error: 0, offset: -1 })
  })

  it.each([
    [-3, 6],
    [-4, 7],
    [-5, 8],
    [-6, 10],
    [-7, 11],
  ])('refuses timestamp %i in version %i', (timestamp, version) => {
    const bench = leaderOfThree()
    expect(look(bench, timestamp, { version }).error).toBe(ErrorCode.UNSUPPORTED_VERSION)
  })

  it('does not say latest until the high watermark has reached its epoch (KIP-207)', () => {
    const bench = leaderOfThree()
    bench.lead({ leaderEpoch: 5, isr: [1, 2], partitionEpoch: 2 })
    expect(look(bench, -1).error).toBe(ErrorCode.OFFSET_NOT_AVAILABLE)
    expect(look(bench, -1, { version: 4 }).error).toBe(ErrorCode.LEADER_NOT_AVAILABLE)
    expect(look(bench, BASE_MS + 31).error).toBe(ErrorCode.OFFSET_NOT_AVAILABLE)
    expect(look(bench, BASE_MS)).toMatchObject({ error: 0, offset: 0 })
    expect(look(bench, -2)).toMatchObject({ error: 0, offset: 0 })
    expect(look(bench, -1, { replicaId: 2 })).toMatchObject({ error: 0, offset: 3 })
    bench.fetched(2, 3)
    expect(look(bench, -1)).toMatchObject({ error: 0, offset: 3 })
  })

  it('checks epochs and the role as Fetch does', () => {
    const bench = leaderOfThree()
    expect(look(bench, -1, { currentLeaderEpoch: 3 }).error).toBe(ErrorCode.FENCED_LEADER_EPOCH)
    expect(look(bench, -1, { currentLeaderEpoch: 5 }).error).toBe(ErrorCode.UNKNOWN_LEADER_EPOCH)
    bench.follow({ leaderEpoch: 5, partitionEpoch: 5 })
    expect(look(bench, -1).error).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    expect(look(bench, -1, { replicaId: -2 }).error).toBe(ErrorCode.NONE)
  })
})

describe('lookUpEpoch', () => {
  it('answers with the largest epoch not above the one asked about and its end', () => {
    const bench = leaderOfThree()
    bench.lead({ leaderEpoch: 7, isr: [1, 2], partitionEpoch: 2 })
    bench.append('d')
    const ask = (leaderEpoch: number, currentLeaderEpoch = -1) =>
      lookUpEpoch(bench.partition, { topic: TOPIC, partition: 0, currentLeaderEpoch, leaderEpoch })
    expect(ask(7)).toMatchObject({ error: 0, leaderEpoch: 7, endOffset: 4 })
    expect(ask(4)).toMatchObject({ leaderEpoch: 4, endOffset: 3 })
    expect(ask(5)).toMatchObject({ leaderEpoch: 4, endOffset: 3 })
    expect(ask(8)).toMatchObject({ error: 0, leaderEpoch: -1, endOffset: -1 })
    expect(ask(3)).toMatchObject({ leaderEpoch: 3, endOffset: 0 })
    expect(ask(4, 6).error).toBe(ErrorCode.FENCED_LEADER_EPOCH)
    expect(ask(4, 8).error).toBe(ErrorCode.UNKNOWN_LEADER_EPOCH)
  })

  it('is answered by the leader only', () => {
    const bench = new PartitionBench()
    bench.follow()
    const entry = { topic: TOPIC, partition: 0, currentLeaderEpoch: -1, leaderEpoch: 1 }
    expect(lookUpEpoch(bench.partition, entry)).toMatchObject({
      error: ErrorCode.NOT_LEADER_OR_FOLLOWER,
      leaderEpoch: -1,
      endOffset: -1,
    })
  })
})
