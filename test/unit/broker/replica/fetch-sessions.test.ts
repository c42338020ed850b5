import { describe, expect, it } from 'vitest'
import {
  fetchFailure,
  type FetchEntry,
  type FetchPartitionResult,
} from '../../../../broker/replica/fetch-result.ts'
import { nextSessionEpoch } from '../../../../broker/replica/fetch-session.ts'
import {
  FetchSessions,
  SESSION_EVICTION_MS,
  type FetchContext,
  type FetchSessionAnswer,
  type FetchSessionRequest,
} from '../../../../broker/replica/fetch-sessions.ts'
import { ZERO_UUID } from '../../../../src/base/uuid.ts'
import type { Clock } from '../../../../src/ports/clock.ts'
import { SimRandom } from '../../../../src/sim/sim-random.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { fetchEntryOf } from '../../../support/replica-cluster.ts'

type Told = Partial<FetchPartitionResult>

class Bench {
  nowMs = 0
  slots = 3
  readonly sessions = new FetchSessions({
    clock: { monoMs: () => this.nowMs } as Clock,
    random: SimRandom.ofSeed(4),
    maxSessions: () => this.slots,
  })

  open(request: Partial<FetchSessionRequest>): FetchContext | ErrorCode {
    return this.sessions.open({
      sessionId: 0,
      sessionEpoch: 0,
      isFollower: false,
      usesTopicIds: false,
      wanted: [],
      forgotten: [],
      ...request,
    })
  }

  /** Opens and answers; `told` by topic. */
  ask(
    request: Partial<FetchSessionRequest>,
    told: Readonly<Record<string, Told>> = {},
  ): FetchSessionAnswer {
    const context = this.open(request)
    if (typeof context === 'number') return { error: context, sessionId: 0, results: [] }
    return context.answer(
      context.partitions,
      context.partitions.map(({ entry }) => resultOf(entry, told[entry.topic])),
    )
  }

  /** A new session of `count` partitions; its id. */
  create(count: number, isFollower = false): number {
    const wanted = Array.from({ length: count }, (_, partition) => want('t', { partition }))
    return this.ask({ isFollower, wanted }).sessionId
  }

  has(sessionId: number): boolean {
    return this.open({ sessionId, sessionEpoch: 99 }) !== ErrorCode.FETCH_SESSION_ID_NOT_FOUND
  }
}

function want(topic: string, change: Partial<FetchEntry> = {}): FetchEntry {
  return fetchEntryOf({ topic, topicId: ZERO_UUID, fetchOffset: 0, ...change })
}

function resultOf(entry: FetchEntry, told: Told = {}): FetchPartitionResult {
  const empty = { ...fetchFailure(entry, ErrorCode.NONE), highWatermark: 5, logStartOffset: 0 }
  return { ...empty, ...told }
}

function topicsOf({ results }: FetchSessionAnswer): readonly string[] {
  return results.map(({ topic }) => topic)
}

const RECORDS = { records: Buffer.from('x') }

describe('FetchSessions', () => {
  it('answers a session only with what is news', () => {
    const bench = new Bench()
    const { sessionId, results } = bench.ask({ wanted: [want('a'), want('b'), want('c')] })
    expect(results).toHaveLength(3)
    const step = (sessionEpoch: number, told: Readonly<Record<string, Told>>) =>
      topicsOf(bench.ask({ sessionId, sessionEpoch }, told))
    expect(step(1, {})).toEqual([])
    expect(step(2, { b: { highWatermark: 6 } })).toEqual(['b'])
    expect(step(3, { b: { highWatermark: 6 }, c: { logStartOffset: 1 } })).toEqual(['c'])
    const still = { b: { highWatermark: 6 }, c: { logStartOffset: 1 } }
    expect(step(4, { ...still, a: { preferredReadReplica: 2 } })).toEqual(['a'])
    expect(step(5, { ...still, a: { divergingEpoch: { epoch: 1, endOffset: 2 } } })).toEqual(['a'])
    // After a divergence it is told again even without a change.
    expect(step(6, still)).toEqual(['a'])
    expect(step(7, still)).toEqual([])
  })

  it('tells an error each time, and the partition once it is gone', () => {
    const bench = new Bench()
    const { sessionId } = bench.ask({ wanted: [want('a')] })
    const error = { a: { error: ErrorCode.NOT_LEADER_OR_FOLLOWER, highWatermark: -1 } }
    expect(topicsOf(bench.ask({ sessionId, sessionEpoch: 1 }, error))).toEqual(['a'])
    expect(topicsOf(bench.ask({ sessionId, sessionEpoch: 2 }, error))).toEqual(['a'])
    expect(topicsOf(bench.ask({ sessionId, sessionEpoch: 3 }))).toEqual(['a'])
    expect(topicsOf(bench.ask({ sessionId, sessionEpoch: 4 }))).toEqual([])
  })

  it('reads what gave records last, and keeps the place of what is changed', () => {
    const bench = new Bench()
    const { sessionId } = bench.ask({ wanted: [want('a'), want('b'), want('c')] })
    bench.ask({ sessionId, sessionEpoch: 1 }, { a: RECORDS, c: { highWatermark: 6 } })
    const wanted = [want('c', { fetchOffset: 7 }), want('d')]
    const context = bench.open({ sessionId, sessionEpoch: 2, wanted })
    if (typeof context === 'number') throw new Error(`refused with ${context}`)
    expect(context.partitions.map(({ entry }) => entry.topic)).toEqual(['b', 'c', 'a', 'd'])
    expect(context.partitions[1]!.entry.fetchOffset).toBe(7)
  })

  it('forgets, and ends a session without partitions', () => {
    const bench = new Bench()
    const { sessionId } = bench.ask({ wanted: [want('a'), want('b')] })
    const forget = (topic: string) => ({ topic, topicId: ZERO_UUID, partition: 0 })
    const one = bench.ask({ sessionId, sessionEpoch: 1, forgotten: [forget('a')] }, { b: RECORDS })
    expect(topicsOf(one)).toEqual(['b'])
    const none = bench.ask({ sessionId, sessionEpoch: 2, forgotten: [forget('b')] })
    expect(none).toEqual({ error: ErrorCode.NONE, sessionId: 0, results: [] })
    expect(bench.sessions.size).toBe(0)
  })

  it('takes a topic with another id for another one', () => {
    const bench = new Bench()
    const old = 'OldAAAAAAAAAAAAAAAAAAA'
    const anew = 'NewAAAAAAAAAAAAAAAAAAA'
    const wanted = [want('a', { topicId: old })]
    const { sessionId } = bench.ask({ usesTopicIds: true, wanted })
    const context = bench.open({
      sessionId,
      sessionEpoch: 1,
      usesTopicIds: true,
      wanted: [want('a', { topicId: anew })],
      forgotten: [{ topic: '', topicId: old, partition: 0 }],
    })
    if (typeof context === 'number') throw new Error(`refused with ${context}`)
    expect(context.partitions.map(({ entry }) => entry.topicId)).toEqual([anew])
  })

  it('refuses what it does not know, an unexpected epoch, and ids in a session of names', () => {
    const bench = new Bench()
    expect(bench.open({ sessionId: 9, sessionEpoch: 1 })).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    expect(bench.open({ sessionId: 0, sessionEpoch: 1 })).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    const sessionId = bench.create(1)
    expect(bench.open({ sessionId, sessionEpoch: 2 })).toBe(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    expect(bench.open({ sessionId, sessionEpoch: 1, usesTopicIds: true })).toBe(
      ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR,
    )
    expect(bench.ask({ sessionId, sessionEpoch: 1 }).error).toBe(ErrorCode.NONE)
  })

  it('does not answer for a request that another of its session has overtaken', () => {
    const bench = new Bench()
    const sessionId = bench.create(1)
    const slow = bench.open({ sessionId, sessionEpoch: 1 })
    bench.ask({ sessionId, sessionEpoch: 2 })
    if (typeof slow === 'number') throw new Error(`refused with ${slow}`)
    expect(slow.answer(slow.partitions, [])).toEqual({
      error: ErrorCode.INVALID_FETCH_SESSION_EPOCH,
      sessionId,
      results: [],
    })
  })

  it('ends a session with epoch -1, and replaces it with epoch 0', () => {
    const bench = new Bench()
    const first = bench.create(1)
    const second = bench.ask({ sessionId: first, wanted: [want('a')] }).sessionId
    expect([bench.has(first), bench.has(second), first === second]).toEqual([false, true, false])
    const last = bench.ask({ sessionId: second, sessionEpoch: -1, wanted: [want('a')] })
    expect([last.sessionId, last.results.length, bench.sessions.size]).toEqual([0, 1, 0])
  })

  it('goes on with 1 after epoch 2147483647', () => {
    expect([2_147_483_646, 2_147_483_647].map(nextSessionEpoch)).toEqual([2_147_483_647, 1])
  })
})

describe('a full session cache', () => {
  it('has no place for another while all are in use', () => {
    const bench = new Bench()
    const kept = [bench.create(1), bench.create(1), bench.create(1)]
    expect(bench.create(5)).toBe(0)
    expect(kept.every((id) => bench.has(id))).toBe(true)
    const none = new Bench()
    none.slots = 0
    expect(none.create(1)).toBe(0)
  })

  it('gives up the session that was idle longest, after two minutes', () => {
    const bench = new Bench()
    const first = bench.create(9, true)
    const second = bench.create(1)
    bench.create(1)
    bench.nowMs = 10
    bench.ask({ sessionId: first, sessionEpoch: 1 })
    bench.nowMs = SESSION_EVICTION_MS
    expect(bench.create(1)).toBe(0)
    bench.nowMs += 1
    expect(bench.create(1)).toBeGreaterThan(0)
    expect([bench.has(first), bench.has(second)]).toEqual([true, false])
  })

  it('gives up an old smaller session for a larger one, and never a follower for a consumer', () => {
    const bench = new Bench()
    const ids = [bench.create(4), bench.create(2), bench.create(1, true)]
    bench.nowMs = SESSION_EVICTION_MS + 1
    for (const sessionId of ids) bench.ask({ sessionId, sessionEpoch: 1 })
    expect(bench.create(2)).toBe(0)
    expect(bench.create(3)).toBeGreaterThan(0)
    expect(ids.map((id) => bench.has(id))).toEqual([true, false, true])
    const other = new Bench()
    other.slots = 1
    const follower = other.create(1, true)
    other.nowMs = SESSION_EVICTION_MS + 1
    other.ask({ sessionId: follower, sessionEpoch: 1 })
    expect(other.create(100)).toBe(0)
  })

  it('makes place for a follower at once, at the cost of the smallest other', () => {
    const bench = new Bench()
    const ids = [bench.create(4), bench.create(2), bench.create(1, true)]
    expect(bench.create(1, true)).toBeGreaterThan(0)
    expect(ids.map((id) => bench.has(id))).toEqual([true, false, true])
  })
})
