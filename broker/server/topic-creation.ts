import type { Config } from '../../src/base/config-def.ts'
import type { EventSink } from '../../src/ports/events.ts'
import { ErrorCode, errorName } from '../../src/wire/error-codes.ts'
import {
  createTopicsApi,
  type CreateTopicsRequest,
} from '../../src/wire/messages/19-create-topics.ts'
import type { Input } from '../../src/wire/schema.ts'
import {
  OFFSETS_TOPIC,
  SHARE_GROUP_STATE_TOPIC,
  TRANSACTION_STATE_TOPIC,
} from '../metadata/topic-name.ts'
import type { ControllerSender, TopicCreation } from './request-context.ts'

export interface AutoTopicCreationOptions {
  readonly config: Config
  readonly channel: ControllerSender
  readonly events: EventSink
  readonly liveBrokers: () => number
}

type Topic = NonNullable<Input<CreateTopicsRequest>['topics']>[number]

const CREATE_TOPICS_VERSION = 7
/** Topics whose creation may be under way at once; further ones wait for the client to ask again. */
const MAX_IN_FLIGHT = 1000

/** Topics that come into being because somebody asked for them (auto.create.topics.enable, KIP-590). */
export class AutoTopicCreation implements TopicCreation {
  readonly #options: AutoTopicCreationOptions
  readonly #inFlight = new Set<string>()

  constructor(options: AutoTopicCreationOptions) {
    this.#options = options
  }

  requestTopic(name: string): void {
    const { config } = this.#options
    if (name === OFFSETS_TOPIC) this.requestOffsetsTopic()
    else if (name === TRANSACTION_STATE_TOPIC) this.#create(transactionStateTopic(config))
    else if (name === SHARE_GROUP_STATE_TOPIC) this.#create(shareGroupStateTopic(config))
    else {
      this.#create({
        name,
        numPartitions: config.int('num.partitions'),
        replicationFactor: config.int('default.replication.factor'),
      })
    }
  }

  requestOffsetsTopic(): void {
    this.#create(offsetsTopic(this.#options.config))
  }

  #create(topic: Topic): void {
    const name = topic.name ?? ''
    if (this.#inFlight.has(name) || this.#inFlight.size >= MAX_IN_FLIGHT) return
    this.#inFlight.add(name)
    const timeoutMs = this.#options.config.int('request.timeout.ms')
    const body = { topics: [topic], timeoutMs, validateOnly: false }
    this.#options.channel.send(
      createTopicsApi,
      CREATE_TOPICS_VERSION,
      body,
      timeoutMs,
      (error, response) => {
        this.#inFlight.delete(name)
        const code = response?.topics[0]?.errorCode
        if (
          error === null &&
          (code === ErrorCode.NONE || code === ErrorCode.TOPIC_ALREADY_EXISTS)
        ) {
          return
        }
        this.#options.events.emit('topic.creation-refused', {
          topic: name,
          reason: error?.message ?? errorName(code ?? ErrorCode.UNKNOWN_SERVER_ERROR),
          liveBrokers: this.#options.liveBrokers(),
        })
      },
    )
  }
}

function offsetsTopic(config: Config): Topic {
  return {
    name: OFFSETS_TOPIC,
    numPartitions: config.int('offsets.topic.num.partitions'),
    replicationFactor: config.int('offsets.topic.replication.factor'),
    configs: configsOf({
      'cleanup.policy': 'compact',
      'compression.type': 'producer',
      'segment.bytes': config.int('offsets.topic.segment.bytes'),
    }),
  }
}

function transactionStateTopic(config: Config): Topic {
  return {
    name: TRANSACTION_STATE_TOPIC,
    numPartitions: config.int('transaction.state.log.num.partitions'),
    replicationFactor: config.int('transaction.state.log.replication.factor'),
    configs: configsOf({
      'unclean.leader.election.enable': 'false',
      'compression.type': 'uncompressed',
      'cleanup.policy': 'compact',
      'min.insync.replicas': config.int('transaction.state.log.min.isr'),
      'segment.bytes': config.int('transaction.state.log.segment.bytes'),
    }),
  }
}

function shareGroupStateTopic(config: Config): Topic {
  return {
    name: SHARE_GROUP_STATE_TOPIC,
    numPartitions: config.int('share.coordinator.state.topic.num.partitions'),
    replicationFactor: config.int('share.coordinator.state.topic.replication.factor'),
    configs: configsOf({
      'cleanup.policy': 'delete',
      'compression.type': 'producer',
      'segment.bytes': config.int('share.coordinator.state.topic.segment.bytes'),
      'min.insync.replicas': config.int('share.coordinator.state.topic.min.isr'),
      'retention.ms': -1,
    }),
  }
}

function configsOf(values: Readonly<Record<string, string | number>>): Topic['configs'] {
  return Object.entries(values).map(([name, value]) => ({ name, value: String(value) }))
}
