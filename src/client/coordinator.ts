import { ConnectionError } from '../base/errors.ts'
import type { BrokerId } from '../base/ids.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import {
  findCoordinatorApi,
  type FindCoordinatorResponse,
} from '../wire/messages/10-find-coordinator.ts'
import type { Call, CallDone } from './broker-channel.ts'
import type { Cluster } from './cluster.ts'
import { KafkaError, needsCoordinator } from './kafka-error.ts'

/** What a coordinator is responsible for. */
export const CoordinatorType = { GROUP: 0, TRANSACTION: 1 } as const

export type CoordinatorType = (typeof CoordinatorType)[keyof typeof CoordinatorType]

type FindDone = (error: Error | null, nodeId: BrokerId | null) => void

/** Finds the broker that coordinates one group (or transactional id) and sends requests to it. */
export class Coordinator {
  readonly key: string
  readonly #type: CoordinatorType
  readonly #cluster: Cluster
  #nodeId: BrokerId | null = null
  #waiting: FindDone[] = []

  constructor(cluster: Cluster, type: CoordinatorType, key: string) {
    this.#cluster = cluster
    this.#type = type
    this.key = key
  }

  /** Null while it is not known. */
  get nodeId(): BrokerId | null {
    return this.#nodeId
  }

  /**
   * One try: looks the coordinator up if needed, then sends. Errors that say it is elsewhere are for `check`.
   * A lost connection makes it unknown.
   */
  request<Req, Res>(call: Call<Req, Res>, done: CallDone<Res>): void {
    this.#find((error, nodeId) => {
      if (error !== null || nodeId === null) return done(error, null, -1)
      this.#cluster.request(nodeId, 'coordinator', call, (failed, response, version) => {
        if (failed instanceof ConnectionError && this.#nodeId === nodeId) this.forget()
        done(failed, response, version)
      })
    })
  }

  /** An answer's error code as an error, null for NONE; forgets the coordinator if the code says it moved. */
  check(code: number, detail?: string | null): KafkaError | null {
    if (code === ErrorCode.NONE) return null
    if (needsCoordinator(code)) this.forget()
    return new KafkaError(code, detail)
  }

  forget(): void {
    this.#nodeId = null
  }

  #find(done: FindDone): void {
    if (this.#nodeId !== null) return done(null, this.#nodeId)
    this.#waiting.push(done)
    if (this.#waiting.length > 1) return
    const call = {
      api: findCoordinatorApi,
      timeoutMs: this.#cluster.requestTimeoutMs,
      limits: this.#type === CoordinatorType.GROUP ? {} : { min: 1 },
      body: (version: number) =>
        version >= 4
          ? { keyType: this.#type, coordinatorKeys: [this.key] }
          : { keyType: this.#type, key: this.key },
    }
    this.#cluster.request('any', 'main', call, (error, response, version) => {
      const found = error ?? this.#read(response, version)
      const waiting = this.#waiting
      this.#waiting = []
      if (typeof found === 'number') this.#nodeId = found
      for (const each of waiting) {
        if (typeof found === 'number') each(null, found)
        else each(found, null)
      }
    })
  }

  #read(response: FindCoordinatorResponse | null, version: number): BrokerId | Error {
    const found = version >= 4 ? response?.coordinators[0] : response
    if (found === undefined || found === null) {
      return new KafkaError(ErrorCode.COORDINATOR_NOT_AVAILABLE, 'the answer names no coordinator')
    }
    if (found.errorCode !== ErrorCode.NONE) {
      return new KafkaError(found.errorCode, found.errorMessage)
    }
    this.#cluster.learn({ id: found.nodeId, host: found.host, port: found.port, rack: null })
    this.#cluster.emit('client.coordinator-found', { key: this.key, broker: found.nodeId })
    return found.nodeId
  }
}
