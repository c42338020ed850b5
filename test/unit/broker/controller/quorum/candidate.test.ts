import { describe, expect, it } from 'vitest'
import { Candidate } from '../../../../../broker/controller/quorum/candidate.ts'
import { VoterSet } from '../../../../../broker/controller/quorum/voter-set.ts'
import { VoteTally } from '../../../../../broker/controller/quorum/vote-tally.ts'
import { ZERO_UUID } from '../../../../../src/base/uuid.ts'

const SELF = { id: 1, directoryId: ZERO_UUID }
const TWO = { id: 2, directoryId: ZERO_UUID }

describe('a candidate', () => {
  const tally = new VoteTally(new VoterSet([{ nodeId: 1, host: 'h', port: 1 }]))
  const role = new Candidate(6, SELF, 100, tally)

  it('has voted for itself and for no other', () => {
    expect(role.election).toMatchObject({ leaderId: -1, leaderEpoch: 6, votedId: 1 })
    expect(role.canGrant(TWO, true, false)).toBe(false)
    expect(tally.has(1)).toBe(false)
  })

  it('grants pre-votes to an up-to-date log', () => {
    expect(role.canGrant(TWO, true, true)).toBe(true)
    expect(role.canGrant(TWO, false, true)).toBe(false)
  })

  it('backs off when the election is lost', () => {
    expect(role.backoffUntilMs).toBeNull()
    role.backOff(70)
    expect(role.backoffUntilMs).toBe(70)
  })
})
