// Goal: cooperative assignments are even and sticky, and a partition is never with two members in one round.
import { describe, expect, it } from 'vitest'
import { assignCooperatively } from '../../../../../src/chaos/workload/cooperative-assignor.ts'

const member = (memberId: string, owned: readonly number[] = [], generation = 1) => ({
  memberId,
  owned,
  generation,
})

function plain(result: ReadonlyMap<string, readonly number[]>): Record<string, readonly number[]> {
  return Object.fromEntries(result)
}

describe('cooperative assignor', () => {
  it('shares out evenly what nobody has', () => {
    const result = assignCooperatively(5, [member('b'), member('a')])
    expect(plain(result)).toEqual({ a: [0, 2, 4], b: [1, 3] })
  })

  it('gives a moving partition to nobody, and to its new owner in the next round', () => {
    const first = assignCooperatively(4, [member('a', [0, 1, 2, 3]), member('b')])
    expect(plain(first)).toEqual({ a: [0, 1], b: [] })
    const second = assignCooperatively(4, [member('a', [0, 1], 2), member('b', [], 2)])
    expect(plain(second)).toEqual({ a: [0, 1], b: [2, 3] })
  })

  it('believes the newer of two owners, and neither of the same generation', () => {
    const newer = assignCooperatively(2, [member('a', [0, 1], 1), member('b', [1], 2)])
    expect(plain(newer)).toEqual({ a: [0], b: [1] })
    const same = assignCooperatively(2, [member('a', [0], 2), member('b', [0], 2)])
    expect(plain(same)).toEqual({ a: [0], b: [1] })
  })

  it('leaves members without partitions when there are too few, and ignores partitions that are gone', () => {
    const result = assignCooperatively(1, [member('a', [0, 5]), member('b'), member('c')])
    expect(plain(result)).toEqual({ a: [0], b: [], c: [] })
  })
})
