import { assert } from '../../base/assert.ts'
import type { Address } from '../../ports/network.ts'
import type { NodePorts } from '../../ports/ports.ts'
import type { Random } from '../../ports/random.ts'
import type { History } from '../history/history.ts'
import type { Actor } from '../run/stage.ts'

/** What all actors of a run are given. */
export interface WorkloadContext {
  readonly history: History
  /** Addresses that clients begin with. */
  readonly bootstrap: readonly Address[]
  readonly random: Random
}

/** What one life of an actor is given. */
export interface LifeContext extends WorkloadContext {
  readonly ports: NodePorts
  /** The name in the history: `name`, then `name/2`, `name/3`. */
  readonly process: string
  /** From 1. */
  readonly number: number
}

/** An actor between two crashes. */
export interface Life {
  /** As of `Actor`. */
  calm?(): void
  /** Begins nothing new. */
  stop(): void
  /** What is still under way; null when nothing is. */
  pending(): string | null
  /** The client crashed: what is open ends as `info`, and nothing is done any more. */
  abandon(): void
  /** Of a client that follows topics: what it has not read yet; see `WorkloadActor.lagBehind`. */
  lagBehind?(ends: ReadonlyMap<string, number>): string | null
}

/** Gives an actor one life after the other. */
export class WorkloadActor implements Actor {
  readonly name: string
  readonly #context: WorkloadContext
  readonly #begin: (context: LifeContext) => Life
  readonly #random: Random
  #life: Life | null = null
  #lives = 0
  #isCalm = false
  #isStopped = false

  constructor(name: string, context: WorkloadContext, begin: (context: LifeContext) => Life) {
    assert(name !== '', 'an actor has a name')
    this.name = name
    this.#context = context
    this.#begin = begin
    this.#random = context.random.fork(`actor ${name}`)
  }

  start(ports: NodePorts): void {
    this.#life?.abandon()
    this.#context.history.abandon(this.#process)
    this.#lives += 1
    const number = this.#lives
    this.#life = this.#begin({
      ...this.#context,
      random: this.#random.fork(`life ${number}`),
      ports,
      number,
      process: this.#process,
    })
    if (this.#isCalm) this.#life.calm?.()
    if (this.#isStopped) this.#life.stop()
  }

  /** The name of its life in the history. */
  get #process(): string {
    return this.#lives <= 1 ? this.name : `${this.name}/${this.#lives}`
  }

  calm(): void {
    this.#isCalm = true
    this.#life?.calm?.()
  }

  stop(): void {
    this.#isStopped = true
    this.#life?.stop()
  }

  pending(): string | null {
    return this.#life?.pending() ?? null
  }

  /**
   * For L4 and L5: whether a running reader or group has got to these end offsets (by `topicPartitionKey`, as
   * `FinalReader.ends` has them). What is still missing; null when nothing is, or it reads none of these.
   */
  lagBehind(ends: ReadonlyMap<string, number>): string | null {
    return this.#life?.lagBehind?.(ends) ?? null
  }
}
