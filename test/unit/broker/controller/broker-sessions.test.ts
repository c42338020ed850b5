import { describe, expect, it } from 'vitest'
import { BrokerSessions } from '../../../../broker/controller/broker-sessions.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'

function fixture(): { readonly sessions: BrokerSessions; readonly world: SimWorld } {
  const world = new SimWorld({ seed: 1 })
  return { sessions: new BrokerSessions(world.node('n').ports.clock, 9000), world }
}

describe('BrokerSessions', () => {
  it('keeps a session alive for the time-out after each heartbeat', () => {
    const { sessions, world } = fixture()
    sessions.follow(1, 10)
    expect(sessions.isAlive(1, 10)).toBe(false)
    sessions.touch(1, 0)
    world.runFor(8999)
    expect(sessions.isAlive(1, 10)).toBe(true)
    expect(sessions.expired()).toEqual([])
    expect(sessions.nextExpiryMs()).toBe(1)
    world.runFor(1)
    expect(sessions.isAlive(1, 10)).toBe(false)
    expect(sessions.expired()).toEqual([1])
    sessions.end(1)
    expect(sessions.expired()).toEqual([])
  })

  it('belongs to one incarnation', () => {
    const { sessions } = fixture()
    sessions.follow(1, 10)
    sessions.touch(1, 5)
    sessions.follow(1, 10)
    expect(sessions.isAlive(1, 10)).toBe(true)
    expect(sessions.isAlive(1, 11)).toBe(false)
    sessions.follow(1, 11)
    expect(sessions.isAlive(1, 11)).toBe(false)
    expect(sessions.lowestMetadataOffset([1])).toBe(-1)
  })

  it('knows the earliest of all deadlines', () => {
    const { sessions, world } = fixture()
    expect(sessions.nextExpiryMs()).toBeNull()
    sessions.follow(1, 1)
    expect(sessions.nextExpiryMs()).toBeNull()
    sessions.touch(1, 0)
    world.runFor(100)
    sessions.follow(2, 2)
    sessions.grant(2)
    expect(sessions.nextExpiryMs()).toBe(8900)
    sessions.forget(1)
    expect(sessions.nextExpiryMs()).toBe(9000)
    world.runFor(20_000)
    expect(sessions.nextExpiryMs()).toBe(0)
  })

  it('keeps the first shutdown offset of a session', () => {
    const { sessions } = fixture()
    sessions.follow(1, 1)
    expect(sessions.shutdownOffset(1)).toBeNull()
    sessions.beginShutdown(1, 40)
    sessions.beginShutdown(1, 50)
    expect(sessions.shutdownOffset(1)).toBe(40)
    sessions.end(1)
    expect(sessions.shutdownOffset(1)).toBeNull()
  })

  it('knows how far the slowest of some brokers is', () => {
    const { sessions } = fixture()
    for (const [id, offset] of [
      [1, 30],
      [2, 20],
      [3, 10],
    ] as const) {
      sessions.follow(id, id)
      sessions.touch(id, offset)
    }
    expect(sessions.lowestMetadataOffset([1, 2])).toBe(20)
    expect(sessions.lowestMetadataOffset([])).toBe(Infinity)
  })
})
