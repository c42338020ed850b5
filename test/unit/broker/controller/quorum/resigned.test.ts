import { describe, expect, it } from 'vitest'
import { Resigned } from '../../../../../broker/controller/quorum/resigned.ts'
import { ZERO_UUID } from '../../../../../src/base/uuid.ts'

const SELF = { id: 1, directoryId: ZERO_UUID }
const TWO = { id: 2, directoryId: ZERO_UUID }

describe('a leader that resigned', () => {
  it('names no leader, while its disk says that it led', () => {
    const role = new Resigned({ epoch: 8, self: SELF, electionDeadlineMs: 50, successors: [] })
    expect(role.leaderId).toBe(-1)
    expect(role.election).toMatchObject({ leaderId: 1, leaderEpoch: 8, votedId: 1 })
  })

  it('votes for nobody in the epoch it led, but helps the next election by pre-votes', () => {
    const role = new Resigned({ epoch: 8, self: SELF, electionDeadlineMs: 50, successors: [] })
    expect(role.canGrant(TWO, true, false)).toBe(false)
    expect(role.canGrant(TWO, true, true)).toBe(true)
    expect(role.canGrant(TWO, false, true)).toBe(false)
  })

  it('remembers whom it has yet to tell, best successor first', () => {
    const fields = { epoch: 8, self: SELF, electionDeadlineMs: 50, successors: [3, 2, 4] }
    const role = new Resigned(fields)
    role.onTold(2)
    role.onTold(2)
    expect(role.untold).toEqual([3, 4])
    expect(role.successors).toEqual([3, 2, 4])
  })
})
