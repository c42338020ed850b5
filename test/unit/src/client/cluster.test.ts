import { describe, expect, it } from 'vitest'
import { parseClientConfig, type Properties } from '../../../../src/client/client-config.ts'
import { parseAddresses } from '../../../../src/client/client-ports.ts'
import { Cluster, type Target } from '../../../../src/client/cluster.ts'
import { MetadataUpdater } from '../../../../src/client/metadata-updater.ts'
import { metadataApi } from '../../../../src/wire/messages/03-metadata.ts'
import { heartbeatApi } from '../../../../src/wire/messages/12-heartbeat.ts'
import { ScriptedCluster } from '../../../support/scripted-cluster.ts'

function setUp(properties: Properties = {}, brokers = 3) {
  const scripted = new ScriptedCluster({ brokers })
  scripted.createTopic('t', 3)
  const { config } = parseClientConfig('admin', {
    'bootstrap.servers': scripted.bootstrap,
    ...properties,
  })
  const events: string[] = []
  const { ports } = scripted.clientNode
  const cluster = new Cluster(config, {
    ...ports,
    events: { emit: (kind) => events.push(kind) },
  })
  const updater = new MetadataUpdater(cluster, { allowAutoTopicCreation: false })
  for (const broker of scripted.brokers.values()) {
    broker.on(heartbeatApi, (_request, reply) => reply({}))
  }
  const ended: string[] = []
  const ask = (to: Target): void => {
    const call = { api: heartbeatApi, body: () => ({}), timeoutMs: 500 }
    cluster.request(to, 'main', call, (error) => ended.push(error === null ? 'ok' : error.message))
  }
  const refreshes = (): number =>
    [...scripted.brokers.values()].reduce((sum, each) => sum + each.requests(metadataApi).length, 0)
  scripted.world.runFor(1)
  return { scripted, world: scripted.world, cluster, updater, events, ended, ask, refreshes }
}

describe('Cluster', () => {
  it('reaches the cluster by any bootstrap server that lives', () => {
    const { scripted, world, cluster, updater } = setUp()
    scripted.broker(1).stop()
    scripted.broker(2).stop()
    updater.track(['t'])
    world.runFor(2000)
    expect(cluster.metadata.topic('t')!.partitions).toHaveLength(3)
  })

  it('says which servers it tried when there is none', () => {
    const { scripted, world, ended, ask } = setUp({ 'reconnect.backoff.ms': '1000' }, 2)
    scripted.broker(1).stop()
    scripted.broker(2).stop()
    for (let turn = 0; turn < 3; turn += 1) {
      ask('any')
      world.runFor(20)
    }
    expect(ended[2]).toBe('none of the bootstrap servers can be reached: b1:9092, b2:9092')
  })

  it('sends to the broker that was asked for, and refuses unknown ones', () => {
    const { scripted, world, updater, ended, ask } = setUp()
    ask(2)
    world.runFor(10)
    expect(ended).toEqual(['broker 2 is unknown'])
    updater.track(['t'])
    world.runFor(50)
    ask(2)
    ask('controller')
    world.runFor(50)
    expect(ended.slice(1)).toEqual(['ok', 'ok'])
    expect(scripted.broker(2).requests(heartbeatApi)).toHaveLength(1)
    expect(scripted.broker(1).requests(heartbeatApi)).toHaveLength(1)
  })

  it('keeps a connection for each lane', () => {
    const { scripted, world, cluster, updater } = setUp({}, 1)
    updater.track(['t'])
    world.runFor(50)
    const before = scripted.broker(1).connectionCount
    const call = { api: heartbeatApi, body: () => ({}), timeoutMs: 500 }
    for (const lane of ['main', 'coordinator', 'fetch', 'coordinator', 'fetch'] as const) {
      cluster.request(1, lane, call, () => undefined)
    }
    world.runFor(50)
    expect(scripted.broker(1).connectionCount - before).toBe(3)
  })

  it('waits longer and longer before it connects to a lost broker again', () => {
    const { scripted, world, updater, cluster, ended, ask } = setUp()
    updater.track(['t'])
    world.runFor(50)
    scripted.broker(2).stop()
    ask(2)
    world.runFor(5)
    expect(cluster.canReach(2)).toBe(false)
    ask(2)
    world.runFor(1)
    expect(ended.at(-1)).toBe('b2:9092 was lost, not tried again yet')
    const waits: number[] = []
    for (let turn = 0; turn < 6; turn += 1) {
      const fromMs = world.scheduler.nowMs
      while (!cluster.canReach(2)) world.runFor(1)
      waits.push(world.scheduler.nowMs - fromMs)
      ask(2)
      world.runFor(5)
    }
    expect(waits[5]!).toBeGreaterThan(waits[0]! * 4)
    expect(Math.max(...waits)).toBeLessThan(1210)
    scripted.broker(2).listen()
    while (!cluster.canReach(2)) world.runFor(1)
    ask(2)
    world.runFor(50)
    expect(ended.at(-1)).toBe('ok')
  })

  it('begins again with the bootstrap servers when all known brokers are gone', () => {
    const { scripted, world, cluster, updater, events } = setUp(
      { 'bootstrap.servers': 'b1:9092' },
      1,
    )
    scripted.broker(1).on(metadataApi, (request, reply) =>
      reply({
        ...scripted.metadataFor(request.body),
        brokers: [{ nodeId: 7, host: 'elsewhere', port: 1 }],
      }),
    )
    updater.track(['t'])
    world.runFor(50)
    expect([...cluster.metadata.nodes.keys()]).toEqual([7])
    scripted
      .broker(1)
      .on(metadataApi, (request, reply) => reply(scripted.metadataFor(request.body)))
    updater.requestUpdate()
    world.runFor(5000)
    expect(events).toContain('client.rebootstrapped')
    expect([...cluster.metadata.nodes.keys()]).toEqual([1])
  })

  it('does not when metadata.recovery.strategy is none', () => {
    const { scripted, world, cluster, updater, events } = setUp(
      { 'bootstrap.servers': 'b1:9092', 'metadata.recovery.strategy': 'none' },
      1,
    )
    scripted.broker(1).on(metadataApi, (request, reply) =>
      reply({
        ...scripted.metadataFor(request.body),
        brokers: [{ nodeId: 7, host: 'elsewhere', port: 1 }],
      }),
    )
    updater.track(['t'])
    world.runFor(50)
    updater.requestUpdate()
    world.runFor(5000)
    expect(events).not.toContain('client.rebootstrapped')
    expect([...cluster.metadata.nodes.keys()]).toEqual([7])
  })

  it('fails everything on close and refuses what comes after', () => {
    const { world, cluster, ended, ask } = setUp()
    ask('any')
    cluster.close()
    cluster.close()
    ask('any')
    world.runFor(2000)
    expect(ended).toEqual([
      expect.stringMatching(/^connection to b\d:9092 was closed$/),
      'the client is closed',
    ])
  })
})

describe('MetadataUpdater', () => {
  it('gives a topic to whoever waits for it, also when it appears later', () => {
    const { scripted, world, updater } = setUp()
    const got: unknown[] = []
    updater.whenTopic('t', 1, 1000, (error, topic) => got.push(error ?? topic!.name))
    updater.whenTopic('later', 2, 5000, (error, topic) =>
      got.push(error ?? topic!.partitions.length),
    )
    world.runFor(1000)
    expect(got).toEqual(['t'])
    scripted.createTopic('later', 2)
    world.runFor(2000)
    expect(got).toEqual(['t', 2])
  })

  it('says why a topic could not be had', () => {
    const { scripted, world, updater } = setUp({}, 1)
    const errors: { code: string; message: string }[] = []
    const note = (error: Error | null): void => {
      errors.push(error as never)
    }
    updater.whenTopic('missing', 1, 500, note)
    updater.whenTopic('t', 99, 500, note)
    world.runFor(600)
    expect(errors.map(({ code }) => code)).toEqual(['TIMEOUT', 'TIMEOUT'])
    expect(errors[0]!.message).toContain('topic "missing": not done within 500 ms')
    scripted
      .broker(1)
      .on(metadataApi, (_request, reply) =>
        reply({ topics: [{ name: 'bad', errorCode: 17, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }] }),
      )
    updater.whenTopic('bad', 1, 5000, note)
    world.runFor(600)
    expect(errors[2]!.code).toBe('INVALID_TOPIC_EXCEPTION')
  })

  it('does not refresh more often than the back-off allows', () => {
    const { world, updater, refreshes } = setUp()
    updater.track(['t'])
    world.runFor(50)
    expect(refreshes()).toBe(1)
    for (let turn = 0; turn < 100; turn += 1) {
      updater.requestUpdate()
      world.runFor(5)
    }
    expect(refreshes()).toBeGreaterThanOrEqual(4)
    expect(refreshes()).toBeLessThanOrEqual(8)
  })

  it('asks for a new topic right after the request under way', () => {
    const { scripted, world, updater, cluster, refreshes } = setUp()
    scripted.createTopic('u', 1)
    updater.track(['t'])
    updater.track(['u'])
    world.runFor(20)
    expect(refreshes()).toBe(2)
    expect([...cluster.metadata.topics.keys()]).toEqual(['t', 'u'])
  })

  it('refreshes when the metadata is old', () => {
    const { world, updater, refreshes } = setUp({ 'metadata.max.age.ms': '1000' })
    updater.track(['t'])
    world.runFor(3500)
    expect(refreshes()).toBe(4)
  })

  it('goes on as long as a partition has no leader', () => {
    const { scripted, world, cluster, updater, refreshes } = setUp()
    scripted.moveLeader('t', 0, -1)
    updater.track(['t'])
    world.runFor(3000)
    expect(refreshes()).toBeGreaterThan(3)
    scripted.moveLeader('t', 0, 2)
    world.runFor(1500)
    expect(cluster.metadata.partition('t', 0)!.leader).toBe(2)
    const before = refreshes()
    world.runFor(5000)
    expect(refreshes()).toBe(before)
  })

  it('begins again with the bootstrap servers when a broker asks for it', () => {
    const { scripted, world, cluster, updater, events } = setUp({}, 1)
    scripted.broker(1).next(metadataApi, (_request, reply) => reply({ errorCode: 129 }))
    updater.track(['t'])
    world.runFor(2000)
    expect(events).toContain('client.rebootstrapped')
    expect(cluster.metadata.topic('t')).not.toBeNull()
  })

  it('answers a refresh with what was asked after it', () => {
    const { scripted, world, cluster, updater } = setUp({}, 1)
    const held: (() => void)[] = []
    scripted.broker(1).next(metadataApi, (request, reply) => {
      const body = scripted.metadataFor(request.body)
      held.push(() => reply(body))
    })
    updater.track(['t'])
    world.runFor(20)
    scripted.moveLeader('t', 0, 1)
    const seen: number[] = []
    updater.refresh(() => seen.push(cluster.metadata.partition('t', 0)!.leaderEpoch))
    held[0]!()
    world.runFor(500)
    expect(seen).toEqual([1])
  })
})

describe('parseAddresses', () => {
  it('reads hosts, IPv6 and a protocol in front', () => {
    expect(parseAddresses(['a:1', '[::1]:9092', 'PLAINTEXT://b.c:65535'])).toEqual([
      { host: 'a', port: 1 },
      { host: '::1', port: 9092 },
      { host: 'b.c', port: 65535 },
    ])
  })

  it('refuses anything else with its text', () => {
    for (const bad of ['a', 'a:', ':1', 'a:0', 'a:65536', 'a:b', '::1:9', '']) {
      expect(() => parseAddresses([bad])).toThrow(`"${bad}"`)
    }
  })
})
