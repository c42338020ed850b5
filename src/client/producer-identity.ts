import { assert } from '../base/assert.ts'
import type { ProducerId } from '../base/ids.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import {
  initProducerIdApi,
  type InitProducerIdResponse,
} from '../wire/messages/22-init-producer-id.ts'
import type { Cluster } from './cluster.ts'
import { isRetriableError, KafkaError } from './kafka-error.ts'
import { withRetries, type Cancellable } from './retry.ts'

const MAX_EPOCH = 32_767
const NO_TRANSACTION_TIMEOUT_MS = 2_147_483_647

export interface ProducerIdAndEpoch {
  readonly producerId: ProducerId
  readonly epoch: number
}

/** Where the batches of a producer get their id and epoch from. */
export interface ProducerIds {
  /** The epoch is the transaction coordinator's to choose, and a failed batch is the end of a transaction. */
  readonly isTransactional: boolean
  /** The present id; null when there is none yet. */
  acquire(): ProducerIdAndEpoch | null
  /** What follows `old`; null while that is awaited, or is not for the producer to say. */
  next(old: ProducerIdAndEpoch): ProducerIdAndEpoch | null
  /** Why there will never be an id. */
  readonly fatalError: Error | null
  close(): void
}

/**
 * The producer id of an idempotent producer. A partition whose sequence is broken goes on with a higher epoch,
 * which a producer without transactions may choose by itself (TransactionManager.bumpIdempotentProducerEpoch).
 */
export class ProducerIdentity implements ProducerIds {
  readonly isTransactional = false
  readonly #cluster: Cluster
  readonly #onReady: () => void
  #current: ProducerIdAndEpoch | null = null
  #fatal: Error | null = null
  #pending: Cancellable | null = null

  /** `onReady`: an id was got, or it is clear that there will be none. */
  constructor(cluster: Cluster, onReady: () => void) {
    this.#cluster = cluster
    this.#onReady = onReady
  }

  /** The present id; asks for one and returns null when there is none yet. */
  acquire(): ProducerIdAndEpoch | null {
    if (this.#current === null) this.#ask()
    return this.#current
  }

  /** Why there will never be an id. */
  get fatalError(): Error | null {
    return this.#fatal
  }

  /** What follows `old`: the present id and epoch if newer, else one epoch more; null while a new id is awaited. */
  next(old: ProducerIdAndEpoch): ProducerIdAndEpoch | null {
    const current = this.acquire()
    if (current === null) return null
    const isOld = current.producerId === old.producerId && current.epoch === old.epoch
    if (!isOld) return current
    this.#current =
      old.epoch >= MAX_EPOCH ? null : { producerId: old.producerId, epoch: old.epoch + 1 }
    if (this.#current !== null) {
      this.#cluster.emit('client.producer-epoch-bumped', { ...this.#current })
    }
    return this.acquire()
  }

  close(): void {
    this.#pending?.cancel()
  }

  #ask(): void {
    if (this.#pending !== null || this.#fatal !== null) return
    this.#pending = withRetries<InitProducerIdResponse>({
      what: 'get a producer id',
      clock: this.#cluster.ports.clock,
      random: this.#cluster.ports.random,
      backoff: this.#cluster.retryBackoff,
      timeoutMs: Infinity,
      isRetriable: isRetriableError,
      attempt: (_remainingMs, done) => {
        const call = {
          api: initProducerIdApi,
          timeoutMs: this.#cluster.requestTimeoutMs,
          body: () => ({
            transactionalId: null,
            transactionTimeoutMs: NO_TRANSACTION_TIMEOUT_MS,
          }),
        }
        this.#cluster.request('any', 'main', call, (error, response) => {
          const code = response?.errorCode ?? ErrorCode.NONE
          done(error ?? (code === ErrorCode.NONE ? null : new KafkaError(code)), response)
        })
      },
      done: (error, response) => this.#onAnswer(error, response),
    })
  }

  #onAnswer(error: Error | null, response: InitProducerIdResponse | null): void {
    this.#pending = null
    if (error !== null) {
      this.#fatal = error
    } else {
      assert(response !== null, 'an answer without an error has a body')
      this.#current = { producerId: response.producerId, epoch: response.producerEpoch }
    }
    this.#onReady()
  }
}
