import { BrokerConfigs } from '../../broker/broker-configs.ts'
import { DeltaBuilder } from '../../broker/metadata/delta.ts'
import { MetadataImage } from '../../broker/metadata/image.ts'
import { FetchSessions } from '../../broker/replica/fetch-sessions.ts'
import { BrokerLoggers } from '../../broker/server/broker-loggers.ts'
import type { ApiHandler, ListenerKind, NodeServices } from '../../broker/server/request-context.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { SimRandom } from '../../src/sim/sim-random.ts'
import { encodeToBuffer, decodeFromBuffer, type Input } from '../../src/wire/schema.ts'
import { metadataRecord } from '../../src/wire/metadata-record.ts'
import type { MetadataRecord } from '../../src/wire/records/metadata.ts'

export const TOPIC_ID = 'TopicIdAAAAAAAAAAAAAAA'
export const CLUSTER = 'ClusterAAAAAAAAAAAAAAA'

/** A node as its handlers see it, with real metadata and settings; the rest only as far as a test gives it. */
export class ApiWorld {
  readonly image = new MetadataImage()
  readonly requestedTopics: string[] = []
  readonly brokerConfigs: BrokerConfigs
  readonly services: NodeServices

  constructor(
    options: {
      readonly properties?: Readonly<Record<string, string>>
      readonly services?: Partial<NodeServices>
    } = {},
  ) {
    this.brokerConfigs = new BrokerConfigs({
      'node.id': '1',
      'process.roles': 'broker,controller',
      'controller.listener.names': 'CONTROLLER',
      ...options.properties,
    })
    this.services = {
      nodeId: 1,
      clusterId: CLUSTER,
      config: this.brokerConfigs.live,
      brokerConfigs: this.brokerConfigs,
      brokerLoggers: new BrokerLoggers(),
      image: () => this.image,
      voters: [{ nodeId: 1, host: 'c1', port: 9093 }],
      raft: { leaderId: 1 },
      groups: { partitionFor: () => 0 },
      apiVersions: () => [{ apiKey: 0, minVersion: 3, maxVersion: 13 }],
      tellsFeatures: () => true,
      topicCreation: {
        requestTopic: (name: string) => this.requestedTopics.push(name),
        requestOffsetsTopic: () => this.requestedTopics.push('__consumer_offsets'),
      },
      fetchSessions: new FetchSessions({
        clock: { monoMs: () => 0 } as Clock,
        random: SimRandom.ofSeed(1),
        maxSessions: () => this.brokerConfigs.live.int('max.incremental.fetch.session.cache.slots'),
      }),
      ...options.services,
    } as unknown as NodeServices
  }

  apply(...records: readonly MetadataRecord[]): this {
    const changes = new DeltaBuilder()
    for (const record of records) {
      this.image.apply(record, this.image.lastOffset + 1, 1, changes)
    }
    const end = this.image.lastOffset
    this.brokerConfigs.apply(changes.build(end, end), this.image)
    return this
  }

  broker(
    id: number,
    options: { readonly fenced?: boolean; readonly listener?: string } = {},
  ): this {
    const { fenced = false, listener = 'PLAINTEXT' } = options
    return this.apply(
      metadataRecord('RegisterBrokerRecord', {
        brokerId: id,
        brokerEpoch: id,
        endPoints: [{ name: listener, host: `b${id}`, port: 9000 + id, securityProtocol: 0 }],
        features: [
          { name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 30 },
          { name: 'kraft.version', minSupportedVersion: 0, maxSupportedVersion: 1 },
        ],
        rack: null,
        fenced,
      }),
    )
  }

  topic(name: string, leader: number, replicas: readonly number[], topicId = TOPIC_ID): this {
    return this.apply(
      metadataRecord('TopicRecord', { name, topicId }),
      metadataRecord('PartitionRecord', {
        partitionId: 0,
        topicId,
        replicas,
        isr: replicas,
        leader,
        leaderEpoch: 4,
        partitionEpoch: 0,
      }),
    )
  }

  /** What a client of this version gets: request and answer pass through the wire's form. */
  ask<Req, Res>(
    handler: ApiHandler<Req, Res>,
    version: number,
    body: Input<Req>,
    listener: ListenerKind = 'broker',
  ): Res {
    const { api } = handler
    const request = decodeFromBuffer(
      api.request,
      version,
      encodeToBuffer(api.request, version, body as never),
    )
    let answer: Res | null = null
    const context = {
      apiVersion: version,
      clientId: 'test',
      client: { host: 'client', port: 1 },
      listenerName: listener === 'broker' ? 'PLAINTEXT' : 'CONTROLLER',
      listener,
      services: this.services,
    }
    handler.handle(context, request, (response) => {
      if (response === null || response === 'close') throw new Error(`answered ${String(response)}`)
      const bytes = encodeToBuffer(api.response, version, response as never)
      answer = decodeFromBuffer(api.response, version, bytes)
    })
    if (answer === null) throw new Error(`${api.name} did not answer at once`)
    return answer
  }
}
