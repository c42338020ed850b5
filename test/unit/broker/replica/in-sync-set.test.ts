import { describe, expect, it } from 'vitest'
import { InSyncSet, type IsrProposal } from '../../../../broker/replica/in-sync-set.ts'

function proposal(kind: IsrProposal['kind'], isr: readonly number[]): IsrProposal {
  const members = isr.map((brokerId) => ({ brokerId, brokerEpoch: 10 + brokerId }))
  return { kind, isr, members, leaderEpoch: 1, partitionEpoch: 1 }
}

describe('InSyncSet', () => {
  it('counts a proposed member as in sync for the high watermark only', () => {
    const set = new InSyncSet([1, 2])
    set.propose(proposal('expand', [1, 2, 3]))
    expect([...set.committed]).toEqual([1, 2])
    expect([...set.maximal]).toEqual([1, 2, 3])
  })

  it('keeps a member that it proposes to drop until the controller agrees', () => {
    const set = new InSyncSet([1, 2])
    set.propose(proposal('shrink', [1]))
    expect([...set.maximal]).toEqual([1, 2])
    set.commit([1])
    expect([...set.maximal]).toEqual([1])
    expect(set.proposal).toBeNull()
  })

  it('returns to the committed set when a proposal is rolled back', () => {
    const set = new InSyncSet([1])
    set.propose(proposal('expand', [1, 2]))
    set.rollBack()
    expect([...set.maximal]).toEqual([1])
    expect(set.proposal).toBeNull()
  })

  it('refuses a second proposal while one is in flight, and a roll back without one', () => {
    const set = new InSyncSet([1])
    expect(() => set.rollBack()).toThrow('only a proposal')
    set.propose(proposal('expand', [1, 2]))
    expect(() => set.propose(proposal('expand', [1, 3]))).toThrow('one change')
  })
})
