import { ConnectionError, TimeoutError, WireError } from '../../src/base/errors.ts'
import { ClientConnection } from '../../src/client/connection.ts'
import { NodeClock } from '../../src/real/node-clock.ts'
import { NodeNetwork } from '../../src/real/node-network.ts'
import { metadataApi } from '../../src/wire/messages/03-metadata.ts'
import { apiVersionsApi } from '../../src/wire/messages/18-api-versions.ts'
import { createTopicsApi } from '../../src/wire/messages/19-create-topics.ts'
import type { Api, Input } from '../../src/wire/schema.ts'
import type { Body, BodyValue, ListenerName, NeededTopic } from './case.ts'

/** How long one of two clusters may take when the other has answered. */
const ANSWER_TIMEOUT_MS = 4000
/** After so long without an answer of either, none is expected (acks=0, for one). */
const QUIET_MS = 1000
const SETTLE_TIMEOUT_MS = 20_000
const ASK_EVERY_MS = 15

/** What became of one request. `silent`: no answer and no end of the connection. */
export type Outcome =
  | { readonly kind: 'answer'; readonly body: unknown }
  | { readonly kind: 'closed' }
  | { readonly kind: 'silent' }
  | { readonly kind: 'unreadable'; readonly reason: string }

export interface VersionRange {
  readonly min: number
  readonly max: number
}

export interface TargetAddresses {
  readonly clusterId: string
  readonly host: string
  readonly brokerPort: number
  readonly controllerPort: number
}

/** One of the two clusters that are compared: sends requests, and knows what to fill into their bodies. */
export class Target {
  readonly name: string
  readonly addresses: TargetAddresses
  /** By text as this cluster writes it: what both clusters would say. */
  readonly placeholders = new Map<string, string>()
  readonly #network = new NodeNetwork()
  readonly #clock = new NodeClock()
  readonly #connections = new Map<ListenerName, ClientConnection>()
  readonly #captured = new Map<string, BodyValue>()

  constructor(name: string, addresses: TargetAddresses) {
    this.name = name
    this.addresses = addresses
    this.placeholders.set(addresses.clusterId, '<cluster>')
  }

  /** Ends what is open; the next request makes it anew. */
  close(): void {
    for (const connection of this.#connections.values()) connection.close()
    this.#connections.clear()
  }

  /** The versions that a listener advertises, by key. */
  async versions(listener: ListenerName): Promise<ReadonlyMap<number, VersionRange>> {
    const body = { clientSoftwareName: 'conformance', clientSoftwareVersion: '1' }
    const answer = await this.#ask(apiVersionsApi, 3, body, listener)
    const ranges = answer.apiKeys.map(
      ({ apiKey, minVersion, maxVersion }): [number, VersionRange] => [
        apiKey,
        { min: minVersion, max: maxVersion },
      ],
    )
    return new Map(ranges)
  }

  /** Fills in the body and sends it. Throws `WireError` for a body that this version cannot carry. */
  send(
    api: Api<unknown, unknown>,
    version: number,
    body: Input<unknown>,
    listener: ListenerName = 'broker',
    timeoutMs = ANSWER_TIMEOUT_MS,
  ): Promise<Outcome> {
    return new Promise((resolve) => {
      const connection = this.#connection(listener)
      connection.request(api, version, body, timeoutMs, (error, response) => {
        if (error === null) resolve({ kind: 'answer', body: response })
        else if (error instanceof TimeoutError) resolve({ kind: 'silent' })
        else if (error instanceof ConnectionError) resolve({ kind: 'closed' })
        else resolve({ kind: 'unreadable', reason: error.message })
      })
    })
  }

  /** The body with this cluster's ids and what was captured from its answers. */
  async fill(body: Body, caseNumber: number): Promise<Input<unknown>> {
    return this.#fillValue(body, caseNumber)
  }

  capture(name: string, value: BodyValue): void {
    this.#captured.set(name, value)
  }

  /** Creates a topic and waits for its leaders; one that exists stays as it is. */
  async needTopic({ name, partitions }: NeededTopic, caseNumber: number): Promise<void> {
    const topic = named(name, caseNumber)
    const topics = [{ name: topic, numPartitions: partitions, replicationFactor: 1 }]
    await this.#ask(createTopicsApi, 7, { timeoutMs: 5000, topics }, 'broker')
    await this.topicId(topic, partitions)
  }

  /** Waits until the topic has its leaders. */
  async topicId(name: string, partitions = 1): Promise<string> {
    const deadlineMs = this.#clock.monoMs() + SETTLE_TIMEOUT_MS
    for (;;) {
      const body = { topics: [{ name }], allowAutoTopicCreation: false }
      const [topic] = (await this.#ask(metadataApi, 12, body, 'broker')).topics
      const led = topic?.partitions.filter(({ leaderId }) => leaderId >= 0).length ?? 0
      if (topic !== undefined && topic.errorCode === 0 && led >= partitions) {
        this.placeholders.set(topic.topicId, `<id of ${name}>`)
        return topic.topicId
      }
      if (this.#clock.monoMs() > deadlineMs)
        throw new TimeoutError(`${this.name}: no leader of ${name}`)
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
    }
  }

  async #fillValue(value: BodyValue, caseNumber: number): Promise<unknown> {
    if (typeof value === 'string') return this.#fillText(value, caseNumber)
    if (Array.isArray(value)) {
      const filled: unknown[] = []
      for (const element of value as readonly BodyValue[]) {
        filled.push(await this.#fillValue(element, caseNumber))
      }
      return filled
    }
    if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value
    const filled: Record<string, unknown> = {}
    for (const [name, inner] of Object.entries(value as Body)) {
      filled[name] = await this.#fillValue(inner, caseNumber)
    }
    return filled
  }

  async #fillText(text: string, caseNumber: number): Promise<unknown> {
    const filled = named(text, caseNumber)
    if (!filled.startsWith('$')) return filled
    if (filled === '$clusterId') return this.addresses.clusterId
    if (filled.startsWith('$topicId:')) return this.topicId(filled.slice('$topicId:'.length))
    const captured = this.#captured.get(filled.slice(1))
    return captured ?? filled
  }

  async #ask<Req, Res>(
    api: Api<Req, Res>,
    version: number,
    body: Input<Req>,
    listener: ListenerName,
  ): Promise<Res> {
    const outcome = await this.send(api, version, body, listener, SETTLE_TIMEOUT_MS)
    if (outcome.kind === 'answer') return outcome.body as Res
    throw new WireError(`${this.name}: ${api.name} v${version} was answered by: ${outcome.kind}`)
  }

  #connection(listener: ListenerName): ClientConnection {
    const known = this.#connections.get(listener)
    if (known !== undefined && known.state !== 'closed') return known
    const { host, brokerPort, controllerPort } = this.addresses
    const connection = new ClientConnection({
      network: this.#network,
      clock: this.#clock,
      address: { host, port: listener === 'broker' ? brokerPort : controllerPort },
      clientId: 'conformance',
    })
    this.#connections.set(listener, connection)
    return connection
  }
}

function named(text: string, caseNumber: number): string {
  return text.replaceAll('{c}', String(caseNumber))
}

/** Both outcomes, or silence of both when neither has come after a while. */
export async function bothOutcomes(
  kafka: Promise<Outcome>,
  ours: Promise<Outcome>,
): Promise<[Outcome, Outcome]> {
  const one = Promise.race([kafka, ours])
  const isQuiet = await Promise.race([one.then(() => false), quiet()])
  const silent: Outcome = { kind: 'silent' }
  return isQuiet ? [silent, silent] : Promise.all([kafka, ours])
}

function quiet(): Promise<boolean> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(true), QUIET_MS)
  })
}
