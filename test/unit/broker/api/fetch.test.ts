import { describe, expect, it } from 'vitest'
import { fetchHandler } from '../../../../broker/api/01-fetch.ts'
import type { FetchPartitionResult } from '../../../../broker/replica/fetch-result.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { ApiWorld, TOPIC_ID } from '../../../support/api-world.ts'

function worldOf(error: ErrorCode): ApiWorld {
  const result: FetchPartitionResult = {
    topic: 't',
    topicId: TOPIC_ID,
    partition: 0,
    error,
    highWatermark: 6,
    lastStableOffset: 6,
    logStartOffset: 2,
    records: Buffer.alloc(0),
    abortedTransactions: null,
    preferredReadReplica: -1,
    currentLeader: { leaderId: 2, leaderEpoch: 4 },
    divergingEpoch: null,
  }
  const replicas = {
    fetch: (_request: unknown, respond: (results: readonly FetchPartitionResult[]) => void) =>
      respond([result]),
  }
  return new ApiWorld({ services: { replicas: replicas as never } })
    .broker(1)
    .broker(2)
    .topic('t', 1, [1])
}

function fetch(error: ErrorCode, version: number) {
  const topic = version >= 13 ? { topicId: TOPIC_ID } : { topic: 't' }
  const topics = [{ ...topic, partitions: [{ partition: 0, fetchOffset: 9 }] }]
  return worldOf(error).ask(fetchHandler, version, { topics })
}

describe('Fetch', () => {
  it.each([4, 12, 13, 18])(
    "v%i tells the log's bounds beside data and not beside an error",
    (version) => {
      expect(fetch(ErrorCode.NONE, version).responses[0]!.partitions[0]).toMatchObject({
        errorCode: 0,
        highWatermark: 6,
        lastStableOffset: 6,
        logStartOffset: version >= 5 ? 2 : -1,
      })
      const error = ErrorCode.OFFSET_OUT_OF_RANGE
      expect(fetch(error, version).responses[0]!.partitions[0]).toMatchObject({
        errorCode: error,
        highWatermark: -1,
        lastStableOffset: -1,
        logStartOffset: -1,
      })
    },
  )

  it('tells who leads instead, and where that broker listens from version 16 on (KIP-951)', () => {
    const error = ErrorCode.NOT_LEADER_OR_FOLLOWER
    const answer = fetch(error, 16)
    expect(answer.responses[0]!.partitions[0]!.currentLeader).toEqual({
      leaderId: 2,
      leaderEpoch: 4,
    })
    expect(answer.nodeEndpoints).toEqual([{ nodeId: 2, host: 'b2', port: 9002, rack: null }])
    expect(fetch(error, 15).nodeEndpoints).toEqual([])
    expect(fetch(error, 15).responses[0]!.partitions[0]!.currentLeader.leaderId).toBe(-1)
  })

  it('refuses what it does not know by name, and by id from version 13 on', () => {
    const partitions = [{ partition: 3, fetchOffset: 0 }]
    const byName = worldOf(0).ask(fetchHandler, 12, { topics: [{ topic: 'nope', partitions }] })
    expect(byName.responses.at(-1)!.partitions[0]).toMatchObject({
      partitionIndex: 3,
      errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    })
    const topicId = 'UnknownIdAAAAAAAAAAAAA'
    const byId = worldOf(0).ask(fetchHandler, 13, { topics: [{ topicId, partitions }] })
    expect(byId.responses.at(-1)).toMatchObject({
      topicId,
      partitions: [{ errorCode: ErrorCode.UNKNOWN_TOPIC_ID }],
    })
  })

  it('gives a session, tells in it only what is news, and refuses what does not fit it (KIP-227)', () => {
    const world = worldOf(ErrorCode.NONE)
    const topics = [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 9 }] }]
    const full = world.ask(fetchHandler, 12, { sessionId: 0, sessionEpoch: 0, topics })
    expect(full.sessionId).toBeGreaterThan(0)
    expect(full.responses).toHaveLength(1)
    const { sessionId } = full
    const next = world.ask(fetchHandler, 12, { sessionId, sessionEpoch: 1 })
    expect([next.errorCode, next.sessionId, next.responses]).toEqual([0, sessionId, []])
    const late = world.ask(fetchHandler, 12, { sessionId, sessionEpoch: 1 })
    expect(late).toMatchObject({
      errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH,
      sessionId: 0,
      responses: [],
    })
    expect(world.ask(fetchHandler, 13, { sessionId, sessionEpoch: 2 }).errorCode).toBe(
      ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR,
    )
    expect(world.ask(fetchHandler, 12, { sessionId, sessionEpoch: -1, topics }).sessionId).toBe(0)
    expect(world.ask(fetchHandler, 12, { sessionId, sessionEpoch: 2 }).errorCode).toBe(
      ErrorCode.FETCH_SESSION_ID_NOT_FOUND,
    )
  })

  it('keeps an unknown topic in a session, and serves it once it is there', () => {
    const world = worldOf(ErrorCode.NONE)
    const topics = [{ topic: 'new', partitions: [{ partition: 0, fetchOffset: 0 }] }]
    const full = world.ask(fetchHandler, 12, { sessionId: 0, sessionEpoch: 0, topics })
    const { sessionId } = full
    expect(full.responses[0]!.partitions[0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const again = world.ask(fetchHandler, 12, { sessionId, sessionEpoch: 1 })
    expect(again.responses[0]!.partitions[0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    world.topic('new', 1, [1], 'OtherIdAAAAAAAAAAAAAAA')
    const known = world.ask(fetchHandler, 12, { sessionId, sessionEpoch: 2 })
    expect(known.responses[0]!.partitions[0]!.errorCode).toBe(ErrorCode.NONE)
  })
})

describe('Fetch of what cannot be', () => {
  it('is an unexpected error with an isolation level that does not exist, as in Kafka', () => {
    const topics = [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0 }] }]
    const answer = worldOf(0).ask(fetchHandler, 12, { isolationLevel: 7, topics })
    const error = ErrorCode.UNKNOWN_SERVER_ERROR
    expect(answer.errorCode).toBe(error)
    expect(answer.responses[0]!.partitions[0]!.errorCode).toBe(error)
  })

  it('counts a partition once that is listed twice', () => {
    const partitions = [0, 3].map((fetchOffset) => ({ partition: 0, fetchOffset }))
    const answer = worldOf(0).ask(fetchHandler, 12, { topics: [{ topic: 't', partitions }] })
    expect(answer.responses.flatMap((each) => each.partitions)).toHaveLength(1)
  })
})
