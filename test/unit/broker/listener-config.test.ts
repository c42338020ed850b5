import { describe, expect, it } from 'vitest'
import { parseBrokerConfig } from '../../../broker/config.ts'
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
