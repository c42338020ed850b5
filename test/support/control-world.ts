import { Controller, type ControllerOptions } from '../../broker/controller/controller.ts'
import { MAX_RECORDS_PER_BATCH } from '../../broker/controller/outcome.ts'
import type { ConfigRules } from '../../broker/controller/control-context.ts'
import { parseBrokerConfig, topicConfigDef } from '../../broker/config.ts'
import { ResourceType } from '../../broker/metadata/configs-image.ts'
import { MetadataImage, type PartitionState } from '../../broker/metadata/image.ts'
import { assert, present } from '../../src/base/assert.ts'
import { KafketteError } from '../../src/base/errors.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import type { NodeEvent } from '../../src/ports/events.ts'
import { SimWorld } from '../../src/sim/sim-world.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { AllocateProducerIdsResponse } from '../../src/wire/messages/67-allocate-producer-ids.ts'
import {
  alterPartitionApi,
  type AlterPartitionRequest,
  type AlterPartitionResponse,
} from '../../src/wire/messages/56-alter-partition.ts'
import {
  brokerHeartbeatApi,
  type BrokerHeartbeatRequest,
  type BrokerHeartbeatResponse,
} from '../../src/wire/messages/63-broker-heartbeat.ts'
import {
  brokerRegistrationApi,
  type BrokerRegistrationRequest,
  type BrokerRegistrationResponse,
} from '../../src/wire/messages/62-broker-registration.ts'
import {
  createTopicsApi,
  type CreateTopicsRequest,
  type CreateTopicsResponse,
} from '../../src/wire/messages/19-create-topics.ts'
import {
  deleteTopicsApi,
  type DeleteTopicsRequest,
  type DeleteTopicsResponse,
} from '../../src/wire/messages/20-delete-topics.ts'
import { decodeFromBuffer, encodeToBuffer, type Api, type Input } from '../../src/wire/schema.ts'
import type { MetadataRecord } from '../../src/wire/records/metadata.ts'

export const CLUSTER_ID = 'a-cluster-id-of-22-cha'

/** A record as it stands in the metadata log. */
export interface LoggedRecord {
  readonly record: MetadataRecord
  readonly offset: number
  readonly epoch: number
}

export interface ControlWorldOptions {
  readonly seed?: number
  /** Settings of the node by Kafka's names. */
  readonly properties?: Readonly<Record<string, string>>
  readonly features?: ReadonlyMap<string, number>
  /** Commit every batch as soon as it is appended; otherwise `commit` does. */
  readonly isCommitting?: boolean
  readonly isActive?: boolean
}

/** What tests need to know of the configs: the topic settings of Kafka and one list of brokers. */
export const testConfigRules: ConfigRules = {
  problemWith: (resourceType, values) => {
    for (const [name, value] of resourceType === ResourceType.TOPIC ? values : []) {
      const message = topicConfigDef.problemWith(name, value)
      if (message !== null) return { errorCode: ErrorCode.INVALID_CONFIG, message }
    }
    return null
  },
  listDefault: (resourceType, name) => {
    if (resourceType === ResourceType.TOPIC && name === 'cleanup.policy') return ['delete']
    return name === 'log.dirs' ? [] : null
  },
  describeTopic: (overrides) =>
    [...overrides].map(([name, value]) => ({
      name,
      value,
      readOnly: false,
      configSource: 1,
      isSensitive: false,
    })),
}

/** The directory of a broker that has one. */
export function directoryOf(brokerId: number): Uuid {
  return uuidOf(0xd1, brokerId)
}

/** A uuid that tests can tell apart. */
export function uuidOf(kind: number, number: number): Uuid {
  const bytes = Buffer.alloc(16, kind)
  bytes.writeUInt32BE(number, 12)
  return bytes.toString('base64url')
}

/** A controller on a simulated node over a log in memory, whose commitment the test decides. */
export class ControlWorld {
  readonly world: SimWorld
  readonly controller: Controller
  readonly log: LoggedRecord[] = []
  readonly batches: (readonly MetadataRecord[])[] = []
  readonly events: NodeEvent[] = []
  isCommitting: boolean
  /** Set to make every append fail as on a node that leads no more. */
  isDeposed = false
  /** Set to make every append fail with it. */
  appendError: Error | null = null
  epoch = 1
  readonly #properties: Readonly<Record<string, string>>

  constructor(options: ControlWorldOptions = {}) {
    this.world = new SimWorld({ seed: options.seed ?? 1 })
    this.world.onEvent((event) => this.events.push(event))
    this.isCommitting = options.isCommitting ?? true
    this.#properties = options.properties ?? {}
    this.controller = this.newController({ features: options.features })
    if (options.isActive ?? true) this.activate()
  }

  newController(options: Partial<ControllerOptions> = {}): Controller {
    const { clock, random, events } = this.world.node('controller').ports
    return new Controller({
      nodeId: 1,
      clusterId: CLUSTER_ID,
      config: parseBrokerConfig({
        'node.id': '1',
        'process.roles': 'broker,controller',
        'controller.listener.names': 'CONTROLLER',
        ...this.#properties,
      }),
      configRules: testConfigRules,
      clock,
      random,
      events,
      append: (epoch, records) => this.#append(epoch, records),
      ...options,
    })
  }

  activate(): void {
    this.controller.activate(this.epoch, this.replayed())
    if (this.isCommitting) this.commit()
  }

  /** Another epoch begins on the same node with what the log holds. */
  failOver(): void {
    this.controller.resign()
    this.epoch += 1
    this.activate()
  }

  commit(): void {
    this.controller.onCommitted(this.lastOffset)
  }

  get lastOffset(): number {
    return this.log.at(-1)?.offset ?? -1
  }

  /** The image of the active controller. */
  get image(): MetadataImage {
    return present(this.controller.image, 'the image of the active controller')
  }

  /** The image that the log gives from its beginning. */
  replayed(): MetadataImage {
    const image = new MetadataImage()
    for (const { record, offset, epoch } of this.log) image.apply(record, offset, epoch)
    return image
  }

  partition(topic: string, index = 0): PartitionState {
    return present(this.image.partition(topic, index), `${topic}-${index}`)
  }

  kinds(): string[] {
    return this.events.map((event) => event.kind)
  }

  register(
    brokerId: number,
    given: Input<BrokerRegistrationRequest> = {},
  ): Input<BrokerRegistrationResponse> {
    const request = fullRequest(brokerRegistrationApi, 4, registrationOf(brokerId, given))
    return answerOf<BrokerRegistrationResponse>((respond) => {
      this.controller.registerBroker(request, respond)
    })
  }

  heartbeat(
    brokerId: number,
    given: Input<BrokerHeartbeatRequest> = {},
  ): Input<BrokerHeartbeatResponse> {
    const request = fullRequest(brokerHeartbeatApi, 1, {
      brokerId,
      brokerEpoch: this.controller.image?.brokers.get(brokerId)?.epoch,
      currentMetadataOffset: this.lastOffset,
      ...given,
    })
    return answerOf<BrokerHeartbeatResponse>((respond) => {
      this.controller.heartbeat(request, respond)
    })
  }

  /** Registers and unfences brokers. */
  start(...brokerIds: number[]): void {
    for (const id of brokerIds) {
      const { errorCode } = this.register(id)
      assert(errorCode === ErrorCode.NONE, `broker ${id} is registered`)
      assert(this.heartbeat(id).isFenced === false, `broker ${id} is unfenced`)
    }
  }

  /** Lets the session of these brokers run out while the others go on. */
  expire(...brokerIds: number[]): void {
    const others = [...this.image.brokers.keys()].filter((id) => !brokerIds.includes(id))
    for (let step = 0; step < 5; step += 1) {
      for (const id of others) {
        if (this.image.brokers.get(id)?.isFenced === false) this.heartbeat(id)
      }
      this.world.runFor(2000)
    }
  }

  createTopics(
    given: Input<CreateTopicsRequest>,
    version = 7,
  ): NonNullable<Input<CreateTopicsResponse>['topics']> {
    const request = fullRequest(createTopicsApi, version, given)
    const answer = answerOf<CreateTopicsResponse>((respond) => {
      this.controller.createTopics(version, request, respond)
    })
    return present(answer.topics, 'the topics of the answer')
  }

  /** Creates one topic with the given replicas of each partition. */
  createTopic(name: string, ...replicas: number[][]): Uuid {
    const assignments = replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }))
    const [result] = this.createTopics({
      topics: [{ name, numPartitions: -1, replicationFactor: -1, assignments }],
    })
    assert(result?.errorCode === ErrorCode.NONE, `${name} is created: ${result?.errorMessage}`)
    return present(result.topicId, 'topic id')
  }

  deleteTopics(
    given: Input<DeleteTopicsRequest>,
    version = 6,
  ): NonNullable<Input<DeleteTopicsResponse>['responses']> {
    const request = fullRequest(deleteTopicsApi, version, given)
    const answer = answerOf<DeleteTopicsResponse>((respond) => {
      this.controller.deleteTopics(version, request, respond)
    })
    return present(answer.responses, 'the responses')
  }

  alterPartition(given: Input<AlterPartitionRequest>, version = 3): Input<AlterPartitionResponse> {
    const request = fullRequest(alterPartitionApi, version, given)
    return answerOf<AlterPartitionResponse>((respond) => {
      this.controller.alterPartition(version, request, respond)
    })
  }

  allocateProducerIds(brokerId: number): Input<AllocateProducerIdsResponse> {
    const brokerEpoch = this.image.brokers.get(brokerId)?.epoch ?? -1
    return answerOf<AllocateProducerIdsResponse>((respond) => {
      this.controller.allocateProducerIds({ brokerId, brokerEpoch }, respond)
    })
  }

  #append(epoch: number, records: readonly MetadataRecord[]): number {
    if (this.isDeposed || epoch !== this.epoch) throw new KafketteError('NOT_LEADER', 'deposed')
    if (this.appendError !== null) throw this.appendError
    assert(records.length > 0 && records.length <= MAX_RECORDS_PER_BATCH, 'a batch of legal size')
    this.batches.push(records)
    for (const record of records) this.log.push({ record, offset: this.lastOffset + 1, epoch })
    if (this.isCommitting) this.commit()
    return this.lastOffset
  }
}

/** Everything that an image says, as plain data to compare. */
export function contentOf(image: MetadataImage): unknown {
  const topics = [...image.topicsById.values()].map(({ id, name, partitions }) => {
    assert(image.topicsByName.get(name)?.id === id, `${name} is found by name and by id`)
    return { id, name, partitions: [...partitions.values()] }
  })
  const configs = [...image.configs.resources()].map((resource) => ({
    resource,
    values: image.configs.of(resource.resourceType, resource.resourceName),
  }))
  const { brokers, controllers, features, nextProducerId, lastOffset, lastEpoch } = image
  return {
    topics,
    configs,
    clientQuotas: [...image.clientQuotas.all()],
    brokers,
    controllers,
    features,
    nextProducerId,
    lastOffset,
    lastEpoch,
  }
}

/** The request as a handler sees it after it went over the wire in this version. */
export function fullRequest<Req, Res>(api: Api<Req, Res>, version: number, given: Input<Req>): Req {
  return decodeFromBuffer(api.request, version, encodeToBuffer(api.request, version, given))
}

/** The answer of an operation that is answered at once. */
export function answerOf<Response>(
  ask: (respond: (response: Input<Response>) => void) => void,
): Input<Response> {
  const answers: Input<Response>[] = []
  ask((answer) => answers.push(answer))
  assert(answers.length === 1, `${answers.length} answers, expected 1`)
  return present(answers[0], 'answer')
}

function registrationOf(
  brokerId: number,
  given: Input<BrokerRegistrationRequest>,
): Input<BrokerRegistrationRequest> {
  return {
    brokerId,
    clusterId: CLUSTER_ID,
    incarnationId: uuidOf(0x1c, brokerId),
    listeners: [{ name: 'PLAINTEXT', host: `broker-${brokerId}`, port: 9092, securityProtocol: 0 }],
    features: [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 30 }],
    rack: null,
    logDirs: [directoryOf(brokerId)],
    ...given,
  }
}
