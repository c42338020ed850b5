import { describe, expect, it } from 'vitest'
import { drawLatencyUs } from '../../../../src/sim/latency.ts'
import { SimRandom } from '../../../../src/sim/sim-random.ts'

describe('simulated randomness', () => {
  it('draws the same numbers on every machine', () => {
    const random = SimRandom.ofSeed(7)
    const drawn = [random.u32(), random.u32(), random.below(1000), random.bytes(6).toString('hex')]
    expect(drawn).toEqual(EXPECTED_OF_SEED_7)
  })

  it('uses all 53 bits of a seed', () => {
    const words = [7, 7 + 2 ** 32, 7 + 2 ** 52].map((seed) => SimRandom.ofSeed(seed).u32())
    expect(new Set(words).size).toBe(3)
    expect(() => SimRandom.ofSeed(-1)).toThrow('a seed of -1')
    expect(() => SimRandom.ofSeed(2 ** 53)).toThrow('seed')
    expect(() => SimRandom.ofSeed(0.5)).toThrow('seed')
  })

  it('forks by label, whatever was drawn before', () => {
    const fresh = SimRandom.ofSeed(1)
    const used = SimRandom.ofSeed(1)
    used.bytes(100)
    expect(used.fork('disk').u32()).toBe(fresh.fork('disk').u32())
    expect(fresh.fork('disk').u32()).not.toBe(fresh.fork('net').u32())
    expect(fresh.fork('a').fork('b').u32()).not.toBe(fresh.fork('b').fork('a').u32())
  })

  it('draws latencies within their bounds, tails apart', () => {
    const random = SimRandom.ofSeed(1)
    const latency = { minUs: 10, maxUs: 20, tailPermille: 100, tailFactor: 10 }
    const drawn = Array.from({ length: 5000 }, () => drawLatencyUs(latency, random))
    const usual = drawn.filter((us) => us <= 20)
    const tail = drawn.filter((us) => us > 20)
    expect(Math.min(...usual)).toBe(10)
    expect(Math.max(...usual)).toBe(20)
    expect(tail.length).toBeGreaterThan(300)
    expect(tail.length).toBeLessThan(700)
    expect(Math.max(...tail)).toBe(200)
  })
})

/** Worked out apart from our code, by sfc32 in Python. */
const EXPECTED_OF_SEED_7 = [1_787_155_412, 2_577_853_388, 579, '6f98a729d5bf']
