import { describe, expect, it } from 'vitest'
import { ZERO_UUID } from '../../../../src/base/uuid.ts'
import { FetchSessionClient, type FetchTarget } from '../../../../src/client/fetch-session.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'

const ID = 'TopicIdAAAAAAAAAAAAAAA'
const OTHER_ID = 'OtherIdAAAAAAAAAAAAAAA'

function target(partition: number, change: Partial<FetchTarget> = {}): FetchTarget {
  return {
    topic: 't',
    topicId: ID,
    partition,
    currentLeaderEpoch: 1,
    fetchOffset: 0,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
    partitionMaxBytes: 10,
    ...change,
  }
}

function ask(session: FetchSessionClient, ...wanted: readonly FetchTarget[]) {
  const { sessionId, sessionEpoch, topics, forgottenTopicsData } = session.next(wanted)
  return {
    at: [sessionId, sessionEpoch],
    told: topics.flatMap((each) => each.partitions!.map((part) => part.partition)),
    forgotten: forgottenTopicsData.map(({ topicId, partitions }) => [topicId, ...partitions!]),
  }
}

const GOOD = { errorCode: ErrorCode.NONE, sessionId: 7 }

describe('FetchSessionClient', () => {
  it('tells everything first, then what has changed, come and gone', () => {
    const session = new FetchSessionClient()
    expect(ask(session, target(0), target(1))).toEqual({ at: [0, 0], told: [0, 1], forgotten: [] })
    expect(session.onAnswer(GOOD)).toBe(true)
    expect(ask(session, target(0), target(1))).toEqual({ at: [7, 1], told: [], forgotten: [] })
    session.onAnswer(GOOD)
    const moved = target(1, { fetchOffset: 5 })
    expect(ask(session, moved, target(2))).toEqual({
      at: [7, 2],
      told: [1, 2],
      forgotten: [[ID, 0]],
    })
  })

  it.each([
    { currentLeaderEpoch: 2 },
    { lastFetchedEpoch: 0 },
    { logStartOffset: 1 },
    { partitionMaxBytes: 11 },
  ])('tells a partition again when it has another %o', (change) => {
    const session = new FetchSessionClient()
    ask(session, target(0))
    session.onAnswer(GOOD)
    expect(ask(session, target(0, change)).told).toEqual([0])
  })

  it('forgets the old topic when one of the name has another id', () => {
    const session = new FetchSessionClient()
    ask(session, target(0))
    session.onAnswer(GOOD)
    const { told, forgotten } = ask(session, target(0, { topicId: OTHER_ID }))
    expect([told, forgotten]).toEqual([[0], [[ID, 0]]])
  })

  it('stays full with a broker that gives no session', () => {
    const session = new FetchSessionClient()
    ask(session, target(0))
    session.onAnswer({ errorCode: ErrorCode.NONE, sessionId: 0 })
    expect(ask(session, target(0))).toEqual({ at: [0, 0], told: [0], forgotten: [] })
  })

  it('begins anew after a lost answer, ending the session that it had', () => {
    const session = new FetchSessionClient()
    ask(session, target(0))
    session.onAnswer(GOOD)
    ask(session, target(0))
    session.onLost()
    expect(ask(session, target(0))).toEqual({ at: [7, 0], told: [0], forgotten: [] })
  })

  it('begins anew after an error, and forgets the id that the broker does not know', () => {
    const session = new FetchSessionClient()
    ask(session, target(0))
    session.onAnswer(GOOD)
    ask(session, target(0))
    const errorCode = ErrorCode.INVALID_FETCH_SESSION_EPOCH
    expect(session.onAnswer({ errorCode, sessionId: 0 })).toBe(false)
    expect(ask(session, target(0)).at).toEqual([7, 0])
    session.onAnswer({ errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND, sessionId: 0 })
    expect(ask(session, target(0)).at).toEqual([0, 0])
  })

  it('begins anew when topics cannot be told by id any more', () => {
    const session = new FetchSessionClient()
    ask(session, target(0))
    session.onAnswer(GOOD)
    const nameless = target(0, { topicId: ZERO_UUID })
    expect(ask(session, nameless)).toEqual({ at: [7, 0], told: [0], forgotten: [] })
  })
})
