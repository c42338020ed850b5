import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Leader } from '../../../../../broker/controller/quorum/leader.ts'
import { VoterSet } from '../../../../../broker/controller/quorum/voter-set.ts'
import { ZERO_UUID } from '../../../../../src/base/uuid.ts'

const FETCH_TIMEOUT_MS = 1000

function leaderOf(voterCount: number, epochStartOffset = 10): Leader {
  const ids = Array.from({ length: voterCount }, (_, index) => index + 1)
  return new Leader({
    epoch: 3,
    self: key(1),
    voters: new VoterSet(ids.map((nodeId) => ({ nodeId, host: 'h', port: nodeId }))),
    granting: [1],
    epochStartOffset,
    nowMs: 0,
    fetchTimeoutMs: FETCH_TIMEOUT_MS,
  })
}

function key(id: number) {
  return { id, directoryId: ZERO_UUID }
}

function at(fetchOffset: number, nowMs = 0, leaderEndOffset = 100) {
  return { fetchOffset, leaderEndOffset, nowMs, timestampMs: 5000 + nowMs }
}

describe('the high watermark of a leader', () => {
  it('is unknown until a record of its own epoch is on a majority', () => {
    // A majority may hold records of an older epoch and still lose them to another leader (Q7).
    const leader = leaderOf(3)
    expect(leader.onDurable(11)).toBe(false)
    expect(leader.onFetch(key(2), at(10))).toBe(false)
    expect(leader.highWatermark).toBe(-1)
    expect(leader.onFetch(key(2), at(11))).toBe(true)
    expect(leader.highWatermark).toBe(11)
  })

  it('does not count its own log before that is durable', () => {
    const leader = leaderOf(3)
    expect(leader.onFetch(key(2), at(15))).toBe(false)
    expect(leader.onDurable(12)).toBe(true)
    expect(leader.highWatermark).toBe(12)
  })

  it('may pass its own durable end when the others are a majority', () => {
    const leader = leaderOf(3)
    leader.onFetch(key(2), at(15))
    expect(leader.onFetch(key(3), at(14))).toBe(true)
    expect(leader.highWatermark).toBe(14)
  })

  it('does not count observers', () => {
    const leader = leaderOf(3)
    leader.onDurable(20)
    expect(leader.onFetch(key(101), at(20))).toBe(false)
    expect(leader.onFetch(key(102), at(20))).toBe(false)
    expect(leader.highWatermark).toBe(-1)
    expect(leader.observerProgress.map((observer) => observer.key.id)).toEqual([101, 102])
  })

  it('is that of its own log alone in a quorum of one', () => {
    const leader = leaderOf(1)
    expect(leader.onDurable(11)).toBe(true)
    expect(leader.highWatermark).toBe(11)
    expect(leader.checkQuorumDeadlineMs).toBe(Infinity)
  })

  it('never goes back and is always on a majority', () => {
    const step = fc.record({ voter: fc.integer({ min: 1, max: 5 }), offset: fc.nat(40) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const leader = leaderOf(5)
        const reached = new Map<number, number>()
        let last = -1
        for (const { voter, offset } of steps) {
          reached.set(voter, Math.max(offset, reached.get(voter) ?? 0))
          if (voter === 1) leader.onDurable(offset)
          else leader.onFetch(key(voter), at(offset))
          const { highWatermark } = leader
          expect(highWatermark).toBeGreaterThanOrEqual(last)
          const holders = [...reached.values()].filter((end) => end >= highWatermark)
          expect(highWatermark === -1 || holders.length >= 3).toBe(true)
          expect(highWatermark === -1 || highWatermark > leader.epochStartOffset).toBe(true)
          last = highWatermark
        }
      }),
    )
  })
})

describe('the check quorum of a leader', () => {
  it('ends 1.5 fetch time-outs after a majority was last heard of', () => {
    const leader = leaderOf(5)
    expect(leader.checkQuorumDeadlineMs).toBe(1500)
    leader.onFetch(key(2), at(0, 100))
    leader.onFetch(key(2), at(0, 200))
    expect(leader.checkQuorumDeadlineMs).toBe(1500)
    leader.onVoterHeard(4, 300)
    expect(leader.checkQuorumDeadlineMs).toBe(1800)
  })

  it('does not mind observers', () => {
    const leader = leaderOf(3)
    leader.onFetch(key(101), at(0, 100))
    leader.onVoterHeard(102, 200)
    expect(leader.checkQuorumDeadlineMs).toBe(1500)
  })
})

describe('what a leader knows of the replicas', () => {
  it('tells a voter of the epoch at once, and again after half a fetch time-out of silence', () => {
    const leader = leaderOf(3)
    expect(leader.announcementDueMs(2)).toBe(-Infinity)
    leader.onAnnounced(2, 100)
    expect(leader.announcementDueMs(2)).toBe(600)
    leader.onFetch(key(2), at(0, 300))
    expect(leader.announcementDueMs(2)).toBe(800)
  })

  it('names the voter with the longest log first', () => {
    const leader = leaderOf(4)
    leader.onFetch(key(3), at(12))
    leader.onFetch(key(4), at(14))
    expect(leader.successors()).toEqual([4, 3, 2])
  })

  it('takes a replica for caught up at its end, or past the end it had a fetch before', () => {
    const leader = leaderOf(2)
    const voter = leader.voterProgress[0]!
    leader.onFetch(key(2), at(5, 0, 10))
    expect(voter.lastCaughtUpTimestampMs).toBe(-1)
    leader.onFetch(key(2), at(10, 20, 12))
    expect(voter.lastCaughtUpTimestampMs).toBe(5000)
    leader.onFetch(key(2), at(12, 40, 12))
    expect(voter.lastCaughtUpTimestampMs).toBe(5040)
    expect(voter.lastFetchTimestampMs).toBe(5040)
  })

  it('forgets observers that are silent for five minutes, and keeps at most a thousand', () => {
    const leader = leaderOf(1)
    for (let id = 1001; id <= 2500; id += 1) leader.onFetch(key(id), at(0, id))
    expect(leader.observerProgress).toHaveLength(1000)
    leader.onFetch(key(5000), at(0, 400_000))
    expect(leader.observerProgress.map((observer) => observer.key.id)).toEqual([5000])
  })

  it('grants no vote and no pre-vote', () => {
    expect(leaderOf(3).canGrant()).toBe(false)
  })
})
