import { describe, expect, it } from 'vitest'
import type { FetchInput, FetchPartitionResult } from '../../../../broker/replica/fetch-result.ts'
import { FetchService } from '../../../../broker/replica/fetch-service.ts'
import { DiskError } from '../../../../src/base/errors.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { batchOf, fetchEntryOf, fetchInputOf } from '../../../support/replica-cluster.ts'
import { PartitionBench, TOPIC } from '../../../support/replica-partition.ts'

const BATCH_BYTES = batchOf('v').length

interface Answer {
  results: readonly FetchPartitionResult[] | null
  count: number
}

interface SetUp {
  readonly bench: PartitionBench
  readonly service: FetchService
  readonly failures: Error[]
  readonly fetch: (
    offset: number,
    options?: Partial<FetchInput>,
    topics?: readonly string[],
  ) => Answer
  /** Appends and commits a record, and lets the service look. */
  readonly commit: () => void
}

/** Broker 1 leads and is alone in sync; topic `other` has the same partition behind it. */
function setUp(maxBytes = 10_000_000): SetUp {
  const bench = new PartitionBench()
  bench.lead({ isr: [1] })
  const failures: Error[] = []
  const service = new FetchService({
    clock: bench.world.node('broker-1').ports.clock,
    maxBytes,
    find: ({ topic }) =>
      topic === TOPIC || topic === 'other'
        ? { partition: bench.partition, error: ErrorCode.NONE }
        : { partition: null, error: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
    selector: null,
    onStorageFailure: (_partition, error) => failures.push(error),
  })
  return {
    bench,
    service,
    failures,
    fetch(offset, options = {}, topics = [TOPIC]) {
      const holder: Answer = { results: null, count: 0 }
      const entries = topics.map((topic) => fetchEntryOf({ topic, fetchOffset: offset }))
      service.fetch(fetchInputOf(entries, { maxWaitMs: 500, ...options }), (results) => {
        holder.results = results
        holder.count += 1
      })
      return holder
    },
    commit() {
      bench.append('v')
      service.check(bench.partition.key)
    },
  }
}

function bytesOf(answer: Answer): readonly number[] {
  return answer.results!.map(({ records }) => records.length)
}

describe('FetchService', () => {
  it('answers at once when there is enough', () => {
    const { fetch, commit } = setUp()
    commit()
    expect(bytesOf(fetch(0))).toEqual([BATCH_BYTES])
  })

  it('waits for a first byte and gives it as soon as it is committed', () => {
    const { bench, fetch, commit, service } = setUp()
    const answer = fetch(0)
    expect(answer.count).toBe(0)
    commit()
    expect(bytesOf(answer)).toEqual([BATCH_BYTES])
    bench.world.runFor(1000)
    expect(answer.count).toBe(1)
    expect(service.waitingCount).toBe(0)
  })

  it('answers with what there is when the wait is over', () => {
    const { bench, fetch, commit } = setUp()
    commit()
    const answer = fetch(0, { minBytes: 10_000 })
    bench.world.runFor(499)
    expect(answer.count).toBe(0)
    bench.world.runFor(2)
    expect(bytesOf(answer)).toEqual([BATCH_BYTES])
  })

  it('counts the bytes that come one by one up to min bytes', () => {
    const { fetch, commit } = setUp()
    commit()
    const answer = fetch(0, { minBytes: BATCH_BYTES * 3 })
    commit()
    expect(answer.count).toBe(0)
    commit()
    expect(bytesOf(answer)).toEqual([BATCH_BYTES * 3])
  })

  it('does not wait for more when a read stops at the end of a segment', () => {
    const { bench, fetch, commit } = setUp()
    const config = bench.config(1)
    bench.partition.configure({ ...config, log: { ...config.log, segmentBytes: BATCH_BYTES * 2 } })
    const waiting = fetch(0, { minBytes: 10_000 })
    commit()
    commit()
    expect(waiting.count).toBe(0)
    commit()
    expect(bytesOf(waiting)).toEqual([BATCH_BYTES * 2])
    expect(bytesOf(fetch(0, { minBytes: 10_000 }))).toEqual([BATCH_BYTES * 2])
  })

  it('takes no more min bytes than max bytes, which would never come', () => {
    const { fetch, commit } = setUp(BATCH_BYTES)
    commit()
    expect(fetch(0, { minBytes: 1_000_000 }).count).toBe(1)
  })

  it('does not wait without a time, without partitions, or with an error among them', () => {
    const { fetch, commit } = setUp()
    expect(fetch(0, { maxWaitMs: 0 }).count).toBe(1)
    expect(fetch(0, {}, []).results).toEqual([])
    commit()
    const mixed = fetch(0, { minBytes: 10_000 }, [TOPIC, 'nothing'])
    expect(mixed.results).toMatchObject([
      { error: ErrorCode.NONE },
      { error: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, highWatermark: -1 },
    ])
  })

  it('gives the first batch whatever the limit, then keeps it', () => {
    const { fetch, commit } = setUp()
    commit()
    commit()
    expect(bytesOf(fetch(0, { maxBytes: 1 }, [TOPIC, 'other']))).toEqual([BATCH_BYTES, 0])
    expect(bytesOf(fetch(0, { maxBytes: BATCH_BYTES * 3 }, [TOPIC, 'other']))).toEqual([
      BATCH_BYTES * 2,
      BATCH_BYTES,
    ])
  })

  it('wakes when leadership is lost, the epoch changes, or the position is cut away', () => {
    const { bench, fetch, service, commit } = setUp()
    commit()
    const waiting = fetch(1)
    bench.lead({ isr: [1], leaderEpoch: 2, partitionEpoch: 2 })
    service.check(bench.partition.key)
    expect(waiting.results).toMatchObject([{ error: ErrorCode.NONE }])
    const again = fetch(1, { version: 10 })
    bench.follow({ leaderEpoch: 3, partitionEpoch: 3 })
    service.check(bench.partition.key)
    expect(again.results).toMatchObject([{ error: ErrorCode.NOT_LEADER_OR_FOLLOWER }])
    const fromFollower = fetch(1)
    bench.partition.truncateTo(0, 'test')
    service.check(bench.partition.key)
    expect(fromFollower.results).toMatchObject([{ error: ErrorCode.OFFSET_OUT_OF_RANGE }])
  })

  it('wakes a follower for what is appended and a consumer for what is committed only', () => {
    const { bench, fetch, service } = setUp()
    bench.lead({ isr: [1, 2], partitionEpoch: 2 })
    const follower = fetch(0, { replicaId: 2, replicaEpoch: 102 })
    const consumer = fetch(0)
    bench.append('v')
    service.check(bench.partition.key)
    expect([follower.count, consumer.count]).toEqual([1, 0])
    bench.fetched(2, 1)
    service.check(bench.partition.key)
    expect(consumer.count).toBe(1)
  })

  it('answers at once when logs part', () => {
    const { bench, service, commit } = setUp()
    commit()
    bench.lead({ isr: [1], leaderEpoch: 2, partitionEpoch: 2 })
    const entries = [fetchEntryOf({ topic: TOPIC, fetchOffset: 3, lastFetchedEpoch: 1 })]
    let results: readonly FetchPartitionResult[] = []
    const input = fetchInputOf(entries, { maxWaitMs: 500, replicaId: 2, replicaEpoch: 102 })
    service.fetch(input, (given) => {
      results = given
    })
    expect(results).toMatchObject([{ error: 0, divergingEpoch: { epoch: 1, endOffset: 1 } }])
  })

  it('reports a disk that cannot be read', () => {
    const { bench, fetch, commit, failures } = setUp()
    commit()
    bench.partition.log.read = () => {
      throw new DiskError('EIO', 'no')
    }
    expect(fetch(0).results).toMatchObject([{ error: ErrorCode.KAFKA_STORAGE_ERROR }])
    expect(failures).toHaveLength(1)
  })

  it.each([0, 1])(
    'reports damaged bytes, and does not read past them (isolation level %i)',
    (isolationLevel) => {
      const { bench, fetch, commit, failures } = setUp()
      commit()
      bench.world.node('broker-1').disk.loseNextAppend()
      commit()
      const answer = fetch(0, { isolationLevel })
      expect(answer.results).toMatchObject([{ error: ErrorCode.KAFKA_STORAGE_ERROR }])
      expect(failures).toHaveLength(1)
    },
  )

  it('answers all that waits when it closes', () => {
    const { fetch, service } = setUp()
    const answer = fetch(0)
    service.close()
    expect(answer.count).toBe(1)
    expect(fetch(0).count).toBe(1)
  })
})
