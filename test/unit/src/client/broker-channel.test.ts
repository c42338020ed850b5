import { describe, expect, it } from 'vitest'
import { BrokerChannel } from '../../../../src/client/broker-channel.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import { heartbeatApi } from '../../../../src/wire/messages/12-heartbeat.ts'
import { apiVersionsApi } from '../../../../src/wire/messages/18-api-versions.ts'
import { initProducerIdApi } from '../../../../src/wire/messages/22-init-producer-id.ts'
import { ScriptedBroker, type Ranges } from '../../../support/scripted-broker.ts'

const ADDRESS = { host: 'broker', port: 9092 }

function setUp(ranges?: Ranges) {
  const world = new SimWorld({ seed: 3 })
  const broker = new ScriptedBroker(world.node('broker').ports, ADDRESS)
  if (ranges !== undefined) broker.advertise(ranges)
  broker.on(heartbeatApi, (_request, reply) => reply({}))
  broker.on(initProducerIdApi, (_request, reply) => reply({ producerId: 5 }))
  broker.listen()
  const { network, clock } = world.node('client').ports
  const events: string[] = []
  const channel = new BrokerChannel({
    network,
    clock,
    address: ADDRESS,
    clientId: null,
    setupTimeoutMs: 100,
    requestTimeoutMs: 1000,
    onReady: () => events.push('ready'),
    onClosed: () => events.push('closed'),
  })
  const ended: string[] = []
  const send = (name: string, limits = {}, timeoutMs = 1000): void => {
    const body = (): object => ({ groupId: name })
    channel.request({ api: heartbeatApi, body, limits, timeoutMs }, (error, _response, version) => {
      ended.push(
        error === null ? `${name} v${version}` : `${name} ${(error as { code?: string }).code}`,
      )
    })
  }
  world.runFor(1)
  return { world, broker, channel, ended, events, send }
}

describe('BrokerChannel', () => {
  it('asks for the versions first and then sends in the newest that both know', () => {
    const { world, broker, ended, events, send } = setUp(
      new Map([
        [12, [1, 3]],
        [18, [0, 4]],
      ]),
    )
    send('a')
    send('b', { max: 2 })
    world.runFor(50)
    expect(broker.seen.map((each) => `${each.api} v${each.version}`)).toEqual([
      'ApiVersions v4',
      'Heartbeat v3',
      'Heartbeat v2',
    ])
    expect([ended, events]).toEqual([['a v3', 'b v2'], ['ready']])
  })

  it('names itself in ApiVersions', () => {
    const { world, broker, send } = setUp()
    send('a')
    world.runFor(50)
    const [first] = broker.requests(apiVersionsApi)
    expect(first!.body).toMatchObject({ clientSoftwareName: 'kafkette' })
  })

  it('goes down to what a broker can when it is too old for the first ApiVersions', () => {
    for (const newest of [3, 2, 0]) {
      const ranges: Ranges = new Map([
        [12, [0, 4]],
        [18, [0, newest]],
      ])
      const { world, broker, ended, send } = setUp(ranges)
      send('a')
      world.runFor(50)
      expect(broker.requests(apiVersionsApi).map(({ version }) => version)).toEqual([4, newest])
      expect([broker.connectionCount, ended]).toEqual([1, ['a v4']])
    }
  })

  it('refuses what the broker does not serve, and what no version of both allows', () => {
    const { world, ended, send } = setUp(
      new Map([
        [18, [0, 4]],
        [12, [1, 2]],
      ]),
    )
    send('a', { min: 3 })
    send('b', { max: 0 })
    send('c')
    world.runFor(50)
    expect(ended).toEqual(['a UNSUPPORTED_VERSION', 'b UNSUPPORTED_VERSION', 'c v2'])
  })

  it('never uses a version that is not stable yet', () => {
    const { world, channel } = setUp()
    const versions: number[] = []
    const call = { api: initProducerIdApi, body: () => ({ transactionalId: null }), timeoutMs: 100 }
    channel.request(call, (_error, _response, version) => versions.push(version))
    world.runFor(50)
    expect(initProducerIdApi.request.validVersions[1]).toBe(6)
    expect(versions).toEqual([5])
  })

  it('ends calls in time while the broker keeps its versions to itself', () => {
    const { world, broker, ended, send } = setUp()
    broker.on(apiVersionsApi, () => undefined)
    send('a', {}, 200)
    send('b', {}, 5000)
    world.runFor(250)
    expect(ended).toEqual(['a TIMEOUT'])
    world.runFor(1000)
    expect(ended).toEqual(['a TIMEOUT', 'b CONNECTION'])
  })

  it('fails its calls when the broker refuses ApiVersions', () => {
    const { world, broker, channel, ended, send } = setUp()
    broker.on(apiVersionsApi, (_request, reply) => reply({ errorCode: 29 }))
    send('a')
    world.runFor(50)
    expect([ended, channel.isClosed]).toEqual([['a TOPIC_AUTHORIZATION_FAILED'], true])
  })

  it('fails its calls when the connection cannot be made', () => {
    const { world, broker, ended, events, send } = setUp()
    broker.stop()
    send('a')
    world.runFor(50)
    expect([ended, events]).toEqual([['a CONNECTION'], ['closed']])
  })

  it('knows ranges and features', () => {
    const { world, broker, channel, send } = setUp()
    broker.on(apiVersionsApi, (_request, reply) =>
      reply({
        apiKeys: [{ apiKey: 12, minVersion: 0, maxVersion: 4 }],
        finalizedFeatures: [
          { name: 'transaction.version', maxVersionLevel: 2, minVersionLevel: 1 },
        ],
      }),
    )
    expect(channel.versions).toBeNull()
    send('a')
    world.runFor(50)
    expect(channel.versions!.range(12)).toEqual([0, 4])
    expect(channel.versions!.range(13)).toBeNull()
    expect(channel.versions!.featureLevel('transaction.version')).toBe(2)
    expect(channel.versions!.featureLevel('group.version')).toBe(0)
  })
})
