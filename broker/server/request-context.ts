import type { Config } from '../../src/base/config-def.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { EventSink } from '../../src/ports/events.ts'
import type { Address } from '../../src/ports/network.ts'
import type { Api, Input } from '../../src/wire/schema.ts'
import type { BrokerConfigSources } from '../config.ts'
import type { Controller } from '../controller/controller.ts'
import type { Raft } from '../controller/quorum/raft.ts'
import type { GroupCoordinator } from '../group/group-coordinator.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { FetchSessions } from '../replica/fetch-sessions.ts'
import type { ReplicaManager } from '../replica/replica-manager.ts'
import type { TransactionCoordinator } from '../transaction/transaction-coordinator.ts'
import type { BrokerLoggers } from './broker-loggers.ts'
import type { ClientTelemetry } from './client-telemetry.ts'

/** `broker` listeners serve clients and followers; `controller` listeners serve the quorum. */
export type ListenerKind = 'broker' | 'controller'

/** What stands behind the APIs of one node. Handlers reach everything through it. */
export interface NodeServices {
  readonly nodeId: number
  readonly clusterId: string
  /** The settings of now; dynamic ones change within it. */
  readonly config: Config
  readonly brokerConfigs: BrokerSettings
  readonly brokerLoggers: BrokerLoggers
  readonly clock: Clock
  readonly events: EventSink
  /** The quorum's voters and where their controller listeners are. */
  readonly voters: readonly (Address & { readonly nodeId: number })[]
  /** The committed metadata. */
  readonly image: () => MetadataImage
  readonly replicas: ReplicaManager
  readonly fetchSessions: FetchSessions
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
  readonly raft: Raft
  readonly controller: Controller
  readonly controllerChannel: ControllerSender
  readonly producerIds: ProducerIdSource
  readonly topicCreation: TopicCreation
  readonly telemetry: ClientTelemetry
  /** Every API of this listener with the versions served. */
  readonly apiVersions: (listener: ListenerKind) => readonly ServedApi[]
  /** False where ApiVersions is to look like that of a release without features. */
  readonly tellsFeatures: (listener: ListenerKind) => boolean
  /** Handles a request that another node forwarded (Envelope). */
  readonly handleForwarded: (
    frame: Buffer,
    context: { readonly listenerName: string; readonly client: Address },
    done: (frame: Buffer | null) => void,
  ) => void
}

export interface ServedApi {
  readonly apiKey: number
  readonly minVersion: number
  readonly maxVersion: number
}

/** Where a broker's settings come from, and what may be changed of them while it runs. */
export interface BrokerSettings extends BrokerConfigSources {
  /** Why these can not be all the dynamic settings of this broker, or of all brokers, or null. */
  problemWith(values: ReadonlyMap<string, string>, isPerBroker: boolean): string | null
}

/** Sends a request to the active controller and waits, within the time-out, until there is one. */
export interface ControllerSender {
  send<Req, Res>(
    api: Api<Req, Res>,
    version: number,
    body: Input<Req>,
    timeoutMs: number,
    done: (error: Error | null, response: Res | null) => void,
  ): void
}

/** Producer ids out of blocks that the controller hands out (KIP-730). */
export interface ProducerIdSource {
  next(done: (errorCode: number, producerId: number) => void): void
}

/** Creates missing topics in the background; the client asks again. */
export interface TopicCreation {
  /** A topic that a client asked for; `numPartitions` and replication come from the broker's defaults. */
  requestTopic(name: string): void
  /** `__consumer_offsets`, with its own settings. */
  requestOffsetsTopic(): void
}

/** One request as its handler sees it. */
export interface RequestContext {
  readonly apiVersion: number
  readonly clientId: string | null
  readonly client: Address
  readonly listenerName: string
  readonly listener: ListenerKind
  readonly services: NodeServices
}

/** Answers once. Null: the protocol wants no answer. `close`: the connection ends instead (acks=0 errors). */
export type Respond<Res> = (response: Input<Res> | null | 'close') => void

/** One API key: the versions it serves, where, and what it does. */
export interface ApiHandler<Req, Res> {
  readonly api: Api<Req, Res>
  readonly minVersion: number
  readonly maxVersion: number
  readonly listeners: readonly ListenerKind[]
  /** Served to who asks, but left out of ApiVersions. */
  readonly isHidden?: boolean
  handle(context: RequestContext, request: Req, respond: Respond<Res>): void
}

/** Topic id or name as a request gives them. */
export interface TopicRef {
  readonly name: string
  readonly id: Uuid
}
