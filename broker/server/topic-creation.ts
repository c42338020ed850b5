import type { Config } from '../../src/base/config-def.ts'
import type { EventSink } from '../../src/ports/events.ts'
import { ErrorCode, errorName } from '../../src/wire/error-codes.ts'
import {
  createTopicsApi,
  type CreateTopicsRequest,
} from '../../src/wire/messages/19-create-topics.ts'
import type { Input } from '../../src/wire/schema.ts'
import { OFFSETS_TOPIC } from '../metadata/topic-name.ts'
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
    if (name === OFFSETS_TOPIC) this.requestOffsetsTopic()
    else this.#create({ name, numPartitions: -1, replicationFactor: -1 })
  }

  requestOffsetsTopic(): void {
    const { config } = this.#options
    this.#create({
      name: OFFSETS_TOPIC,
      numPartitions: config.int('offsets.topic.num.partitions'),
      replicationFactor: config.int('offsets.topic.replication.factor'),
      configs: [
        { name: 'cleanup.policy', value: 'compact' },
        { name: 'compression.type', value: 'producer' },
        { name: 'segment.bytes', value: String(config.int('offsets.topic.segment.bytes')) },
      ],
    })
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
