import { describe, expect, it } from 'vitest'
import {
  electionOf,
  fromStored,
  toStored,
  votedKeyOf,
} from '../../../../../broker/controller/quorum/election.ts'
import { CorruptionError } from '../../../../../src/base/errors.ts'
import { ZERO_UUID } from '../../../../../src/base/uuid.ts'

describe('the stored election', () => {
  it('is epoch 0 without leader and vote when nothing is stored', () => {
    const election = fromStored(undefined)
    expect(election).toEqual({
      leaderId: -1,
      leaderEpoch: 0,
      votedId: -1,
      votedDirectoryId: ZERO_UUID,
    })
    expect(votedKeyOf(election)).toBeNull()
  })

  it('comes back as it was stored, under the names of the quorum-state file', () => {
    const election = electionOf(7, 2, { id: 3, directoryId: 'AAAAAAAAAAAAAAAAAAAAAg' })
    expect(toStored(election)).toEqual({
      leaderId: 2,
      leaderEpoch: 7,
      votedId: 3,
      votedDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAg',
      data_version: 1,
    })
    expect(fromStored(toStored(election))).toEqual(election)
  })

  const good = toStored(electionOf(1, -1, null))
  it.each([
    ['a text', 'epoch 3'],
    ['a missing epoch', { ...good, leaderEpoch: undefined }],
    ['a negative epoch', { ...good, leaderEpoch: -1 }],
    ['a leader that is no integer', { ...good, leaderId: 1.5 }],
    ['a vote below -1', { ...good, votedId: -2 }],
    ['a directory that is no uuid', { ...good, votedDirectoryId: 'here' }],
    ['another layout', { ...good, data_version: 2 }],
  ])('refuses %s', (_what, value) => {
    expect(() => fromStored(value)).toThrow(CorruptionError)
  })
})
