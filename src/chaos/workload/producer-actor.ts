import { assert, present } from '../../base/assert.ts'
import { ErrorCode } from '../../wire/error-codes.ts'
import { initProducerIdApi } from '../../wire/messages/22-init-producer-id.ts'
import type { ProducerPlan } from '../plan/workload-plan.ts'
import type { Actor } from '../run/stage.ts'
import { ClientLink } from './client-link.ts'
import { PartitionSender } from './partition-sender.ts'
import type { BatchRecord } from './sent-batch.ts'
import {
  WorkloadActor,
  type Life,
  type LifeContext,
  type WorkloadContext,
} from './workload-actor.ts'

const RETRY_MS = 100
const IN_FLIGHT_MAX = 5
/** Between two batches once the faults are over: a follower that is far behind can get to the end. */
const CALM_EVERY_MS = 300
const TRANSACTION_TIMEOUT_MS = 60_000

/** Sends unique values to partitions in turn; one producer session a life. */
export function createProducerActor(plan: ProducerPlan, context: WorkloadContext): Actor {
  assert(plan.inFlight >= 1 && plan.inFlight <= IN_FLIGHT_MAX, `inFlight is ${plan.inFlight}`)
  assert(plan.partitions.length > 0, `producer ${plan.name} has no partitions`)
  return new WorkloadActor(plan.name, context, (life) => new ProducerLife(plan, life))
}

class ProducerLife implements Life {
  readonly #plan: ProducerPlan
  readonly #context: LifeContext
  readonly #link: ClientLink
  #senders: readonly PartitionSender[] = []
  #turn = 0
  #records = 0
  #isCalm = false
  #isStopped = false

  constructor(plan: ProducerPlan, context: LifeContext) {
    this.#plan = plan
    this.#context = context
    this.#link = new ClientLink({
      clientId: context.process,
      ports: context.ports,
      bootstrap: context.bootstrap,
      requestTimeoutMs: plan.requestTimeoutMs,
      topics: [plan.topic],
    })
    // A producer without acknowledgements cannot know where its sequence broke, so Kafka's refuses the pair.
    if (plan.idempotent && plan.acks !== 0) this.#askForId()
    else this.#begin(null)
  }

  calm(): void {
    this.#isCalm = true
  }

  stop(): void {
    this.#isStopped = true
    for (const sender of this.#senders) sender.stop()
    this.#closeWhenDone()
  }

  pending(): string | null {
    const open = this.#senders.reduce((sum, sender) => sum + sender.openCount, 0)
    return open === 0 ? null : `producer ${this.#context.process} waits for ${open} batches`
  }

  abandon(): void {
    this.#link.abandon()
    for (const sender of this.#senders) sender.abandon()
    this.#senders = []
  }

  #askForId(): void {
    if (this.#isStopped) return
    const call = {
      api: initProducerIdApi,
      timeoutMs: this.#plan.requestTimeoutMs,
      body: () => ({ transactionalId: null, transactionTimeoutMs: TRANSACTION_TIMEOUT_MS }),
    }
    this.#link.request('any', 'main', call, (error, response) => {
      if (error === null && response?.errorCode === ErrorCode.NONE) {
        return this.#begin(response.producerId)
      }
      this.#link.after(RETRY_MS, 'producer.init-retry', () => this.#askForId())
    })
  }

  #begin(producerId: number | null): void {
    const { history, process, random } = this.#context
    this.#senders = this.#plan.partitions.map(
      (partition) =>
        new PartitionSender({
          plan: this.#plan,
          partition,
          link: this.#link,
          history,
          process,
          random: random.fork(`partition ${partition}`),
          producerId,
          nextRecord: () => this.#nextRecord(),
        }),
    )
    this.#wait(1)
  }

  /** Some batches at once, so that they overtake and repeat each other, then a pause that keeps the rate. */
  #wait(batches: number): void {
    const { random } = this.#context
    const jitter = 500 + random.below(1001)
    const everyMs = Math.max(this.#plan.everyMs, this.#isCalm ? CALM_EVERY_MS : 0)
    const delayMs = (everyMs * batches * jitter) / 1000
    this.#link.after(delayMs, 'producer.next', () => this.#sendSome())
  }

  #sendSome(): void {
    if (this.#isStopped) return
    const burst = 1 + this.#context.random.below(this.#plan.inFlight)
    const sender = present(this.#senders[this.#turn % this.#senders.length], 'a partition')
    this.#turn += 1
    for (let sent = 0; sent < burst && sender.sendNew(); sent += 1);
    this.#wait(burst)
  }

  #nextRecord(): BatchRecord {
    const { keys } = this.#plan
    const number = this.#records
    this.#records += 1
    return {
      value: `${this.#context.process}:${number}`,
      key: keys === 0 ? null : `k${number % keys}`,
    }
  }

  #closeWhenDone(): void {
    if (this.pending() === null) return this.#link.close()
    this.#link.after(RETRY_MS, 'producer.closing', () => this.#closeWhenDone())
  }
}
