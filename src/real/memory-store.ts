import { assert } from '../base/assert.ts'
import { copyOfPlain } from '../base/plain-value.ts'
import type { Store } from '../ports/store.ts'

export interface MemoryStoreOptions {
  /** Runs `fn` soon, never at once; `setImmediate` unless given. */
  readonly defer?: (fn: () => void) => void
}

/** A store in memory. Like `MemoryDisk` it belongs to the cluster and outlives its broker. */
export class MemoryStore implements Store {
  readonly #values = new Map<string, unknown>()
  readonly #defer: (fn: () => void) => void

  constructor(options: MemoryStoreOptions = {}) {
    this.#defer = options.defer ?? setImmediate
  }

  get(key: string): unknown {
    return this.#values.get(key)
  }

  put(key: string, value: unknown): void {
    assert(value !== undefined, `put of ${key} without a value`)
    this.#values.set(key, copyOfPlain(value))
  }

  delete(key: string): void {
    this.#values.delete(key)
  }

  keys(prefix: string): readonly string[] {
    return [...this.#values.keys()].filter((key) => key.startsWith(prefix)).sort()
  }

  sync(done: (error: Error | null) => void): void {
    this.#defer(() => done(null))
  }

  /** Nothing to give back: the next user of the store finds all values. */
  close(): void {}
}
