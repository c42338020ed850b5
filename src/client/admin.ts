import type { UnknownName } from '../base/config-def.ts'
import type { BrokerId, Offset } from '../base/ids.ts'
import type { TopicPartition } from '../base/topic-partition.ts'
import type { Uuid } from '../base/uuid.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import { metadataApi, type MetadataResponse } from '../wire/messages/03-metadata.ts'
import { createTopicsApi } from '../wire/messages/19-create-topics.ts'
import { deleteTopicsApi } from '../wire/messages/20-delete-topics.ts'
import { deleteRecordsApi } from '../wire/messages/21-delete-records.ts'
import { createPartitionsApi } from '../wire/messages/37-create-partitions.ts'
import { describeClusterApi } from '../wire/messages/60-describe-cluster.ts'
import type { Api, Input } from '../wire/schema.ts'
import { AdminChannel, type AdminAnswer, type AdminTarget } from './admin-channel.ts'
import { AdminCluster } from './admin-cluster.ts'
import { AdminConfigResources } from './admin-config-resources.ts'
import { AdminConfigs } from './admin-configs.ts'
import { AdminGroups } from './admin-groups.ts'
import { AdminLogDirs } from './admin-log-dirs.ts'
import { AdminQuorum } from './admin-quorum.ts'
import { AdminQuotas } from './admin-quotas.ts'
import { AdminReassignments } from './admin-reassignments.ts'
import { AdminRecords } from './admin-records.ts'
import { AdminTopics } from './admin-topics.ts'
import type { VersionLimits } from './api-versions.ts'
import type { Properties } from './client-config.ts'
import type { ClientPorts } from './client-ports.ts'
import { firstProblem, KafkaError } from './kafka-error.ts'
import { Metadata, type ClusterNode, type TopicMetadata } from './metadata.ts'
import {
  lookUpOffsets,
  type IsolationLevel,
  type OffsetAnswer,
  type OffsetQuery,
} from './offset-lookup.ts'
import { asPromise } from './retry.ts'

/** From this Metadata version on a request can forbid creating what it asks about. */
const FIRST_VERSION_WITHOUT_CREATION = 4
const FIRST_VERSION_WITH_TOPIC_STATES = 6

export interface NewTopic {
  readonly name: string
  /** -1 or left out: `num.partitions` of the broker. */
  readonly partitions?: number
  /** -1 or left out: `default.replication.factor` of the broker. */
  readonly replicationFactor?: number
  /** Replicas by partition; rules out the two numbers. */
  readonly assignments?: readonly (readonly BrokerId[])[]
  readonly configs?: Readonly<Record<string, string>>
}

export interface CreatedTopic {
  readonly name: string
  readonly id: Uuid
  /** -1 when the broker is too old to tell. */
  readonly partitions: number
  readonly replicationFactor: number
}

export interface TopicListing {
  readonly name: string
  readonly id: Uuid
  readonly isInternal: boolean
}

export interface ClusterDescription {
  readonly clusterId: string | null
  readonly controllerId: BrokerId
  readonly brokers: readonly ClusterNode[]
}

export interface RequestOptions {
  readonly limits?: VersionLimits
  readonly timeoutMs?: number
}

/**
 * Administration of a cluster. Methods reject with the first `KafkaError` that a broker answered, with
 * `TimeoutError` after `default.api.timeout.ms`; what may go well later is tried again until then.
 */
export class Admin {
  /** Given properties that no admin client knows. */
  readonly unknownProperties: readonly UnknownName[]
  readonly groups: AdminGroups
  readonly configs: AdminConfigs
  readonly configResources: AdminConfigResources
  readonly topics: AdminTopics
  readonly records: AdminRecords
  readonly cluster: AdminCluster
  readonly quorum: AdminQuorum
  readonly logDirs: AdminLogDirs
  readonly reassignments: AdminReassignments
  readonly quotas: AdminQuotas
  readonly #channel: AdminChannel

  /** Throws `ConfigError` for settings that cannot be used. */
  constructor(properties: Properties, ports: ClientPorts) {
    this.#channel = new AdminChannel(properties, ports)
    this.unknownProperties = this.#channel.unknownProperties
    this.groups = new AdminGroups(this.#channel)
    this.configs = new AdminConfigs(this.#channel)
    this.configResources = new AdminConfigResources(this.#channel)
    this.topics = new AdminTopics(this.#channel)
    this.records = new AdminRecords(this.#channel)
    this.cluster = new AdminCluster(this.#channel)
    this.quorum = new AdminQuorum(this.#channel)
    this.logDirs = new AdminLogDirs(this.#channel)
    this.reassignments = new AdminReassignments(this.#channel)
    this.quotas = new AdminQuotas(this.#channel)
  }

  /** Any request as it is: the answer is not looked at, only lost connections are tried again. */
  request<Req, Res>(
    api: Api<Req, Res>,
    body: NoInfer<Input<Req>>,
    to: AdminTarget = 'any',
    options: RequestOptions = {},
  ): Promise<AdminAnswer<Res>> {
    return this.#channel.request({ what: api.name, to, api, body: () => body, ...options })
  }

  async createTopics(
    topics: readonly NewTopic[],
    options: { readonly validateOnly?: boolean } = {},
  ): Promise<readonly CreatedTopic[]> {
    const { body } = await this.#channel.request({
      what: `create topics ${topics.map(({ name }) => name).join(', ')}`,
      to: 'controller',
      api: createTopicsApi,
      body: () => ({
        topics: topics.map(wireTopic),
        timeoutMs: this.#channel.cluster.requestTimeoutMs,
        validateOnly: options.validateOnly ?? false,
      }),
      check: (response) => firstProblem(response.topics),
    })
    return body.topics.map((topic) => ({
      name: topic.name,
      id: topic.topicId,
      partitions: topic.numPartitions,
      replicationFactor: topic.replicationFactor,
    }))
  }

  async deleteTopics(names: readonly string[]): Promise<void> {
    await this.#channel.request({
      what: `delete topics ${names.join(', ')}`,
      to: 'controller',
      api: deleteTopicsApi,
      body: (version) => ({
        ...(version >= FIRST_VERSION_WITH_TOPIC_STATES
          ? { topics: names.map((name) => ({ name })) }
          : { topicNames: names }),
        timeoutMs: this.#channel.cluster.requestTimeoutMs,
      }),
      check: (response) => firstProblem(response.responses),
    })
  }

  /** Raises the number of partitions to `count`. */
  async createPartitions(topic: string, count: number): Promise<void> {
    await this.#channel.request({
      what: `create partitions of ${topic}`,
      to: 'controller',
      api: createPartitionsApi,
      body: () => ({
        topics: [{ name: topic, count, assignments: null }],
        timeoutMs: this.#channel.cluster.requestTimeoutMs,
      }),
      check: (response) => firstProblem(response.results),
    })
  }

  /** Removes records before an offset, -1 for all up to the high watermark. Gives the new first offset. */
  async deleteRecords(partition: TopicPartition, offset: Offset): Promise<Offset> {
    const [topic] = await this.describeTopics([partition.topic])
    const leader = topic?.partitions[partition.partition]?.leader ?? -1
    if (leader < 0) throw new KafkaError(ErrorCode.LEADER_NOT_AVAILABLE)
    const { body } = await this.#channel.request({
      what: `delete records of ${partition.topic}-${partition.partition}`,
      to: leader,
      api: deleteRecordsApi,
      body: () => ({
        topics: [
          {
            name: partition.topic,
            partitions: [{ partitionIndex: partition.partition, offset }],
          },
        ],
        timeoutMs: this.#channel.cluster.requestTimeoutMs,
      }),
      check: (response) => firstProblem(response.topics.flatMap((each) => each.partitions)),
    })
    return body.topics[0]?.partitions[0]?.lowWatermark ?? -1
  }

  async listTopics(
    options: { readonly includeInternal?: boolean } = {},
  ): Promise<readonly TopicListing[]> {
    const metadata = await this.#metadata(null)
    return [...metadata.topics.values()]
      .filter(({ isInternal }) => options.includeInternal === true || !isInternal)
      .map(({ name, id, isInternal }) => ({ name, id, isInternal }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** In the order given. Rejects with UNKNOWN_TOPIC_OR_PARTITION when one is missing. */
  async describeTopics(names: readonly string[]): Promise<readonly TopicMetadata[]> {
    const metadata = await this.#metadata(names)
    return names.map((name) => {
      const topic = metadata.topic(name)
      if (topic !== null) return topic
      const code = metadata.errorOf(name)
      const why = code === ErrorCode.NONE ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : code
      throw new KafkaError(why, `topic "${name}"`)
    })
  }

  /** By `topic-partition`. */
  listOffsets(
    queries: readonly OffsetQuery[],
    options: { readonly isolation?: IsolationLevel; readonly timeoutMs?: number } = {},
  ): Promise<ReadonlyMap<string, OffsetAnswer>> {
    const { cluster, updater } = this.#channel
    return asPromise((done) => {
      lookUpOffsets({
        cluster,
        updater,
        queries,
        isolation: options.isolation ?? 'read_uncommitted',
        timeoutMs: options.timeoutMs ?? this.#channel.timeoutMs,
        done,
      })
    })
  }

  async describeCluster(): Promise<ClusterDescription> {
    const { body } = await this.#channel.request({
      what: 'describe the cluster',
      to: 'any',
      api: describeClusterApi,
      body: () => ({}),
      check: (response) => firstProblem([response]),
    })
    return {
      clusterId: body.clusterId,
      controllerId: body.controllerId,
      brokers: body.brokers.map(({ brokerId, host, port, rack }) => ({
        id: brokerId,
        host,
        port,
        rack,
      })),
    }
  }

  /** Ends the connections; what is pending rejects. Safe to call twice. */
  close(): Promise<void> {
    this.#channel.close()
    return Promise.resolve()
  }

  async #metadata(names: readonly string[] | null): Promise<Metadata> {
    const { body } = await this.#channel.request({
      what: 'describe topics',
      to: 'any',
      api: metadataApi,
      limits: { min: FIRST_VERSION_WITHOUT_CREATION },
      body: () => ({
        topics: names?.map((name) => ({ name })) ?? null,
        allowAutoTopicCreation: false,
      }),
      check: checkMetadata,
    })
    const metadata = new Metadata()
    metadata.apply(body, true)
    return metadata
  }
}

function wireTopic(topic: NewTopic): Input<{
  name: string
  numPartitions: number
  replicationFactor: number
  assignments: { partitionIndex: number; brokerIds: number[] }[]
  configs: { name: string; value: string | null }[]
}> {
  return {
    name: topic.name,
    numPartitions: topic.partitions ?? -1,
    replicationFactor: topic.replicationFactor ?? -1,
    assignments: (topic.assignments ?? []).map((brokerIds, partitionIndex) => ({
      partitionIndex,
      brokerIds,
    })),
    configs: Object.entries(topic.configs ?? {}).map(([name, value]) => ({ name, value })),
  }
}

/** Only the answer as a whole; topics have their own errors. */
function checkMetadata(response: MetadataResponse): Error | null {
  return response.errorCode === ErrorCode.NONE ? null : new KafkaError(response.errorCode)
}
