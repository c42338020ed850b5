// Goal: a world is a function of its seed, and a crash ends a life. Method: a small ring of chattering nodes, run twice.
import { randomBytes, randomInt } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { SIM_EPOCH_MS } from '../../../../src/sim/sim-clock.ts'
import { withForbiddenGlobals } from '../../../../src/sim/forbidden-globals.ts'
import type { SimNode } from '../../../../src/sim/sim-node.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'

const NAMES = ['a', 'b', 'c']

/** Each node logs random ticks, syncs them and gossips them to the next node. */
function startChatter(node: SimNode, next: string): void {
  const { clock, network, disk, store, random, events } = node.ports
  const file = disk.open('ticks')
  store.put('life', ((store.get('life') as number | undefined) ?? 0) + 1)
  network.listen(
    { host: node.name, port: 1 },
    () => ({
      onData: (bytes) => events.emit('gossip.heard', { bytes: bytes.length }),
      onClose: (error) => events.emit('gossip.ended', { error: error?.message ?? null }),
    }),
    () => tick(),
  )
  const tick = (): void => {
    const connection = network.connect(
      { host: next, port: 1 },
      { onData: () => {}, onClose: () => {} },
    )
    connection.write([random.bytes(1 + random.below(50))])
    if (random.below(2) === 0) connection.close()
    file.append([random.bytes(10)])
    file.fsync((error) => events.emit('tick.synced', { size: file.size(), error }))
    clock.after(1 + random.below(20), 'tick', tick)
  }
}

function runWorld(seed: number): { hash: string; world: SimWorld } {
  const world = new SimWorld({ seed })
  NAMES.forEach((name, index) => startChatter(world.node(name), NAMES[(index + 1) % 3]!))
  world.runFor(300)
  world.network.cut('a', 'b')
  world.node('c').crash({ losesUnsynced: true })
  world.runFor(200)
  world.network.healAll()
  world.node('c').restart()
  startChatter(world.node('c'), 'a')
  world.runFor(500)
  return { hash: world.trace.hash(), world }
}

describe('a simulated world', () => {
  it('gives the same trace for the same seed, whatever ran in between, and touches no real clock', () => {
    const [one, other, again] = withForbiddenGlobals(() => [runWorld(1), runWorld(2), runWorld(1)])
    expect(again.hash).toBe(one.hash)
    expect(again.world.trace.rows()).toEqual(one.world.trace.rows())
    expect(other.hash).not.toBe(one.hash)
    expect(one.world.trace.rowCount).toBeGreaterThan(500)
  })

  it('runs no callback of a life that is over', () => {
    const world = new SimWorld({ seed: 1 })
    const node = world.node('n')
    const ran: string[] = []
    const { clock, disk, store, network, events } = node.ports
    clock.after(1, 'timer', () => ran.push('timer'))
    disk.open('f').fsync(() => ran.push('fsync'))
    store.sync(() => ran.push('sync'))
    network.listen(
      { host: 'n', port: 1 },
      () => expect.fail(),
      () => ran.push('listen'),
    )
    network.connect(
      { host: 'n', port: 2 },
      {
        onData: () => ran.push('data'),
        onClose: () => ran.push('close'),
      },
    )
    node.crash()
    const rows = world.trace.rowCount
    events.emit('ghost.spoke', {})
    expect(world.trace.rowCount).toBe(rows)
    node.restart()
    clock.after(1, 'timer', () => ran.push('late timer'))
    world.runFor(1000)
    expect(ran).toEqual([])
    expect(node.ports.clock).not.toBe(clock)
  })

  it('lets a listener crash the node that just spoke; the rest of its step has no effect', () => {
    const world = new SimWorld({ seed: 1 })
    const node = world.node('n')
    world.onEvent((event) => {
      if (event.kind === 'step.half-done') node.crash()
    })
    const { clock, disk, events } = node.ports
    clock.after(1, 'step', () => {
      events.emit('step.half-done', {})
      disk.open('f').append([Buffer.from('never')])
    })
    world.runFor(10)
    expect(node.isUp).toBe(false)
    expect(node.restart().disk.list('')).toEqual([])
  })

  it('lets an error of a living node fail the run', () => {
    const world = new SimWorld({ seed: 1 })
    world.node('n').ports.clock.after(1, 'step', () => {
      throw new Error('a bug')
    })
    expect(() => world.runFor(10)).toThrow('a bug')
  })

  it('runs until a condition holds, or the limit', () => {
    const world = new SimWorld({ seed: 1 })
    const { clock } = world.node('n').ports
    let isDone = false
    clock.after(30, 'done', () => {
      isDone = true
    })
    expect(world.runUntil(() => isDone, 29)).toBe(false)
    expect(clock.monoMs()).toBe(29)
    expect(world.runUntil(() => isDone, 29)).toBe(true)
    expect(clock.monoMs()).toBe(30)
    expect(world.runUntil(() => isDone, 0)).toBe(true)
  })

  it('shows each node its own wall clock and one monotonic time', () => {
    const world = new SimWorld({ seed: 1 })
    const [one, two] = [world.node('one'), world.node('two')]
    world.runFor(1500)
    two.wallOffsetMs = -600_000
    expect(one.ports.clock.wallMs()).toBe(SIM_EPOCH_MS + 1500)
    expect(two.ports.clock.wallMs()).toBe(SIM_EPOCH_MS + 1500 - 600_000)
    expect(two.ports.clock.monoMs()).toBe(one.ports.clock.monoMs())
    expect(world.node('one')).toBe(one)
  })

  it('reports crash, restart and what a power cut took', () => {
    const world = new SimWorld({ seed: 4 })
    const node = world.node('n')
    const seen: string[] = []
    world.onEvent((event) => seen.push(`${event.node} ${event.kind}`))
    node.ports.disk.open('f').append([Buffer.alloc(5000)])
    node.crash({ losesUnsynced: true })
    expect(() => node.crash()).toThrow('which is down')
    node.restart()
    expect(() => node.restart()).toThrow('which is up')
    expect(seen[0]).toBe('n node.crashed')
    expect(seen.at(-1)).toBe('n node.restarted')
  })
})

describe('forbidden globals', () => {
  it('throw while the function runs and work again afterwards', () => {
    const uses: (() => unknown)[] = [
      () => Date.now(),
      () => new Date(),
      () => Date(),
      () => Math.random(),
      () => setTimeout(() => {}, 0),
      () => setInterval(() => {}, 0),
      () => setImmediate(() => {}),
      () => queueMicrotask(() => {}),
      () => performance.now(),
      () => process.hrtime(),
      () => process.hrtime.bigint(),
      () => process.nextTick(() => {}),
      () => AbortSignal.timeout(1),
      () => crypto.randomUUID(),
      () => randomBytes(4),
      () => randomInt(4),
    ]
    withForbiddenGlobals(() => {
      for (const use of uses) expect(use).toThrow('forbidden in simulation')
      expect(new Date(0).getTime()).toBe(0)
      expect(new Date(0)).toBeInstanceOf(Date)
    })
    expect(Date.now()).toBeGreaterThan(0)
    expect(Math.random()).toBeLessThan(1)
    expect(performance.now()).toBeGreaterThan(0)
    expect(randomBytes(4)).toHaveLength(4)
    clearTimeout(setTimeout(() => {}, 0))
  })

  it('are restored after an error, also when nested', () => {
    const { now } = Date
    expect(() =>
      withForbiddenGlobals(() =>
        withForbiddenGlobals(() => {
          throw new Error('inner')
        }),
      ),
    ).toThrow('inner')
    expect(Date.now).toBe(now)
    expect(() => Date.now()).not.toThrow()
  })
})
