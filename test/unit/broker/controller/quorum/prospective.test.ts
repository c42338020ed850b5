import { describe, expect, it } from 'vitest'
import { Prospective } from '../../../../../broker/controller/quorum/prospective.ts'
import { VoterSet } from '../../../../../broker/controller/quorum/voter-set.ts'
import { VoteTally } from '../../../../../broker/controller/quorum/vote-tally.ts'
import { ZERO_UUID } from '../../../../../src/base/uuid.ts'

const ONE = { id: 1, directoryId: ZERO_UUID }
const TWO = { id: 2, directoryId: ZERO_UUID }

function prospective(leaderId: number, votedKey: typeof ONE | null): Prospective {
  const tally = new VoteTally(new VoterSet([{ nodeId: 3, host: 'h', port: 1 }]))
  return new Prospective({ epoch: 5, leaderId, votedKey, electionDeadlineMs: 10, tally })
}

describe('a prospective candidate', () => {
  it('still votes for others in its epoch while no leader of it is known', () => {
    expect(prospective(-1, null).canGrant(ONE, true, false)).toBe(true)
    expect(prospective(-1, null).canGrant(ONE, false, false)).toBe(false)
    expect(prospective(7, null).canGrant(ONE, true, false)).toBe(false)
  })

  it('keeps the vote it gave', () => {
    const role = prospective(-1, ONE)
    expect(role.canGrant(TWO, true, false)).toBe(false)
    expect(role.canGrant(ONE, true, false)).toBe(true)
    expect(role.election.votedId).toBe(1)
  })

  it('grants pre-votes by the log alone', () => {
    expect(prospective(7, ONE).canGrant(TWO, true, true)).toBe(true)
    expect(prospective(-1, null).canGrant(TWO, false, true)).toBe(false)
  })
})
