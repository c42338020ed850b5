import { describe, expect, it } from 'vitest'
import type { SimNode } from '../../../../src/sim/sim-node.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import { connectTo, RecordingEnd } from '../../../support/network-contract.ts'

const LIMIT_MS = 10_000

function listen(world: SimWorld, node: SimNode, port: number): RecordingEnd[] {
  const accepted: RecordingEnd[] = []
  let isOpen = false
  node.ports.network.listen(
    { host: node.name, port },
    (connection) => {
      const end = new RecordingEnd()
      end.connection = connection
      accepted.push(end)
      return end
    },
    (error) => {
      expect(error).toBeNull()
      isOpen = true
    },
  )
  expect(world.runUntil(() => isOpen, LIMIT_MS)).toBe(true)
  return accepted
}

function startPair(seed = 1, cutPermille = 100) {
  const world = new SimWorld({ seed, cutPermille })
  const server = world.node('server')
  const client = world.node('client')
  const accepted = listen(world, server, 9092)
  const there = connectTo(client.ports.network, { host: 'server', port: 9092 })
  expect(world.runUntil(() => there.opens === 1, LIMIT_MS)).toBe(true)
  return { world, server, client, there, here: accepted[0]!, accepted }
}

describe('a simulated network', () => {
  it('takes time for every delivery and cuts bytes anywhere', () => {
    const { world, there, here } = startPair(3, 1000)
    const pieces: string[] = []
    here.onBytes = (bytes) => pieces.push(bytes.toString())
    const startMs = world.scheduler.nowMs
    for (let index = 0; index < 20; index += 1) there.connection!.write([Buffer.from('abcdefgh')])
    world.runUntil(() => here.byteCount() === 160, LIMIT_MS)
    expect(world.scheduler.nowMs).toBeGreaterThan(startMs + 0.05)
    expect(here.text()).toBe('abcdefgh'.repeat(20))
    expect(pieces).toHaveLength(40)
    expect(new Set(pieces.map((piece) => piece.length)).size).toBeGreaterThan(3)
  })

  it('holds back what travels over a cut link, one way only, and delivers it after the heal', () => {
    const { world, there, here } = startPair()
    world.network.cut('client', 'server')
    there.connection!.write([Buffer.from('held')])
    here.connection!.write([Buffer.from('passes')])
    world.runFor(5000)
    expect([here.text(), there.text()]).toEqual(['', 'passes'])
    there.connection!.write([Buffer.from(' too')])
    world.network.heal('client', 'server')
    expect(here.text()).toBe('')
    there.connection!.write([Buffer.from(' and on')])
    expect(world.runUntil(() => here.text() === 'held too and on', LIMIT_MS)).toBe(true)
  })

  it('knows whose bytes have not been taken yet, by a reader who pauses as well', () => {
    const { world, there, here } = startPair()
    const { network } = world
    expect(network.isUnderWayFrom('client')).toBe(false)
    network.cut('client', 'server')
    there.connection!.write([Buffer.from('late')])
    world.runFor(5000)
    expect([network.isUnderWayFrom('client'), network.isUnderWayFrom('server')]).toEqual([
      true,
      false,
    ])
    here.connection!.pauseReading()
    network.healAll()
    world.runFor(5000)
    expect([here.text(), network.isUnderWayFrom('client')]).toEqual(['', true])
    here.connection!.resumeReading()
    expect(world.runUntil(() => !network.isUnderWayFrom('client'), LIMIT_MS)).toBe(true)
    expect(here.text()).toBe('late')
  })

  it('stalls what was under way when the link was cut', () => {
    const { world, there, here } = startPair()
    for (let index = 0; index < 10; index += 1) there.connection!.write([Buffer.from(`${index}`)])
    world.network.cut('client', 'server')
    world.runFor(5000)
    expect(here.text()).toBe('')
    world.network.healAll()
    world.runFor(5000)
    expect(here.text()).toBe('0123456789')
  })

  it('lets a connection attempt wait at a cut link, whichever way is cut', () => {
    for (const [from, to] of [
      ['client', 'server'],
      ['server', 'client'],
    ] as const) {
      const { world, client, accepted } = startPair()
      world.network.cut(from, to)
      const late = connectTo(client.ports.network, { host: 'server', port: 9092 })
      world.runFor(5000)
      expect([late.opens, late.closes.length]).toEqual([0, 0])
      expect(accepted).toHaveLength(from === 'client' ? 1 : 2)
      world.network.heal(from, to)
      world.runFor(100)
      expect(late.opens).toBe(1)
    }
  })

  it('resets the connections of a crashed node after a while; its own end hears nothing', () => {
    const { world, server, there, here } = startPair()
    there.connection!.write([Buffer.from('on its way')])
    server.crash()
    expect(there.closes).toEqual([])
    world.runFor(100)
    expect(there.closes).toHaveLength(1)
    expect(there.closes[0]?.message).toContain('ECONNRESET')
    expect([here.closes, here.text()]).toEqual([[], ''])
  })

  it('lets the reset of a crashed node wait at a cut link', () => {
    const { world, server, there } = startPair()
    world.network.cut('server', 'client')
    server.crash()
    world.runFor(5000)
    expect(there.closes).toEqual([])
    world.network.heal('server', 'client')
    world.runFor(100)
    expect(there.closes).toHaveLength(1)
  })

  it('refuses connections to a crashed node until the next life listens', () => {
    const { world, server, client } = startPair()
    const address = { host: 'server', port: 9092 }
    server.crash()
    const refused = connectTo(client.ports.network, address)
    world.runFor(100)
    expect(refused.closes[0]?.message).toContain('ECONNREFUSED')
    server.restart()
    const accepted = listen(world, server, 9092)
    const welcome = connectTo(client.ports.network, address)
    world.runFor(100)
    expect([welcome.opens, accepted.length]).toEqual([1, 1])
  })

  it('knows a node by its name and by the usual names of itself', () => {
    const { world, server, accepted } = startPair()
    const own = connectTo(server.ports.network, { host: 'localhost', port: 9092 })
    const unknown = connectTo(server.ports.network, { host: 'nowhere', port: 9092 })
    world.runFor(100)
    expect([own.opens, accepted.length, unknown.closes.length]).toEqual([1, 2, 1])
    let failure: Error | null = null
    server.ports.network.listen(
      { host: 'client', port: 1 },
      () => expect.fail('accepted'),
      (error) => {
        failure = error
      },
    )
    world.runFor(1)
    expect(failure!.message).toContain('EADDRNOTAVAIL')
  })
})
