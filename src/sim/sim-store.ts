import { assert } from '../base/assert.ts'
import { copyOfPlain } from '../base/plain-value.ts'
import type { Store } from '../ports/store.ts'
import type { Lifetime } from '../base/lifetime.ts'
import { drawLatencyUs, type Latency } from './latency.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimProcessor } from './sim-processor.ts'
import type { SimRandom } from './sim-random.ts'

/** A put, or with undefined a delete. */
interface Change {
  readonly key: string
  readonly value: unknown
}

export interface SimStoreOptions {
  readonly scheduler: Scheduler
  readonly random: SimRandom
  readonly syncLatency: Latency
  /** The disk below; its lies and its slowness are the store's too. */
  readonly disk: { readonly isLying: boolean; readonly extraFsyncUs: number }
}

/** All values as they were at one time. */
export type StoreBackup = ReadonlyMap<string, unknown>

/** The store of a simulated node; it outlives the node's crashes. Changes are durable after a sync. */
export class SimStore {
  readonly #options: SimStoreOptions
  #cached = new Map<string, unknown>()
  #durable = new Map<string, unknown>()
  #pending: Change[] = []
  #settledCount = 0
  #plantedError: Error | null = null

  constructor(options: SimStoreOptions) {
    this.#options = options
  }

  /** The store as one life of the node uses it. */
  mount(lifetime: Lifetime, processor: SimProcessor): Store {
    return new MountedStore(this, lifetime, processor)
  }

  /** The next sync answers with `error`; its changes stay pending. */
  failNextSync(error: Error): void {
    this.#plantedError = error
  }

  get values(): ReadonlyMap<string, unknown> {
    return this.#cached
  }

  change(change: Change): void {
    apply(this.#cached, change)
    this.#pending.push(change)
  }

  /** `done` runs when the disk has answered, on no node's time. */
  sync(done: (error: Error | null) => void): void {
    const mark = this.#settledCount + this.#pending.length
    const error = this.#plantedError
    this.#plantedError = null
    const { scheduler, random, syncLatency, disk } = this.#options
    const delayUs = drawLatencyUs(syncLatency, random) + disk.extraFsyncUs
    scheduler.after(delayUs, 'store.sync', () => {
      if (error === null && !disk.isLying) this.#settle(mark)
      done(error)
    })
  }

  wipe(): void {
    this.restoreBackup(new Map())
  }

  backup(): StoreBackup {
    return new Map(this.#cached)
  }

  /** The store is as it was, all of it durable. */
  restoreBackup(backup: StoreBackup): void {
    this.#settledCount += this.#pending.length
    this.#pending = []
    this.#cached = new Map(backup)
    this.#durable = new Map(backup)
  }

  /** With the process only, all changes stay; with the power, a seeded number of the last ones goes. */
  crash(losesUnsynced: boolean): number {
    this.#plantedError = null
    if (!losesUnsynced || this.#pending.length === 0) return 0
    const kept = this.#options.random.below(this.#pending.length + 1)
    const lost = this.#pending.length - kept
    this.#settle(this.#settledCount + kept)
    this.#settledCount += lost
    this.#pending = []
    this.#cached = new Map(this.#durable)
    return lost
  }

  #settle(mark: number): void {
    const changes = this.#pending.splice(0, Math.max(0, mark - this.#settledCount))
    this.#settledCount += changes.length
    for (const change of changes) apply(this.#durable, change)
  }
}

class MountedStore implements Store {
  readonly #store: SimStore
  readonly #lifetime: Lifetime
  readonly #processor: SimProcessor
  #isClosed = false

  constructor(store: SimStore, lifetime: Lifetime, processor: SimProcessor) {
    this.#store = store
    this.#lifetime = lifetime
    this.#processor = processor
  }

  get(key: string): unknown {
    return this.#store.values.get(key)
  }

  put(key: string, value: unknown): void {
    this.#assertUsable(key)
    assert(value !== undefined, `put of ${key} without a value`)
    this.#store.change({ key, value: copyOfPlain(value) })
  }

  delete(key: string): void {
    this.#assertUsable(key)
    this.#store.change({ key, value: undefined })
  }

  keys(prefix: string): readonly string[] {
    return [...this.#store.values.keys()].filter((key) => key.startsWith(prefix)).sort()
  }

  sync(done: (error: Error | null) => void): void {
    this.#store.sync((error) => {
      this.#processor.deliver(this.#lifetime, 'completion', () => done(error))
    })
  }

  close(): void {
    this.#isClosed = true
  }

  #assertUsable(key: string): void {
    if (this.#isClosed || !this.#lifetime.isAlive)
      assert(false, `change of ${key} in a closed store`)
  }
}

function apply(values: Map<string, unknown>, { key, value }: Change): void {
  if (value === undefined) values.delete(key)
  else values.set(key, value)
}
