import { describe, expect, it } from 'vitest'
import { Follower } from '../../../../../broker/controller/quorum/follower.ts'
import { ZERO_UUID } from '../../../../../src/base/uuid.ts'

const CANDIDATE = { id: 3, directoryId: ZERO_UUID }

function follower(): Follower {
  return new Follower({ epoch: 4, leaderId: 2, votedKey: CANDIDATE, fetchDeadlineMs: 100 })
}

describe('a follower', () => {
  it('remembers its vote beside its leader', () => {
    expect(follower().election).toEqual({
      leaderId: 2,
      leaderEpoch: 4,
      votedId: 3,
      votedDirectoryId: ZERO_UUID,
    })
  })

  it('refuses real votes of the epoch of its leader, even to the one it voted for', () => {
    expect(follower().canGrant(CANDIDATE, true, false)).toBe(false)
  })

  it('grants pre-votes to an up-to-date log only while its leader does not answer', () => {
    const role = follower()
    expect(role.canGrant(CANDIDATE, true, true)).toBe(true)
    expect(role.canGrant(CANDIDATE, false, true)).toBe(false)
    role.onFetched(200)
    expect(role.canGrant(CANDIDATE, true, true)).toBe(false)
    role.onFetchLost()
    expect(role.canGrant(CANDIDATE, true, true)).toBe(true)
  })

  it('counts lost fetches in a row', () => {
    const role = follower()
    role.onFetchLost()
    role.onFetchLost()
    expect(role.lostFetches).toBe(2)
    role.onFetched(300)
    expect([role.lostFetches, role.fetchDeadlineMs]).toEqual([0, 300])
  })

  it('stands for election early when its leader leaves', () => {
    const role = follower()
    role.onFetched(900)
    role.onLeaderLeft(250)
    expect([role.fetchDeadlineMs, role.isInTouch]).toEqual([250, false])
  })
})
