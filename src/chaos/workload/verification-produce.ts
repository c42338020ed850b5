import type { NodePorts } from '../../ports/ports.ts'
import type { Actor } from '../run/stage.ts'
import { ClientLink } from './client-link.ts'
import { sendOnce } from './send-attempt.ts'
import { SentBatch } from './sent-batch.ts'
import {
  WorkloadActor,
  type Life,
  type LifeContext,
  type WorkloadContext,
} from './workload-actor.ts'

const RETRY_MS = 100
const DEFAULT_TIMEOUT_MS = 2000

export interface VerificationPlan {
  readonly name: string
  readonly topics: readonly string[]
  /** 2 s. */
  readonly requestTimeoutMs?: number
}

class VerificationLife implements Life {
  readonly #context: LifeContext
  readonly #link: ClientLink
  readonly #requestTimeoutMs: number
  /** Partitions without an acknowledged record, and the last error of each; null while its topic is not known. */
  readonly #missing = new Map<string, string>()
  readonly #open = new Set<SentBatch>()
  #sent = 0

  constructor(plan: VerificationPlan, context: LifeContext) {
    this.#context = context
    this.#requestTimeoutMs = plan.requestTimeoutMs ?? DEFAULT_TIMEOUT_MS
    this.#link = new ClientLink({
      clientId: context.process,
      ports: context.ports,
      bootstrap: context.bootstrap,
      requestTimeoutMs: this.#requestTimeoutMs,
      topics: plan.topics,
    })
    for (const topic of plan.topics) {
      this.#missing.set(topic, 'the topic is not known')
      this.#begin(topic)
    }
  }

  stop(): void {
    this.abandon()
    this.#link.close()
  }

  pending(): string | null {
    const next = this.#missing.entries().next()
    if (next.done !== true) {
      const [where, error] = next.value
      return `no fresh acks=all send to ${where} succeeds: ${error}`
    }
    this.#link.close()
    return null
  }

  abandon(): void {
    this.#link.abandon()
    for (const batch of this.#open) batch.abandon()
    this.#open.clear()
  }

  #begin(topic: string): void {
    const count = this.#link.partitionCount(topic)
    if (count === 0) {
      this.#link.updater.requestUpdate()
      return this.#link.after(RETRY_MS, 'verify.begin', () => this.#begin(topic))
    }
    this.#missing.delete(topic)
    for (let partition = 0; partition < count; partition += 1) {
      this.#missing.set(`${topic}-${partition}`, 'no answer yet')
      this.#send(topic, partition)
    }
  }

  #send(topic: string, partition: number): void {
    const again = (): void => {
      this.#link.after(RETRY_MS, 'verify.retry', () => this.#send(topic, partition))
    }
    if (this.#link.leaderOf(topic, partition) === null) {
      this.#missing.set(`${topic}-${partition}`, 'no leader can be reached')
      return again()
    }
    const batch = this.#batch(topic, partition)
    batch.isUnderWay = true
    this.#open.add(batch)
    const attempt = {
      topic,
      partition,
      acks: -1 as const,
      records: batch.bytes,
      brokerTimeoutMs: this.#requestTimeoutMs,
    }
    const isSent = sendOnce(this.#link, attempt, (error, offset) => {
      this.#open.delete(batch)
      batch.isUnderWay = false
      if (error === null) {
        batch.succeed(offset)
        this.#missing.delete(`${topic}-${partition}`)
        return
      }
      batch.noteFailure(error)
      batch.giveUp()
      this.#missing.set(`${topic}-${partition}`, error.message)
      again()
    })
    if (isSent) return
    this.#open.delete(batch)
    batch.isUnderWay = false
    batch.giveUp()
    again()
  }

  #batch(topic: string, partition: number): SentBatch {
    const { history, process } = this.#context
    this.#sent += 1
    return new SentBatch(
      {
        history,
        process,
        topic,
        partition,
        acks: -1,
        records: [{ value: `${process}:${topic}-${partition}:${this.#sent}`, key: 'verify' }],
        valueBytes: 0,
        codec: 0,
        timestampMs: this.#link.wallMs,
        stamp: null,
      },
      this.#link.monoMs,
    )
  }
}

/**
 * After the heal: a fresh acks=all send to every partition must succeed (L3). Each try is a value of its own,
 * so it can be told from one that was appended late.
 */
export class VerificationProduce implements Actor {
  readonly name: string
  readonly #actor: WorkloadActor
  #isStarted = false
  #isStopped = false

  constructor(plan: VerificationPlan, context: WorkloadContext) {
    this.name = plan.name
    this.#actor = new WorkloadActor(plan.name, context, (life) => new VerificationLife(plan, life))
  }

  start(ports: NodePorts): void {
    this.#isStarted = true
    this.#actor.start(ports)
  }

  stop(): void {
    this.#isStopped = true
    this.#actor.stop()
  }

  /** Every partition took a record. */
  done(): boolean {
    return this.#isStarted && this.#actor.pending() === null
  }

  pending(): string | null {
    if (this.#isStopped) return null
    return this.#isStarted ? this.#actor.pending() : 'the verification has not begun'
  }
}
