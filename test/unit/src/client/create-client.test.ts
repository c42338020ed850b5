// Goal: the promises of the facade work over a network with real time, without the simulated scheduler.
import { afterEach, describe, expect, it } from 'vitest'
import { createClient, type Client } from '../../../../src/client/index.ts'
import type { NodePorts } from '../../../../src/ports/ports.ts'
import { LoopbackNetwork } from '../../../../src/real/loopback-network.ts'
import { NodeClock } from '../../../../src/real/node-clock.ts'
import { NodeRandom } from '../../../../src/real/node-random.ts'
import { metadataApi } from '../../../../src/wire/messages/03-metadata.ts'
import { produceApi } from '../../../../src/wire/messages/00-produce.ts'
import { initProducerIdApi } from '../../../../src/wire/messages/22-init-producer-id.ts'
import { ScriptedBroker } from '../../../support/scripted-broker.ts'

const ADDRESS = { host: 'loopback', port: 9092 }
const clients: Client[] = []

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
})

function setUp(properties = {}) {
  const clock = new NodeClock()
  const network = new LoopbackNetwork()
  const ports: Pick<NodePorts, 'clock' | 'network' | 'random'> = {
    clock,
    network,
    random: new NodeRandom(),
  }
  const broker = new ScriptedBroker(ports, ADDRESS)
  const topicId = 'aaaaaaaaaaaaaaaaaaaaaA'
  broker.on(metadataApi, (_request, reply) =>
    reply({
      brokers: [{ nodeId: 1, ...ADDRESS }],
      topics: [{ name: 't', topicId, partitions: [{ leaderId: 1, leaderEpoch: 0 }] }],
    }),
  )
  broker.on(initProducerIdApi, (_request, reply) => reply({ producerId: 1, producerEpoch: 0 }))
  broker.on(produceApi, (_request, reply) =>
    reply({ responses: [{ topicId, partitionResponses: [{ index: 0, baseOffset: 7 }] }] }),
  )
  broker.listen()
  const client = createClient({
    bootstrapServers: 'loopback:9092',
    clientId: 'me',
    ports,
    properties,
  })
  clients.push(client)
  return { client, broker }
}

describe('createClient', () => {
  it('makes producers and consumers with its own settings and theirs', async () => {
    const { client, broker } = setUp({ 'linger.ms': '0', 'group.id': 'g', 'no.such': '1' })
    const producer = client.producer({ acks: '1' })
    const [first, second] = await Promise.all([
      producer.send({ topic: 't', value: 'a' }),
      producer.send({ topic: 't', value: 'b' }),
    ])
    expect([first.offset, second.offset]).toEqual([7, 8])
    expect(broker.requests(produceApi)[0]).toMatchObject({ clientId: 'me', body: { acks: 1 } })
    expect(producer.config.long('linger.ms')).toBe(0)
    expect(producer.unknownProperties.map(({ name }) => name)).toEqual(['no.such'])
    expect(client.consumer().config.string('group.id')).toBe('g')
  })

  it('closes all that it made, more than once', async () => {
    const { client, broker } = setUp()
    const producer = client.producer()
    await producer.send({ topic: 't', value: 'a' })
    await client.close()
    await client.close()
    await expect(producer.send({ topic: 't', value: 'b' })).rejects.toMatchObject({
      code: 'CONNECTION',
    })
    expect(broker.openCount).toBe(0)
  })
})
