import { describe, expect, it } from 'vitest'
import { Draw } from '../../../../../src/chaos/swarm/draw.ts'

describe('Draw', () => {
  it('answers a question the same, whatever was asked before', () => {
    const asked = Draw.ofSeed(5)
    asked.between('first', 0, 1000)
    asked.part('other').pick('second', [1, 2, 3])
    expect(asked.between('third', 0, 1_000_000)).toBe(Draw.ofSeed(5).between('third', 0, 1_000_000))
  })

  it('gives questions of the same label in other parts, and of other seeds, other answers', () => {
    const answers = [1, 2, 3].flatMap((seed) =>
      ['a', 'b', 'c'].map((part) => Draw.ofSeed(seed).part(part).between('x', 0, 1_000_000_000)),
    )
    expect(new Set(answers).size).toBe(answers.length)
  })

  it('weighs values, and never gives one of weight 0', () => {
    const draws = Array.from({ length: 2000 }, (_, seed) =>
      Draw.ofSeed(seed).weighted('w', [
        ['often', 9],
        ['seldom', 1],
        ['never', 0],
      ]),
    )
    const seldom = draws.filter((value) => value === 'seldom').length
    expect(draws).not.toContain('never')
    expect(seldom).toBeGreaterThan(120)
    expect(seldom).toBeLessThan(300)
  })

  it('takes some values in their order, at most as many as there are', () => {
    expect(Draw.ofSeed(1).some('s', [1, 2, 3], 9)).toEqual([1, 2, 3])
    const two = Draw.ofSeed(1).some('s', [1, 2, 3, 4, 5], 2)
    expect(two).toEqual(two.toSorted((a, b) => a - b))
    expect(two).toHaveLength(2)
  })
})
