import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VoterSet } from '../../../../../broker/controller/quorum/voter-set.ts'
import { VoteTally } from '../../../../../broker/controller/quorum/vote-tally.ts'
import { AssertionError } from '../../../../../src/base/assert.ts'

function votersOf(count: number): VoterSet {
  const ids = Array.from({ length: count }, (_, index) => index + 1)
  return new VoterSet(ids.map((nodeId) => ({ nodeId, host: `node-${nodeId}`, port: 9093 })))
}

describe('a vote tally', () => {
  it('is granted by a majority and rejected when none can be reached any more', () => {
    const tally = new VoteTally(votersOf(5))
    tally.record(1, true)
    tally.record(2, false)
    tally.record(3, true)
    tally.record(4, false)
    expect([tally.isGranted, tally.isRejected]).toEqual([false, false])
    expect(tally.unanswered()).toEqual([5])
    tally.record(5, true)
    expect([tally.isGranted, tally.isRejected]).toEqual([true, false])
    expect(tally.granting()).toEqual([1, 3, 5])
  })

  it('keeps a grant that is followed by a refusal', () => {
    const tally = new VoteTally(votersOf(3))
    tally.record(2, true)
    tally.record(2, false)
    expect(tally.granting()).toEqual([2])
  })

  it('takes no vote of a stranger', () => {
    expect(() => new VoteTally(votersOf(3)).record(4, true)).toThrow(AssertionError)
  })

  it('is never granted and rejected at once, and always one of them in the end', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }), (answers) => {
        const tally = new VoteTally(votersOf(answers.length))
        for (const [index, answer] of answers.entries()) {
          tally.record(index + 1, answer)
          expect(tally.isGranted && tally.isRejected).toBe(false)
        }
        const grants = answers.filter(Boolean).length
        expect(tally.isGranted).toBe(grants > answers.length / 2)
        expect(tally.isRejected).toBe(!tally.isGranted)
      }),
    )
  })
})

describe('a voter set', () => {
  it('lists its ids in order, whatever order they were given in', () => {
    const ids = [3, 1, 2]
    const set = new VoterSet(ids.map((nodeId) => ({ nodeId, host: 'h', port: nodeId })))
    expect(set.ids).toEqual([1, 2, 3])
    expect(set.lowestId).toBe(1)
    expect(set.othersThan(2)).toEqual([1, 3])
    expect(set.get(4)).toBeNull()
  })

  it('is not empty and has no voter twice', () => {
    expect(() => new VoterSet([])).toThrow(AssertionError)
    const voter = { nodeId: 1, host: 'h', port: 1 }
    expect(() => new VoterSet([voter, voter])).toThrow(AssertionError)
  })
})
