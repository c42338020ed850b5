import { ClientConnection } from '../../src/client/connection.ts'
import type { NodePorts } from '../../src/ports/ports.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { produceApi } from '../../src/wire/messages/00-produce.ts'
import { fetchApi } from '../../src/wire/messages/01-fetch.ts'
import { metadataApi, type MetadataResponse } from '../../src/wire/messages/03-metadata.ts'
import { createTopicsApi } from '../../src/wire/messages/19-create-topics.ts'
import { forEachBatch, readRecords, writeBatch } from '../../src/wire/record-batch.ts'
import type { Api, Input } from '../../src/wire/schema.ts'

export interface SimAddress {
  readonly host: string
  readonly port: number
}

const TIMEOUT_MS = 2000
const RETRY_MS = 50

/** A client of callbacks only, so that a simulated run needs no promises: it asks again until it is answered. */
export class SimClient {
  readonly #ports: NodePorts
  readonly #bootstrap: readonly SimAddress[]
  readonly #connections = new Map<string, ClientConnection>()
  #nextBootstrap = 0
  metadata: MetadataResponse | null = null
  readonly acked: string[] = []
  readonly errors: number[] = []

  constructor(ports: NodePorts, bootstrap: readonly SimAddress[]) {
    this.#ports = ports
    this.#bootstrap = bootstrap
  }

  createTopic(name: string, partitions: number, done: () => void): void {
    const body = {
      timeoutMs: TIMEOUT_MS,
      topics: [
        {
          name,
          numPartitions: partitions,
          replicationFactor: 3,
          configs: [{ name: 'min.insync.replicas', value: '2' }],
        },
      ],
    }
    this.#ask(this.#anyAddress(), createTopicsApi, 7, body, (response) => {
      const code = response?.topics[0]?.errorCode
      if (code === ErrorCode.NONE || code === ErrorCode.TOPIC_ALREADY_EXISTS) done()
      else this.#later(() => this.createTopic(name, partitions, done))
    })
  }

  refresh(done: () => void): void {
    this.#ask(this.#anyAddress(), metadataApi, 12, { topics: null }, (response) => {
      if (response === null) {
        this.#later(() => this.refresh(done))
        return
      }
      this.metadata = response
      done()
    })
  }

  partition(topic: string, index: number) {
    return this.metadata?.topics
      .find(({ name }) => name === topic)
      ?.partitions.find(({ partitionIndex }) => partitionIndex === index)
  }

  /** Sends one value with acks=all until it is acknowledged. */
  produce(topic: string, index: number, value: string, done: () => void): void {
    const leader = this.#leader(topic, index)
    const retry = (): void =>
      this.#later(() => this.refresh(() => this.produce(topic, index, value, done)))
    if (leader === null) {
      retry()
      return
    }
    const records = writeBatch({
      records: [{ key: null, value: Buffer.from(value) }],
      timestampMs: Math.floor(this.#ports.clock.wallMs()),
    })
    const body = {
      acks: -1,
      timeoutMs: TIMEOUT_MS,
      topicData: [{ name: topic, partitionData: [{ index, records }] }],
    }
    this.#ask(leader, produceApi, 9, body, (response) => {
      const code = response?.responses[0]?.partitionResponses[0]?.errorCode
      if (code === ErrorCode.NONE) {
        this.acked.push(value)
        done()
        return
      }
      this.errors.push(code ?? ErrorCode.NETWORK_EXCEPTION)
      retry()
    })
  }

  /** All values of a partition, from its leader. */
  readAll(topic: string, index: number, done: (values: readonly string[]) => void): void {
    const values: string[] = []
    const step = (offset: number): void => {
      const leader = this.#leader(topic, index)
      const retry = (): void => this.#later(() => this.refresh(() => step(offset)))
      if (leader === null) return retry()
      const partition = { partition: index, fetchOffset: offset, partitionMaxBytes: 1_048_576 }
      const body = {
        maxWaitMs: 10,
        minBytes: 1,
        maxBytes: 10_485_760,
        topics: [{ topic, partitions: [partition] }],
      }
      this.#ask(leader, fetchApi, 12, body, (response) => {
        const answer = response?.responses[0]?.partitions[0]
        if (answer === undefined || answer.errorCode !== ErrorCode.NONE) return retry()
        let next = offset
        const { records } = answer
        if (records !== null) {
          forEachBatch(records, (header, position) => {
            for (const record of readRecords(records, position)) {
              if (record.offset >= offset) values.push(record.value?.toString() ?? '')
            }
            next = header.lastOffset + 1
          })
        }
        if (next >= answer.highWatermark) done(values)
        else step(next)
      })
    }
    step(0)
  }

  #leader(topic: string, index: number): SimAddress | null {
    const leaderId = this.partition(topic, index)?.leaderId ?? -1
    return this.metadata?.brokers.find(({ nodeId }) => nodeId === leaderId) ?? null
  }

  #anyAddress(): SimAddress {
    this.#nextBootstrap += 1
    return this.#bootstrap[this.#nextBootstrap % this.#bootstrap.length]!
  }

  #later(fn: () => void): void {
    this.#ports.clock.after(RETRY_MS, 'sim-client.retry', fn)
  }

  #ask<Req, Res>(
    address: SimAddress,
    api: Api<Req, Res>,
    version: number,
    body: Input<Req>,
    done: (response: Res | null) => void,
  ): void {
    const name = `${address.host}:${address.port}`
    let connection = this.#connections.get(name)
    if (connection === undefined) {
      const { network, clock } = this.#ports
      connection = new ClientConnection({
        network,
        clock,
        address: { host: address.host, port: address.port },
        clientId: 'sim-client',
        onClosed: () => this.#connections.delete(name),
      })
      this.#connections.set(name, connection)
    }
    connection.request(api, version, body, TIMEOUT_MS, (_, response) => {
      done(response)
    })
  }
}
