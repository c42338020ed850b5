import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConnectionError, TimeoutError, WireError } from '../../../../src/base/errors.ts'
import {
  ClientConnection,
  type ClientConnectionOptions,
} from '../../../../src/client/connection.ts'
import type { NodePorts } from '../../../../src/ports/ports.ts'
import { SimWorld, type SimWorldOptions } from '../../../../src/sim/sim-world.ts'
import { metadataApi } from '../../../../src/wire/messages/03-metadata.ts'
import { heartbeatApi } from '../../../../src/wire/messages/12-heartbeat.ts'
import { apiVersionsApi } from '../../../../src/wire/messages/18-api-versions.ts'
import { produceApi } from '../../../../src/wire/messages/00-produce.ts'
import { ScriptedBroker } from '../../../support/scripted-broker.ts'

const ADDRESS = { host: 'broker', port: 9092 }

interface Setup {
  readonly world: SimWorld
  readonly broker: ScriptedBroker
  readonly ports: NodePorts
  readonly connection: ClientConnection
  readonly closed: (Error | null)[]
  /** `ok` or the error's code, by request number, in order of ending. */
  readonly ended: string[]
  readonly send: (name: string, timeoutMs?: number) => void
}

function setUp(
  options: Partial<ClientConnectionOptions> & { world?: Partial<SimWorldOptions> } = {},
): Setup {
  const world = new SimWorld({ seed: 7, ...options.world })
  const broker = new ScriptedBroker(world.node('broker').ports, ADDRESS)
  broker.on(heartbeatApi, (_request, reply) => reply({}))
  broker.listen()
  const { ports } = world.node('client')
  const closed: (Error | null)[] = []
  const ended: string[] = []
  const connection = new ClientConnection({
    network: ports.network,
    clock: ports.clock,
    address: ADDRESS,
    clientId: 'test',
    onClosed: (error) => closed.push(error),
    ...options,
  })
  const send = (name: string, timeoutMs = 1000): void => {
    connection.request(heartbeatApi, 4, { groupId: name, memberId: '' }, timeoutMs, (error) => {
      ended.push(`${name} ${error === null ? 'ok' : (error as ConnectionError).code}`)
    })
  }
  world.runFor(1)
  return { world, broker, ports, connection, closed, ended, send }
}

const groups = (broker: ScriptedBroker): readonly string[] =>
  broker.requests(heartbeatApi).map(({ body }) => body.groupId)

describe('ClientConnection', () => {
  it('opens at the first request and answers in order', () => {
    const { world, broker, connection, ended, send } = setUp()
    expect([connection.state, broker.connectionCount]).toEqual(['idle', 0])
    for (const name of ['a', 'b', 'c']) send(name)
    expect([connection.state, ended]).toEqual(['connecting', []])
    world.runFor(50)
    expect(ended).toEqual(['a ok', 'b ok', 'c ok'])
    expect([connection.state, broker.connectionCount]).toEqual(['open', 1])
    expect(broker.seen.map((each) => [each.clientId, each.correlationId, each.version])).toEqual([
      ['test', 0, 4],
      ['test', 1, 4],
      ['test', 2, 4],
    ])
  })

  it('keeps one timer for all requests, and times out each at its own deadline', () => {
    const { world, broker, ended, send } = setUp({ maxInFlight: 1 })
    broker.on(heartbeatApi, (_request, reply) => reply.skip())
    send('held', 5000)
    world.runFor(50)
    const pending = world.scheduler.pending
    send('late', 900)
    send('early', 300)
    for (let index = 0; index < 20; index += 1) send(`other ${index}`, 2000)
    expect(world.scheduler.pending - pending).toBe(0)
    world.runFor(299)
    expect(ended).toEqual([])
    world.runFor(2)
    expect(ended).toEqual(['early TIMEOUT'])
    world.runFor(600)
    expect(ended).toEqual(['early TIMEOUT', 'late TIMEOUT'])
  })

  it('sends what comes later without waiting for what was asked before', () => {
    const { world, broker, ended, send } = setUp()
    const held: (() => void)[] = []
    broker.next(heartbeatApi, (_request, reply) => held.push(() => reply({})))
    for (const name of ['a', 'b', 'c']) send(name)
    world.runFor(50)
    expect([groups(broker), ended]).toEqual([['a'], []])
    held[0]!()
    world.runFor(50)
    expect(ended).toEqual(['a ok', 'b ok', 'c ok'])
  })

  it('has no more than maxInFlight requests under way', () => {
    const sent: number[] = []
    const { world, broker, ended, send } = setUp({ maxInFlight: 2 })
    broker.on(heartbeatApi, (request, reply) => {
      sent.push(request.correlationId)
      world.scheduler.after(10_000, 'answer', () => reply({}))
    })
    for (const name of ['a', 'b', 'c', 'd', 'e']) send(name)
    world.runFor(500)
    expect(ended).toHaveLength(5)
    expect(sent).toEqual([0, 1, 2, 3, 4])
  })

  it('refuses what would make its line longer than maxQueued', () => {
    const { world, ended, send } = setUp({ maxQueued: 3 })
    for (const name of ['a', 'b', 'c', 'd']) send(name)
    world.runFor(50)
    expect(ended).toEqual(['d CONNECTION', 'a ok', 'b ok', 'c ok'])
  })

  it('never calls back from inside a call', () => {
    const { world, connection, ended, send } = setUp()
    connection.close()
    send('a')
    expect(ended).toEqual([])
    world.runFor(1)
    expect(ended).toEqual(['a CONNECTION'])
  })

  it('ends a request that is not answered in time, and the connection with the others', () => {
    const { world, broker, connection, ended, closed, send } = setUp()
    broker.on(heartbeatApi, () => undefined)
    send('a', 5000)
    send('b', 300)
    send('c', 5000)
    world.runFor(299)
    expect(ended).toEqual([])
    world.runFor(100)
    expect(ended).toEqual(['a CONNECTION', 'c CONNECTION', 'b TIMEOUT'])
    expect([connection.state, connection.pendingCount, closed.length]).toEqual(['closed', 0, 1])
    expect(broker.openCount).toBe(0)
  })

  it('takes a request out of the line when its time is over before it was sent', () => {
    const { world, broker, connection, ended, send } = setUp({ maxInFlight: 1 })
    broker.next(heartbeatApi, (_request, reply) => {
      world.scheduler.after(500_000, 'late', () => reply({}))
    })
    send('a', 2000)
    send('b', 100)
    send('c', 2000)
    world.runFor(1000)
    expect(ended).toEqual(['b TIMEOUT', 'a ok', 'c ok'])
    expect([groups(broker), connection.state]).toEqual([['a', 'c'], 'open'])
  })

  it('waits for ever when told so', () => {
    const { world, broker, ended, send } = setUp()
    broker.on(heartbeatApi, (_request, reply) => {
      world.scheduler.after(3_600_000_000, 'hour', () => reply({}))
    })
    send('a', Infinity)
    world.runFor(3_600_100)
    expect(ended).toEqual(['a ok'])
  })

  it('fails all that is pending when nobody listens', () => {
    const { world, broker, connection, ended, closed, send } = setUp()
    broker.stop()
    send('a')
    send('b')
    world.runFor(100)
    expect(ended).toEqual(['a CONNECTION', 'b CONNECTION'])
    expect(closed).toEqual([expect.any(ConnectionError)])
    expect(connection.state).toBe('closed')
  })

  it('fails all that is pending when it takes too long to open', () => {
    const { world, ended, closed, send } = setUp({ setupTimeoutMs: 200 })
    world.network.cut('client', 'broker')
    send('a', 10_000)
    world.runFor(201)
    expect(ended).toEqual(['a CONNECTION'])
    expect(closed[0]!.message).toBe('no connection to broker:9092 within 200 ms')
  })

  it('fails what is pending when the other side ends, and nothing twice', () => {
    const { world, broker, ended, closed, send } = setUp()
    broker.on(heartbeatApi, (request, reply) => {
      if (request.body.groupId === 'b') reply.drop()
      else reply({})
    })
    for (const name of ['a', 'b', 'c']) send(name)
    world.runFor(2000)
    expect(ended).toEqual(['a ok', 'b CONNECTION', 'c CONNECTION'])
    expect(closed).toHaveLength(1)
  })

  it('fails what is pending on close, which may be called twice', () => {
    const { world, connection, ended, closed, send } = setUp()
    send('a')
    connection.close()
    connection.close()
    expect([ended, closed]).toEqual([['a CONNECTION'], [null]])
    world.runFor(2000)
    expect(ended).toEqual(['a CONNECTION'])
  })

  it('lets a callback of a failed request ask again without harm', () => {
    const { world, connection, ended, send } = setUp()
    connection.request(heartbeatApi, 4, { groupId: 'a' }, 1000, () => send('again'))
    connection.close()
    world.runFor(10)
    expect(ended).toEqual(['again CONNECTION'])
  })

  it('gives a body that cannot be encoded back to its sender only', () => {
    const { world, connection, ended, send } = setUp()
    const errors: (Error | null)[] = []
    const body = { groupId: 'a', groupInstanceId: 'static' }
    connection.request(heartbeatApi, 2, body, 1000, (error) => errors.push(error))
    connection.request(heartbeatApi, 99, {}, 1000, (error) => errors.push(error))
    send('b')
    world.runFor(50)
    expect(errors).toEqual([expect.any(WireError), expect.any(WireError)])
    expect(ended).toEqual(['b ok'])
  })

  it('drops the connection on an answer that cannot be read', () => {
    const { world, broker, connection, ended, send } = setUp()
    broker.on(heartbeatApi, (request, reply) => {
      const bytes = Buffer.alloc(5)
      bytes.writeInt32BE(request.correlationId)
      reply.raw(bytes)
    })
    send('a')
    send('b')
    world.runFor(50)
    expect(ended).toEqual(['b CONNECTION', 'a WIRE'])
    expect(connection.state).toBe('closed')
  })

  it('drops the connection on an answer to another request, or to none', () => {
    for (const id of [5, -1]) {
      const { world, broker, connection, ended, send } = setUp()
      broker.on(heartbeatApi, (_request, reply) => {
        const bytes = Buffer.alloc(12)
        bytes.writeInt32BE(id)
        reply.raw(bytes)
      })
      send('a')
      world.runFor(50)
      expect([ended, connection.state]).toEqual([['a CONNECTION'], 'closed'])
    }
  })

  it('drops the connection on a frame that is larger than allowed', () => {
    const { world, broker, ended, send } = setUp({ maxFrameBytes: 100 })
    broker.on(heartbeatApi, (_request, reply) => reply.raw(Buffer.alloc(101)))
    send('a')
    world.runFor(50)
    expect(ended).toEqual(['a CONNECTION'])
  })

  it('reads the version 0 answer of a broker that is too old for this ApiVersions (KIP-511)', () => {
    const { world, broker, connection } = setUp()
    broker.advertise(new Map([[18, [0, 2]]]))
    const answers: unknown[] = []
    connection.request(apiVersionsApi, 4, {}, 1000, (error, response) => {
      answers.push(error, response?.errorCode, response?.apiKeys)
    })
    world.runFor(50)
    expect(answers).toEqual([null, 35, [{ apiKey: 18, minVersion: 0, maxVersion: 2 }]])
  })

  it('sends requests that have no answer in their place', () => {
    const { world, broker, connection, ended, send } = setUp()
    broker.on(produceApi, (_request, reply) => reply.skip())
    send('a')
    expect(connection.requestOneWay(produceApi, 9, { acks: 0, timeoutMs: 1 })).toBe(true)
    send('b')
    world.runFor(50)
    expect(broker.seen.map(({ api }) => api)).toEqual(['Heartbeat', 'Produce', 'Heartbeat'])
    expect(ended).toEqual(['a ok', 'b ok'])
    connection.close()
    expect(connection.requestOneWay(produceApi, 9, { acks: 0 })).toBe(false)
  })

  it('waits for the network to drain before it writes more', () => {
    const { world, broker, ended, send } = setUp({ world: { highWaterBytes: 200 } })
    const names = Array.from({ length: 60 }, (_, index) => `${index}`)
    for (const name of names) send(name)
    world.runFor(200)
    expect(ended).toEqual(names.map((name) => `${name} ok`))
    expect(groups(broker)).toEqual(names)
  })

  it('decodes by the version that was asked for', () => {
    const { world, broker, connection } = setUp()
    broker.on(metadataApi, (_request, reply) => reply({ clusterId: 'c', controllerId: 3 }))
    const seen: unknown[] = []
    for (const version of [0, 2, 12]) {
      connection.request(metadataApi, version, { topics: [] }, 1000, (_error, response) => {
        seen.push(response?.clusterId ?? null)
      })
    }
    world.runFor(50)
    expect(seen).toEqual([null, 'c', 'c'])
  })

  it('ends every request exactly once, whatever happens', () => {
    const action = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('send' as const), ms: fc.nat(40) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(30) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), ms: fc.nat(1) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset' as const), ms: fc.nat(1) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), ms: fc.nat(1) }) },
    )
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), fc.nat(1000), (actions, seed) => {
        const { world, broker, connection, send, ended } = setUp({
          maxInFlight: 3,
          maxQueued: 5,
          setupTimeoutMs: 20,
          world: { seed },
        })
        broker.on(heartbeatApi, (request, reply) => {
          if (request.correlationId % 7 === 3) return
          world.scheduler.after(5000, 'answer', () => reply({}))
        })
        let count = 0
        for (const { kind, ms } of actions) {
          if (kind === 'send') send(`${count++}`, ms)
          else if (kind === 'wait') world.runFor(ms)
          else if (kind === 'close') connection.close()
          else if (kind === 'reset') broker.dropConnections()
          else world.network.cut('broker', 'client')
        }
        world.runFor(200)
        const names = ended.map((each) => Number(each.split(' ')[0])).sort((a, b) => a - b)
        expect(names).toEqual(Array.from({ length: count }, (_, index) => index))
        expect(connection.pendingCount).toBe(0)
      }),
      { numRuns: 200 },
    )
  })

  it('tells a time-out by its type', () => {
    const { world, broker, connection } = setUp()
    broker.on(heartbeatApi, () => undefined)
    const errors: (Error | null)[] = []
    connection.request(heartbeatApi, 4, {}, 50, (error) => errors.push(error))
    world.runFor(60)
    expect(errors).toEqual([expect.any(TimeoutError)])
  })
})
