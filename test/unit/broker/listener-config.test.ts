import { describe, expect, it } from 'vitest'
import { parseBrokerConfig } from '../../../broker/config.ts'
import { ConfigError } from '../../../src/base/errors.ts'
import { listenerPlan, type ListenerPlan } from '../../../broker/listener-config.ts'

function plan(properties: Readonly<Record<string, string>>): ListenerPlan {
  return listenerPlan(
    parseBrokerConfig({
      'node.id': '1',
      'process.roles': 'broker,controller',
      'controller.listener.names': 'CONTROLLER',
      'controller.quorum.voters': '1@localhost:9093',
      listeners: 'PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093',
      ...properties,
    }),
  )
}

describe('listenerPlan', () => {
  it('tells listeners of clients from those of the quorum', () => {
    const { brokers, controllers, advertised, interBrokerName, voters } = plan({})
    expect(brokers).toEqual([{ name: 'PLAINTEXT', host: 'localhost', port: 9092 }])
    expect(controllers).toEqual([{ name: 'CONTROLLER', host: 'localhost', port: 9093 }])
    expect([...advertised]).toEqual([['PLAINTEXT', { host: 'localhost', port: 9092 }]])
    expect(interBrokerName).toBe('PLAINTEXT')
    expect(voters).toEqual([{ nodeId: 1, host: 'localhost', port: 9093 }])
  })

  it('advertises what advertised.listeners says, and the listener itself where it says nothing', () => {
    const { advertised, interBrokerName } = plan({
      listeners: 'INNER://10.0.0.1:9091,OUTER://:9092,CONTROLLER://:9093',
      'advertised.listeners': 'OUTER://kafka.example.org:19092',
      'inter.broker.listener.name': 'INNER',
    })
    expect([...advertised]).toEqual([
      ['INNER', { host: '10.0.0.1', port: 9091 }],
      ['OUTER', { host: 'kafka.example.org', port: 19_092 }],
    ])
    expect(interBrokerName).toBe('INNER')
  })

  it('reads IPv6 addresses', () => {
    const { brokers, voters } = plan({
      listeners: 'PLAINTEXT://[::1]:9092,CONTROLLER://[::1]:9093',
      'controller.quorum.voters': '1@[::1]:9093,2@[fe80::2]:9093',
    })
    expect(brokers[0]).toEqual({ name: 'PLAINTEXT', host: '::1', port: 9092 })
    expect(voters.map(({ host }) => host)).toEqual(['::1', 'fe80::2'])
  })

  it.each([
    ['PLAINTEXT:localhost:9092', 'listeners: expected NAME://host:port'],
    ['PLAINTEXT://localhost', 'listeners: expected NAME://host:port'],
    ['PLAINTEXT://localhost:70000', 'not "PLAINTEXT://localhost:70000"'],
    ['CONTROLLER://localhost:9093', 'inter.broker.listener.name "" is none of the listeners'],
    ['PLAINTEXT://a:1,PLAINTEXT://b:2,CONTROLLER://c:3', '"PLAINTEXT" is there twice'],
    ['PLAINTEXT://a:1,OUTER://a:1,CONTROLLER://c:3', 'two listeners on a:1'],
  ])('refuses listeners=%s', (listeners, message) => {
    expect(() => plan({ listeners })).toThrow(message)
  })

  it('refuses what fits no listener', () => {
    expect(() => plan({ 'inter.broker.listener.name': 'INNER' })).toThrow(
      'inter.broker.listener.name "INNER" is none of the listeners PLAINTEXT://localhost:9092',
    )
    expect(() => plan({ 'advertised.listeners': 'OUTER://a:1' })).toThrow(
      'advertised.listeners: "OUTER" is none of the listeners',
    )
    expect(() => plan({ 'controller.quorum.voters': '1-localhost:9093' })).toThrow(
      'controller.quorum.voters: expected id@host:port, not "1-localhost:9093"',
    )
    expect(() => plan({ 'controller.quorum.voters': '1@a:1,1@b:2' })).toThrow(
      'controller.quorum.voters: node 1 is there twice',
    )
  })
})

/** The settings of a node that is a broker only, or a controller only. */
const BROKER = {
  'process.roles': 'broker',
  'node.id': '1',
  'controller.quorum.voters': '101@c1:9093',
  listeners: 'PLAINTEXT://b1:9092',
}
const CONTROLLER = {
  'process.roles': 'controller',
  'node.id': '101',
  'controller.quorum.voters': '101@c1:9093,102@c2:9093',
  listeners: 'CONTROLLER://c1:9093',
}

/** What is wrong with these settings; any other error than a `ConfigError` is thrown on. */
function refusal(properties: Readonly<Record<string, string>>): string {
  try {
    plan(properties)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return ''
}

describe('listenerPlan by roles', () => {
  it('gives a broker no listener of the quorum, and a controller no other', () => {
    expect(plan(BROKER)).toMatchObject({
      roles: { isBroker: true, isController: false },
      brokers: [{ name: 'PLAINTEXT' }],
      controllers: [],
      interBrokerName: 'PLAINTEXT',
    })
    expect(plan(CONTROLLER)).toMatchObject({
      roles: { isBroker: false, isController: true },
      brokers: [],
      controllers: [{ name: 'CONTROLLER' }],
      interBrokerName: null,
    })
    expect(plan({}).roles).toEqual({ isBroker: true, isController: true })
  })

  it.each([
    [{ 'process.roles': '' }, 'process.roles: a node has at least one role'],
    [{ 'process.roles': 'broker,broker' }, 'process.roles: a role is there twice'],
    [{ 'process.roles': 'zookeeper' }, 'process.roles'],
    [{ 'controller.quorum.voters': '' }, 'controller.quorum.voters'],
    [
      { 'controller.quorum.voters': '2@b:1' },
      'controller.quorum.voters: node 1 must be in it when process.roles has "controller"',
    ],
    [
      { 'advertised.listeners': 'CONTROLLER://a:1' },
      'advertised.listeners: "CONTROLLER" is none of the listeners for clients',
    ],
    [
      { 'controller.listener.names': 'CONTROLLER,OTHER' },
      '"OTHER" must be in listeners when process.roles has "controller"',
    ],
    [{ 'controller.listener.names': '' }, 'controller.listener.names: at least one listener'],
    [
      { ...BROKER, 'node.id': '101' },
      'controller.quorum.voters: node 101 must not be in it when process.roles is "broker"',
    ],
    [
      { ...BROKER, listeners: 'PLAINTEXT://b1:9092,CONTROLLER://b1:9093' },
      'controller.listener.names=CONTROLLER: none of them may be in listeners',
    ],
    [
      { ...CONTROLLER, 'node.id': '103' },
      'controller.quorum.voters: node 103 must be in it when process.roles has "controller"',
    ],
    [
      { ...CONTROLLER, listeners: 'CONTROLLER://c1:9093,PLAINTEXT://c1:9092' },
      'listeners: "PLAINTEXT" is for clients',
    ],
    [
      { ...CONTROLLER, listeners: 'PLAINTEXT://c1:9092' },
      '"CONTROLLER" must be in listeners when process.roles has "controller"',
    ],
    [
      { ...CONTROLLER, 'inter.broker.listener.name': 'CONTROLLER' },
      'inter.broker.listener.name: not for process.roles=controller',
    ],
    [
      { ...CONTROLLER, 'advertised.listeners': 'CONTROLLER://c1:9093' },
      'advertised.listeners: "CONTROLLER" is none of the listeners for clients',
    ],
  ])('refuses %o in one line', (properties, message) => {
    const text = refusal(properties)
    expect(text).toContain(message)
    expect(text).not.toContain('\n')
  })
})
