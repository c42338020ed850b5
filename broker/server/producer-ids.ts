import { ErrorCode } from '../../src/wire/error-codes.ts'
import { allocateProducerIdsApi } from '../../src/wire/messages/67-allocate-producer-ids.ts'
import type { ControllerSender, ProducerIdSource } from './request-context.ts'

export interface ProducerIdsOptions {
  readonly brokerId: number
  readonly brokerEpoch: () => number
  readonly channel: ControllerSender
  readonly timeoutMs: number
}

type Waiter = (errorCode: number, producerId: number) => void

/** Callers that may wait for one block. */
const MAX_WAITERS = 10_000

/** Hands out producer ids from the block this broker holds and asks the controller for the next (KIP-730). */
export class ProducerIds implements ProducerIdSource {
  readonly #options: ProducerIdsOptions
  readonly #waiters: Waiter[] = []
  #nextId = 0
  #endId = 0
  #isAsking = false

  constructor(options: ProducerIdsOptions) {
    this.#options = options
  }

  next(done: Waiter): void {
    if (this.#nextId < this.#endId) {
      this.#nextId += 1
      done(ErrorCode.NONE, this.#nextId - 1)
      return
    }
    if (this.#waiters.length >= MAX_WAITERS) {
      done(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, -1)
      return
    }
    this.#waiters.push(done)
    if (!this.#isAsking) this.#ask()
  }

  #ask(): void {
    const { brokerId, brokerEpoch, channel, timeoutMs } = this.#options
    this.#isAsking = true
    const body = { brokerId, brokerEpoch: brokerEpoch() }
    channel.send(allocateProducerIdsApi, 0, body, timeoutMs, (error, response) => {
      this.#isAsking = false
      if (error === null && response !== null && response.errorCode === ErrorCode.NONE) {
        this.#nextId = response.producerIdStart
        this.#endId = response.producerIdStart + response.producerIdLen
      }
      this.#serve()
    })
  }

  #serve(): void {
    const isEmpty = this.#nextId >= this.#endId
    const waiters = this.#waiters.splice(0)
    for (const waiter of waiters) {
      if (isEmpty) waiter(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, -1)
      else this.next(waiter)
    }
  }
}
