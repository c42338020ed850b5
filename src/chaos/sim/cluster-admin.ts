import { ErrorCode } from '../../wire/error-codes.ts'
import { createTopicsApi } from '../../wire/messages/19-create-topics.ts'
import { deleteTopicsApi } from '../../wire/messages/20-delete-topics.ts'
import { createPartitionsApi } from '../../wire/messages/37-create-partitions.ts'
import { electLeadersApi } from '../../wire/messages/43-elect-leaders.ts'
import { incrementalAlterConfigsApi } from '../../wire/messages/44-incremental-alter-configs.ts'
import type { Api, Input } from '../../wire/schema.ts'
import type { Address } from '../../ports/network.ts'
import type { NodePorts } from '../../ports/ports.ts'
import type { TopicPlan } from '../plan/plan.ts'
import { ClientLink } from '../workload/client-link.ts'
import { errorOfCode } from '../workload/outcome.ts'

const REQUEST_TIMEOUT_MS = 3000
const RETRY_MS = 100
const TOPIC_RESOURCE = 2
const SET = 0
const PREFERRED = 0

export type AdminDone = (error: Error | null) => void

/** Administration of a cluster by callbacks. One attempt each, unless it says otherwise. */
export class ClusterAdmin {
  readonly #link: ClientLink

  constructor(ports: NodePorts, bootstrap: readonly Address[]) {
    this.#link = new ClientLink({
      clientId: 'harness',
      ports,
      bootstrap,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      topics: [],
    })
  }

  /** Tries again until the topic is there. */
  ensureTopic(topic: TopicPlan, done: () => void): void {
    this.createTopic(topic, (error) => {
      if (error === null || isCode(error, ErrorCode.TOPIC_ALREADY_EXISTS)) return done()
      this.#link.after(RETRY_MS, 'admin.create', () => this.ensureTopic(topic, done))
    })
  }

  createTopic(topic: TopicPlan, done: AdminDone): void {
    const body = {
      topics: [
        {
          name: topic.name,
          numPartitions: topic.partitions,
          replicationFactor: topic.replicationFactor,
          assignments: [],
          configs: Object.entries(topic.configs).map(([name, value]) => ({ name, value })),
        },
      ],
      timeoutMs: REQUEST_TIMEOUT_MS,
      validateOnly: false,
    }
    this.#ask(
      createTopicsApi,
      () => body,
      (response) => response.topics[0]?.errorCode,
      done,
    )
  }

  deleteTopic(name: string, done: AdminDone): void {
    this.#ask(
      deleteTopicsApi,
      (version) => ({
        ...(version >= 6 ? { topics: [{ name }] } : { topicNames: [name] }),
        timeoutMs: REQUEST_TIMEOUT_MS,
      }),
      (response) => response.responses[0]?.errorCode,
      done,
    )
  }

  createPartitions(name: string, count: number, done: AdminDone): void {
    const body = {
      topics: [{ name, count, assignments: null }],
      timeoutMs: REQUEST_TIMEOUT_MS,
      validateOnly: false,
    }
    this.#ask(
      createPartitionsApi,
      () => body,
      (response) => response.results[0]?.errorCode,
      done,
    )
  }

  alterTopic(topic: string, name: string, value: string, done: AdminDone): void {
    const configs = [{ name, configOperation: SET, value }]
    const body = {
      resources: [{ resourceType: TOPIC_RESOURCE, resourceName: topic, configs }],
      validateOnly: false,
    }
    this.#ask(
      incrementalAlterConfigsApi,
      () => body,
      (response) => response.responses[0]?.errorCode,
      done,
    )
  }

  /** Preferred leaders for all partitions. */
  electPreferred(done: AdminDone): void {
    const body = { electionType: PREFERRED, topicPartitions: null, timeoutMs: REQUEST_TIMEOUT_MS }
    this.#ask(
      electLeadersApi,
      () => body,
      (response) => response.errorCode,
      done,
    )
  }

  after(delayMs: number, fn: () => void): void {
    this.#link.after(delayMs, 'admin.later', fn)
  }

  close(): void {
    this.#link.close()
  }

  #ask<Req, Res>(
    api: Api<Req, Res>,
    body: (version: number) => Input<Req>,
    codeOf: (response: Res) => number | undefined,
    done: AdminDone,
  ): void {
    const call = { api, timeoutMs: REQUEST_TIMEOUT_MS, body }
    this.#link.request('any', 'main', call, (error, response) => {
      if (error !== null || response === null) return done(error)
      done(errorOfCode(codeOf(response) ?? ErrorCode.NONE))
    })
  }
}

function isCode(error: Error, code: number): boolean {
  return 'errorCode' in error && error.errorCode === code
}
