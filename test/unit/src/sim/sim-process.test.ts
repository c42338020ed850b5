// Goal: pauses, slowness, drift and silent crashes look to a node as they would on a machine. Method: one
// or two nodes that note what runs on them and when.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SimNode } from '../../../../src/sim/sim-node.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import { connectTo, RecordingEnd } from '../../../support/network-contract.ts'

function listen(world: SimWorld, node: SimNode): RecordingEnd[] {
  const accepted: RecordingEnd[] = []
  node.ports.network.listen(
    { host: node.name, port: 1 },
    (connection) => {
      const end = new RecordingEnd()
      end.connection = connection
      accepted.push(end)
      return end
    },
    () => {},
  )
  world.runFor(1)
  return accepted
}

function startPair(seed = 1) {
  const world = new SimWorld({ seed })
  const server = world.node('server')
  const accepted = listen(world, server)
  const client = world.node('client')
  const there = connectTo(client.ports.network, { host: 'server', port: 1 })
  expect(world.runUntil(() => there.opens === 1, 100)).toBe(true)
  world.runFor(100)
  return { world, server, client, there, here: accepted[0]!, accepted }
}

describe('a paused node', () => {
  it('runs nothing; then everything that came, in its order, while its clock went on', () => {
    const timers = fc.array(fc.nat(50), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(timers, fc.nat(50), (delays, pauseMs) => {
        const world = new SimWorld({ seed: 1 })
        const node = world.node('n')
        const ran: { index: number; atMs: number }[] = []
        delays.forEach((delayMs, index) => {
          node.ports.clock.after(delayMs, 'timer', () =>
            ran.push({ index, atMs: node.ports.clock.monoMs() }),
          )
        })
        world.runFor(pauseMs)
        const before = ran.length
        node.pause()
        world.runFor(60)
        expect([node.isPaused, ran.length]).toEqual([true, before])
        node.resume()
        world.runFor(10)
        const expected = delays
          .map((delayMs, index) => ({ delayMs, index }))
          .sort((a, b) => a.delayMs - b.delayMs || a.index - b.index)
        expect(ran.map(({ index }) => index)).toEqual(expected.map(({ index }) => index))
        for (const { atMs } of ran.slice(before)) expect(atMs).toBeGreaterThanOrEqual(pauseMs + 60)
      }),
      { numRuns: 40 },
    )
  })

  it('keeps its connections, takes in bytes and new connections, and hears of all on waking', () => {
    const { world, server, client, there, here, accepted } = startPair()
    let isSynced = false
    server.ports.disk.open('f').fsync(() => {
      isSynced = true
    })
    server.pause()
    there.connection!.write([Buffer.from('one ')])
    const late = connectTo(client.ports.network, { host: 'server', port: 1 })
    world.runFor(1000)
    there.connection!.write([Buffer.from('two')])
    there.connection!.close()
    world.runFor(1000)
    expect([here.text(), here.closes, isSynced, accepted.length]).toEqual(['', [], false, 1])
    expect(late.opens).toBe(1)
    server.resume()
    world.runFor(10)
    expect([here.text(), here.closes, isSynced]).toEqual(['one two', [null], true])
    expect(accepted).toHaveLength(2)
  })

  it('may cancel on waking what came due while it slept', () => {
    const world = new SimWorld({ seed: 1 })
    const { clock } = world.node('n').ports
    const second = clock.after(2, 'second', () => expect.fail('ran'))
    clock.after(1, 'first', () => clock.cancel(second))
    world.node('n').pause()
    world.runFor(10)
    world.node('n').resume()
    world.runFor(10)
  })

  it('forgets all that waited when it crashes, and is not paused in its next life', () => {
    const { world, server, there } = startPair()
    server.ports.clock.after(1, 'timer', () => expect.fail('ran'))
    server.pause()
    world.runFor(10)
    server.crash()
    world.runFor(100)
    expect(there.closes[0]?.message).toContain('ECONNRESET')
    expect(() => server.resume()).toThrow('not paused')
    server.restart()
    let ran = false
    server.ports.clock.after(1, 'timer', () => {
      ran = true
    })
    world.runFor(10)
    expect([server.isPaused, ran]).toEqual([false, true])
    server.pause()
    expect(() => server.pause()).toThrow('down or paused')
  })
})

describe('a slow node', () => {
  it('does one thing after another, each for its cost', () => {
    const world = new SimWorld({ seed: 1, handlerCostUs: 100 })
    const node = world.node('n')
    node.costFactor = 10
    const ran: number[] = []
    for (let index = 0; index < 4; index += 1) {
      node.ports.clock.after(1, 'work', () => ran.push(node.ports.clock.monoMs()))
    }
    world.runFor(10)
    expect(ran).toEqual([1, 1.5, 2, 2.5])
  })

  it('costs nothing when handlers are free', () => {
    const world = new SimWorld({ seed: 1, handlerCostUs: 0 })
    const ran: number[] = []
    const { clock } = world.node('n').ports
    for (let index = 0; index < 4; index += 1)
      clock.after(1, 'work', () => ran.push(clock.monoMs()))
    world.runFor(2)
    expect(ran).toEqual([1, 1, 1, 1])
  })
})

describe('a drifting clock', () => {
  it('never goes back, and its timers are never early by it nor late by more than a microsecond', () => {
    const step = fc.record({ rate: fc.integer({ min: 900, max: 1100 }), forMs: fc.nat(30) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), fc.array(fc.nat(100)), (steps, delays) => {
        const world = new SimWorld({ seed: 1, handlerCostUs: 0 })
        const node = world.node('n')
        const { clock } = node.ports
        const lateness: number[] = []
        for (const delayMs of delays) {
          clock.after(delayMs / 3, 'timer', () => lateness.push(clock.monoMs() - delayMs / 3))
        }
        let lastMs = clock.monoMs()
        for (const { rate, forMs } of steps) {
          node.clockRatePermille = rate
          expect(clock.monoMs()).toBeGreaterThanOrEqual(lastMs)
          world.runFor(forMs)
          expect(clock.monoMs() - lastMs).toBeCloseTo((forMs * rate) / 1000, 6)
          lastMs = clock.monoMs()
        }
        world.runFor(100)
        expect(lateness).toHaveLength(delays.length)
        for (const lateMs of lateness) {
          expect(lateMs).toBeGreaterThanOrEqual(0)
          expect(lateMs).toBeLessThan(0.003)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('goes on over a crash, and leaves the wall clock alone', () => {
    const world = new SimWorld({ seed: 1 })
    const [node, other] = [world.node('n'), world.node('other')]
    node.clockRatePermille = 1100
    world.runFor(1000)
    node.crash()
    node.restart()
    world.runFor(1000)
    expect(node.ports.clock.monoMs()).toBeCloseTo(2200, 6)
    expect(node.ports.clock.wallMs()).toBe(other.ports.clock.wallMs())
    expect(() => {
      node.clockRatePermille = 0
    }).toThrow('clock rate')
  })
})

describe('a silent crash', () => {
  it('tells the peers nothing until the node is back; then old connections are reset', () => {
    const { world, server, client, there } = startPair()
    server.crash({ isSilent: true })
    there.connection!.write([Buffer.from('into the void')])
    const late = connectTo(client.ports.network, { host: 'server', port: 1 })
    world.runFor(60_000)
    expect([there.closes, late.opens, late.closes]).toEqual([[], 0, []])
    server.restart()
    const accepted = listen(world, server)
    world.runFor(100)
    expect(there.closes[0]?.message).toContain('ECONNRESET')
    expect(late.opens + late.closes.length).toBe(1)
    expect(accepted.every((end) => end.text() === '')).toBe(true)
  })

  it('still delivers what was under way from the node', () => {
    const { world, server, there, here } = startPair()
    here.connection!.write([Buffer.from('last words')])
    server.crash({ isSilent: true })
    world.runFor(100)
    expect([there.text(), there.closes]).toEqual(['last words', []])
  })
})

describe('listeners of a world', () => {
  it('hear after each event on which node code ran', () => {
    const world = new SimWorld({ seed: 1 })
    const steps: (string | null)[] = []
    world.afterStep((node) => steps.push(node))
    world.node('a').ports.clock.after(1, 'timer', () => {})
    world.node('b').ports.clock.after(2, 'timer', () => {})
    world.scheduler.after(3000, 'world', () => {})
    world.runFor(10)
    expect(steps).toEqual(['a', 'b', null])
  })
})

describe('a world with promises', () => {
  /** Each node awaits a few times between two timers. */
  function startAwaiting(world: SimWorld, name: string, ran: string[]): void {
    const { clock } = world.node(name).ports
    const tick = (round: number): void => {
      void Promise.resolve()
        .then(() => new Promise<void>((resolve) => process.nextTick(resolve)))
        .then(() => {
          ran.push(`${name}${round} at ${clock.monoMs()}`)
          if (round < 5) clock.after(1, 'tick', () => tick(round + 1))
        })
    }
    clock.after(1, 'tick', () => tick(1))
  }

  it.each(['each', 'marked'] as const)(
    'lets them settle before the next event: %s',
    async (settles) => {
      const world = new SimWorld({ seed: 1, handlerCostUs: 0 })
      const ran: string[] = []
      for (const name of ['a', 'b']) {
        world.node(name).mayAwait = true
        startAwaiting(world, name, ran)
      }
      world.scheduler.after(1500, 'world', () => ran.push('between'))
      expect(await world.runUntilAsync(() => ran.length === 11, 100, { settles })).toBe(true)
      const rounds = [1, 2, 3, 4, 5].flatMap((ms) => [`a${ms} at ${ms}`, `b${ms} at ${ms}`])
      expect(ran).toEqual([...rounds.slice(0, 2), 'between', ...rounds.slice(2)])
    },
  )

  it('runs nodes that are not marked back to back, and stops at the limit', async () => {
    const world = new SimWorld({ seed: 1 })
    const ran: string[] = []
    startAwaiting(world, 'a', ran)
    const isDone = await world.runUntilAsync(() => ran.length === 5, 50, { settles: 'marked' })
    expect([isDone, world.scheduler.nowMs, ran.length]).toEqual([false, 50, 0])
  })

  it('takes an endless round at one instant for a livelock', async () => {
    const world = new SimWorld({ seed: 1, handlerCostUs: 0 })
    const { clock } = world.node('a').ports
    const again = (): void => void Promise.resolve().then(() => clock.after(0, 'again', again))
    clock.after(0, 'again', again)
    await expect(world.runUntilAsync(() => false, 10)).rejects.toThrow('livelock')
  })
})
