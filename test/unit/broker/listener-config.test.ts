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
      'listener.security.protocol.map': 'INNER:PLAINTEXT,OUTER:PLAINTEXT,CONTROLLER:PLAINTEXT',
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
    ['PLAINTEXT:localhost:9092', 'Unable to parse PLAINTEXT:localhost:9092 to a broker endpoint'],
    ['PLAINTEXT://localhost', "'[PLAINTEXT://localhost]': Unable to parse PLAINTEXT://localhost"],
    ['PLAINTEXT://localhost:70000', 'Unable to parse PLAINTEXT://localhost:70000'],
    ['CONTROLLER://localhost:9093', 'There must be at least one broker advertised listener.'],
    [
      'PLAINTEXT://a:1,PLAINTEXT://b:2,CONTROLLER://c:3',
      'Each listener must have a different name, listeners: [PLAINTEXT://a:1, PLAINTEXT://b:2,',
    ],
    ['PLAINTEXT://a:1,SSL://a:1,CONTROLLER://c:3', 'Each listener must have a different port'],
    [
      'PLAINTEXT://a:1,OUTER://a:2,CONTROLLER://c:3',
      'No security protocol defined for listener OUTER',
    ],
    ['SSL://a:1,CONTROLLER://c:3', 'listener SSL has SSL, but this version serves PLAINTEXT only'],
  ])('refuses listeners=%s', (listeners, message) => {
    expect(() => plan({ listeners })).toThrow(message)
  })

  it('takes a controller listener in advertised.listeners, as the file of Kafka 4 has it', () => {
    const { advertised } = plan({
      'advertised.listeners': 'PLAINTEXT://one:9092,CONTROLLER://one:9093',
    })
    expect([...advertised]).toEqual([['PLAINTEXT', { host: 'one', port: 9092 }]])
  })

  it.each([
    [{ 'inter.broker.listener.name': 'INNER' }, 'Listener with name INNER defined in'],
    [
      { 'inter.broker.listener.name': 'SSL' },
      'The valid options based on currently configured listeners are PLAINTEXT',
    ],
    [{ 'advertised.listeners': 'OUTER://a:1' }, '"OUTER" is none of the listeners'],
    [{ 'advertised.listeners': 'PLAINTEXT://0.0.0.0:1' }, 'nonroutable meta-address 0.0.0.0'],
    [
      { 'listener.security.protocol.map': 'PLAINTEXT:FOO' },
      'Invalid security protocol `FOO` defined in listener.security.protocol.map',
    ],
    [{ 'listener.security.protocol.map': 'PLAINTEXT' }, 'expected NAME:PROTOCOL'],
    [
      { 'controller.quorum.voters': '1-localhost:9093' },
      'Each entry should be in the form `{id}@{host}:{port}`, not "1-localhost:9093"',
    ],
    [
      { 'controller.quorum.voters': '1@a:1,1@b:2' },
      'controller.quorum.voters: node 1 is there twice',
    ],
  ])('refuses %o', (properties, message) => {
    expect(() => plan(properties)).toThrow(message)
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
    [{ 'process.roles': '' }, "Configuration 'process.roles' must not be empty."],
    [{ 'process.roles': 'broker,broker' }, 'process.roles: a role is there twice'],
    [{ 'process.roles': 'zookeeper' }, 'String must be one of: broker, controller'],
    [{ 'controller.quorum.voters': '' }, 'controller.quorum.voters'],
    [
      { 'controller.quorum.voters': '2@b:1' },
      "If process.roles contains the 'controller' role, the node id 1 must be included in the set of voters " +
        'controller.quorum.voters=Set(2)',
    ],
    [{ 'controller.listener.names': '' }, 'controller.listener.names must contain at least one'],
    [
      { ...BROKER, 'node.id': '101' },
      "just the 'broker' role, the node id 101 must not be included in the set of voters",
    ],
    [
      { ...BROKER, listeners: 'PLAINTEXT://b1:9092,CONTROLLER://b1:9093' },
      'when running KRaft with just the broker role',
    ],
    [
      { ...BROKER, 'advertised.listeners': 'CONTROLLER://b1:9093' },
      'must not contain KRaft controller listeners',
    ],
    [{ ...CONTROLLER, 'node.id': '103' }, 'the node id 103 must be included in the set of voters'],
    [
      { ...CONTROLLER, listeners: 'CONTROLLER://c1:9093,PLAINTEXT://c1:9092' },
      'The listeners config must only contain KRaft controller listeners',
    ],
    [
      { ...CONTROLLER, listeners: 'PLAINTEXT://c1:9092' },
      "appearing in the 'listeners' configuration when running the KRaft controller role",
    ],
    [
      { ...CONTROLLER, 'inter.broker.listener.name': 'PLAINTEXT' },
      'inter.broker.listener.name must not be set when process.roles=controller',
    ],
  ])('refuses %o in one line', (properties, message) => {
    const text = refusal(properties)
    expect(text).toContain(message)
    expect(text).not.toContain('\n')
  })
})
