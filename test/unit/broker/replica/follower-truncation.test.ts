import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { truncationFor, type TruncatedLog } from '../../../../broker/replica/follower-truncation.ts'

/** A log given by the epoch of each offset; a leader has begun `current` at its end. */
class EpochLog implements TruncatedLog {
  epochs: number[]
  readonly #current: number | null

  constructor(epochs: readonly number[], current: number | null = null) {
    this.epochs = [...epochs]
    this.#current = current
  }

  get logEndOffset(): number {
    return this.epochs.length
  }

  get latestEpoch(): number {
    return this.#current ?? this.epochs.at(-1) ?? -1
  }

  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } {
    if (epoch === this.latestEpoch) return { epoch, endOffset: this.logEndOffset }
    if (this.latestEpoch === -1 || epoch > this.latestEpoch) return { epoch: -1, endOffset: -1 }
    const found = this.epochs.findIndex((each) => each > epoch)
    const next = found === -1 ? this.logEndOffset : found
    if (next === 0) return { epoch, endOffset: 0 }
    return { epoch: this.epochs[next - 1]!, endOffset: next }
  }
}

/** What a leader answers to a fetch at the end of `follower`; null when the logs agree. */
function divergence(
  leader: EpochLog,
  follower: EpochLog,
): { epoch: number; endOffset: number } | null {
  if (follower.logEndOffset === 0) return null
  const end = leader.endOffsetForEpoch(follower.latestEpoch)
  expect(end.epoch).not.toBe(-1)
  const isDiverging = end.epoch < follower.latestEpoch || end.endOffset < follower.logEndOffset
  return isDiverging ? end : null
}

describe('truncationFor', () => {
  it('cuts a tail that the leader never had', () => {
    expect(truncationFor(new EpochLog([0, 0, 1, 1]), 0, 2)).toBe(2)
    expect(truncationFor(new EpochLog([0, 0, 0, 0]), 0, 2)).toBe(2)
  })

  it('keeps its own end when the leader has more of the epoch', () => {
    expect(truncationFor(new EpochLog([0, 0, 1]), 0, 9)).toBe(2)
  })

  it('goes back one epoch at a time when the leader names one it does not have', () => {
    const follower = new EpochLog([0, 0, 1, 1, 3])
    expect(truncationFor(follower, 2, 6)).toBe(4)
  })

  it('goes to the start when all its epochs are above the one named', () => {
    expect(truncationFor(new EpochLog([4, 4]), 2, 7)).toBe(0)
  })

  it('ends, by steps that each cut, at the longest common beginning of the logs (KIP-279)', () => {
    const tail = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 6 })
    fc.assert(
      fc.property(tail, tail, tail, (common, ofLeader, ofFollower) => {
        // Epochs of the two tails differ, as one epoch has one leader: even on one side, odd on the other.
        const base = rising([0], common)
        const leader = new EpochLog(rising(base, ofLeader, 2), 1000)
        const follower = new EpochLog(rising(base, ofFollower, 1))
        const shared = base.length
        for (let round = 0; round < 20; round += 1) {
          const found = divergence(leader, follower)
          if (found === null) break
          const to = truncationFor(follower, found.epoch, found.endOffset)
          expect(to).toBeLessThanOrEqual(follower.logEndOffset)
          expect(to).toBeGreaterThanOrEqual(Math.min(shared, follower.logEndOffset))
          expect(to).toBeLessThan(follower.logEndOffset)
          follower.epochs.length = to
        }
        expect(divergence(leader, follower)).toBeNull()
        expect(follower.epochs).toEqual(leader.epochs.slice(0, follower.epochs.length))
      }),
    )
  })
})

/** Appends epochs that rise by the steps; with a parity, each new epoch has that parity (1 odd, 2 even). */
function rising(base: readonly number[], steps: readonly number[], parity = 0): number[] {
  const epochs = [...base]
  for (const step of steps) {
    const last = epochs.at(-1)!
    const isFirst = epochs.length === base.length
    let next = last + (parity === 0 ? step : step * 2)
    if (parity !== 0 && isFirst) {
      next = last + 1
      while (next % 2 !== parity % 2) next += 1
    }
    epochs.push(next)
  }
  return epochs
}
