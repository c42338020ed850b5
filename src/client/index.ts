import { Admin } from './admin.ts'
import { clientConfigDefs, type ClientKind, type Properties } from './client-config.ts'
import type { ClientPorts } from './client-ports.ts'
import { Consumer } from './consumer.ts'
import { Producer } from './producer.ts'

export { Admin } from './admin.ts'
export type {
  ClusterDescription,
  CreatedTopic,
  NewTopic,
  RequestOptions,
  TopicListing,
} from './admin.ts'
export type { AdminAnswer, AdminTarget } from './admin-channel.ts'
export type { EndpointDescription, EndpointsDescription } from './admin-cluster.ts'
export type {
  ConfigSynonym,
  DescribedConfig,
  ResourceAlteration,
} from './admin-config-resources.ts'
export { AlterOperation, ConfigResourceType } from './admin-configs.ts'
export type { ConfigAlteration, ConfigEntry, ConfigResource } from './admin-configs.ts'
export type { GroupDescription, GroupListing, GroupMemberDescription } from './admin-groups.ts'
export type { LogDirDescription, LogDirReplica, ReplicaPlacement } from './admin-log-dirs.ts'
export type { QuorumDescription, QuorumEndpoint, QuorumReplica } from './admin-quorum.ts'
export type {
  QuotaDescription,
  QuotaEntity,
  QuotaEntityType,
  QuotaFilter,
  ScramDescription,
  ScramUpsertion,
} from './admin-quotas.ts'
export type { ElectionType, Reassignment, WantedReplicas } from './admin-reassignments.ts'
export type { OffsetFound, RecordsToDelete } from './admin-records.ts'
export type { PartitionDescription, PartitionIncrease, TopicDescription } from './admin-topics.ts'
export {
  clientConfigDefs,
  parseClientConfig,
  type ClientKind,
  type Properties,
} from './client-config.ts'
export type { ClientPorts } from './client-ports.ts'
export { ClientConnection, type ClientConnectionOptions } from './connection.ts'
export { Cluster } from './cluster.ts'
export { Consumer, type RebalanceListener, type SubscribeTo } from './consumer.ts'
export { ConsumerCore } from './consumer-core.ts'
export type { ConsumerRecord } from './consumer-record.ts'
export { Coordinator, CoordinatorType } from './coordinator.ts'
export {
  GroupMember,
  type AssignmentRound,
  type GroupMemberHandler,
  type GroupMemberOptions,
  type GroupProtocol,
  type JoinedRound,
} from './group-member.ts'
export type { OffsetAndMetadata } from './group-offsets.ts'
export { isRetriableError, KafkaError, UnsupportedVersionError } from './kafka-error.ts'
export type { ClusterNode, PartitionMetadata, TopicMetadata } from './metadata.ts'
export {
  OffsetSpec,
  type IsolationLevel,
  type OffsetAnswer,
  type OffsetQuery,
} from './offset-lookup.ts'
export { Producer } from './producer.ts'
export type { ConsumerGroupMetadata } from './transaction-requests.ts'
export type {
  ProducerHeader,
  ProducerRecord,
  RecordBytes,
  RecordMetadata,
} from './producer-record.ts'

export interface ClientOptions {
  /** `host:port,host:port`. */
  readonly bootstrapServers: string
  /** Default: `kafkette`. */
  readonly clientId?: string
  readonly ports: ClientPorts
  /** Settings for all producers, consumers and admins of this client, under Kafka's names. */
  readonly properties?: Properties
}

/** Makes producers, consumers and admins with shared settings. Each has connections of its own. */
export interface Client {
  /** Settings given here come before those of the client. Throws `ConfigError`. */
  producer(properties?: Properties): Producer
  consumer(properties?: Properties): Consumer
  admin(properties?: Properties): Admin
  /** Closes everything that was made. Safe to call twice. */
  close(): Promise<void>
}

/** A client of any Kafka cluster. Opens no connection by itself. */
export function createClient(options: ClientOptions): Client {
  const { ports } = options
  const made = new Set<{ close(): Promise<void> }>()
  const shared: Properties = {
    'client.id': options.clientId ?? 'kafkette',
    ...options.properties,
    'bootstrap.servers': options.bootstrapServers,
  }
  const keep = <T extends { close(): Promise<void> }>(one: T): T => {
    made.add(one)
    return one
  }
  return {
    producer: (own = {}) => keep(new Producer(merge('producer', shared, own), ports)),
    consumer: (own = {}) => keep(new Consumer(merge('consumer', shared, own), ports)),
    admin: (own = {}) => keep(new Admin(merge('admin', shared, own), ports)),
    close: async () => {
      await Promise.all([...made].map((one) => one.close()))
      made.clear()
    },
  }
}

/** Shared settings that are for another kind of client are not unknown, only not for this one. */
function merge(kind: ClientKind, shared: Properties, own: Properties): Properties {
  const others = Object.keys(clientConfigDefs).filter((each) => each !== kind) as ClientKind[]
  const isForeign = (name: string): boolean =>
    !clientConfigDefs[kind].keys.has(name) &&
    others.some((other) => clientConfigDefs[other].keys.has(name))
  const kept = Object.entries(shared).filter(([name]) => !isForeign(name))
  return { ...Object.fromEntries(kept), ...own }
}
