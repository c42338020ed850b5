// Goal: each fault of a link does what its name says, to the connections it names and no others. Method:
// a client and a server that note what they hear; faults are set by hand.
import { describe, expect, it } from 'vitest'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import { connectTo, RecordingEnd } from '../../../support/network-contract.ts'

const ADDRESS = { host: 'server', port: 9092 }
const SEEDS = Array.from({ length: 40 }, (_, index) => index)

function startPair(seed = 1) {
  const world = new SimWorld({ seed, cutPermille: 0 })
  const accepted: RecordingEnd[] = []
  world.node('server').ports.network.listen(
    ADDRESS,
    (connection) => {
      const end = new RecordingEnd()
      end.connection = connection
      accepted.push(end)
      return end
    },
    () => {},
  )
  world.runFor(1)
  const connect = (host = 'client'): RecordingEnd => {
    const end = connectTo(world.node(host).ports.network, ADDRESS)
    world.runFor(100)
    return end
  }
  return { world, connect, accepted, there: connect(), here: accepted[0]! }
}

function kinds(world: SimWorld): string[] {
  return world.trace.rows().map(({ kind }) => kind)
}

describe('connections between two hosts', () => {
  it('deliver in order within one, and overtake each other', () => {
    let overtaken = 0
    for (const seed of SEEDS) {
      const { world, connect, accepted, there } = startPair(seed)
      const second = connect()
      const order: string[] = []
      accepted.forEach((end, index) => {
        end.onBytes = (bytes) => order.push(`${index}${bytes.toString()}`)
      })
      there.connection!.write([Buffer.from('a')])
      there.connection!.write([Buffer.from('b')])
      second.connection!.write([Buffer.from('c')])
      world.runFor(100)
      expect(order.filter((what) => what.startsWith('0'))).toEqual(['0a', '0b'])
      if (order[0] === '1c') overtaken += 1
    }
    expect(overtaken).toBeGreaterThan(3)
  })

  it('are both reset, perhaps within a frame; later ones are not', () => {
    const lengths = new Set<number>()
    for (const seed of SEEDS) {
      const { world, connect, accepted, there, here } = startPair(seed)
      const other = connect('other')
      there.connection!.write([Buffer.from('0123456789')])
      world.network.reset('server', 'client')
      there.connection!.write([Buffer.from('too late')])
      const late = connect()
      world.runFor(100)
      for (const end of [there, here]) expect(end.closes[0]?.message).toContain('ECONNRESET')
      expect(here.closes).toHaveLength(1)
      expect('0123456789'.startsWith(here.text())).toBe(true)
      lengths.add(here.byteCount())
      late.connection!.write([Buffer.from('fresh')])
      world.runFor(100)
      expect([other.closes, late.closes, accepted[2]!.text()]).toEqual([[], [], 'fresh'])
    }
    expect(lengths.size).toBeGreaterThan(4)
  })

  it('wait while they are held, while a new one is free, and deliver late what was sent first', () => {
    const { world, connect, accepted, there, here } = startPair()
    there.connection!.write([Buffer.from('first')])
    world.network.hold('client', 'server')
    there.connection!.write([Buffer.from(' try')])
    here.connection!.write([Buffer.from('answer')])
    world.runFor(1000)
    there.connection!.destroy()
    const retry = connect()
    retry.connection!.write([Buffer.from('retry')])
    world.runFor(1000)
    expect([here.text(), there.text(), accepted[1]!.text()]).toEqual(['', '', 'retry'])
    expect(here.closes).toEqual([])
    world.network.release('server', 'client')
    world.runFor(100)
    expect([here.text(), here.closes.length, retry.closes]).toEqual(['first try', 1, []])
  })

  it('lose what one side sends and are reset for it; the requests before arrive', () => {
    const { world, connect, accepted, there, here } = startPair()
    const idle = connect()
    world.network.loseFrom('server', 'client')
    there.connection!.write([Buffer.from('request')])
    here.onBytes = () => here.connection!.write([Buffer.from('response')])
    world.runFor(100)
    expect([here.text(), there.text()]).toEqual(['request', ''])
    for (const end of [there, here]) expect(end.closes[0]?.message).toContain('ECONNRESET')
    expect(idle.closes).toEqual([])
    const later = connect()
    accepted[2]!.connection!.write([Buffer.from('heard')])
    world.runFor(100)
    expect(later.text()).toBe('heard')
    world.network.healAll()
    accepted[1]!.connection!.write([Buffer.from('spared')])
    world.runFor(100)
    expect(idle.text()).toBe('spared')
  })

  it('lose what was under way at once', () => {
    const { world, there, here } = startPair()
    here.connection!.write([Buffer.from('response')])
    world.network.loseFrom('server', 'client')
    world.runFor(100)
    expect([there.text(), there.closes.length, here.closes.length]).toEqual(['', 1, 1])
  })
})

describe('a slow host', () => {
  it('takes its factor longer for all that goes to and from it', () => {
    const tripMs = (factor: number, host: string): number => {
      const { world, there, here } = startPair()
      world.network.setLatencyFactor(host, factor)
      const startMs = world.scheduler.nowMs
      there.connection!.write([Buffer.from('x')])
      world.runUntil(() => here.byteCount() === 1, 60_000)
      return world.scheduler.nowMs - startMs
    }
    expect(tripMs(100, 'client')).toBeCloseTo(100 * tripMs(1, 'client'), 0)
    expect(tripMs(100, 'server')).toBeCloseTo(100 * tripMs(1, 'server'), 0)
    expect(tripMs(100, 'other')).toBe(tripMs(1, 'other'))
  })
})

describe('the trace of a network', () => {
  it('has a row for each fault and each heal', () => {
    const { world, connect } = startPair()
    const { network } = world
    connect()
    network.cut('client', 'server')
    network.hold('client', 'server')
    network.reset('client', 'server')
    network.loseFrom('client', 'server')
    network.setLatencyFactor('client', 5)
    network.release('client', 'server')
    network.healAll()
    network.healAll()
    expect(kinds(world).filter((kind) => !/open|accepted|reset$/.test(kind))).toEqual([
      'network.cut',
      'network.held',
      'network.reset-all',
      'network.losing',
      'network.latency-changed',
      'network.released',
      'network.healed',
      'network.latency-changed',
    ])
  })
})
