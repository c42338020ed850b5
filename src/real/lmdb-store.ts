import { open, type RootDatabase } from 'lmdb'
import { assert } from '../base/assert.ts'
import { KafketteError, messageOf } from '../base/errors.ts'
import { copyOfPlain } from '../base/plain-value.ts'
import type { Store } from '../ports/store.ts'

/**
 * A store in an LMDB environment (a directory), values in msgpackr. All values are also kept in memory, so
 * `get` sees a put at once. A failed write is fatal for the store: every later sync answers with it.
 */
export class LmdbStore implements Store {
  readonly #database: RootDatabase<unknown, string>
  readonly #values: Map<string, unknown>
  #lastWrite: Promise<unknown> | null = null
  #failure: Error | null = null
  #closing: Promise<void> | null = null

  /** Opens the environment, creating it when missing. A process must not have it open twice. */
  static open(path: string): LmdbStore {
    try {
      // Without overlappingSync a write is answered when it is on the disk, not only when it is visible.
      return new LmdbStore(open({ path, overlappingSync: false, noMemInit: true }))
    } catch (error) {
      const message = `the store ${path} cannot be opened: ${messageOf(error)}`
      throw new KafketteError('STORE', message, { cause: error })
    }
  }

  private constructor(database: RootDatabase<unknown, string>) {
    this.#database = database
    this.#values = new Map()
    for (const { key, value } of database.getRange({})) this.#values.set(key, value)
  }

  get(key: string): unknown {
    return this.#values.get(key)
  }

  put(key: string, value: unknown): void {
    this.#assertOpen(key)
    assert(value !== undefined, `put of ${key} without a value`)
    this.#values.set(key, copyOfPlain(value))
    this.#follow(this.#database.put(key, value))
  }

  delete(key: string): void {
    this.#assertOpen(key)
    if (this.#values.delete(key)) this.#follow(this.#database.remove(key))
  }

  keys(prefix: string): readonly string[] {
    return [...this.#values.keys()].filter((key) => key.startsWith(prefix)).sort()
  }

  sync(done: (error: Error | null) => void): void {
    const answer = (): void => done(this.#failure)
    if (this.#lastWrite === null) setImmediate(answer)
    else void this.#lastWrite.then(() => setImmediate(answer))
  }

  /** Begins to close: writes under way are still made. Use `closed` to wait for the end. */
  close(): void {
    void this.closed()
  }

  /** Closes the store unless that has begun, and waits until the environment may be opened again. */
  closed(): Promise<void> {
    this.#closing ??= this.#database.close().catch((error: unknown) => this.#fail(error))
    return this.#closing
  }

  #follow(write: Promise<unknown>): void {
    const followed = write
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        if (this.#lastWrite === followed) this.#lastWrite = null
      })
    this.#lastWrite = followed
  }

  #fail(error: unknown): void {
    this.#failure ??= new KafketteError('STORE', `write to the store: ${messageOf(error)}`, {
      cause: error,
    })
  }

  #assertOpen(key: string): void {
    assert(this.#closing === null, `change of ${key} in a closed store`)
  }
}
