import { messageOf } from '../../src/base/errors.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { sourceKey, type OffsetStore, type SourceOffset } from './offset-store.ts'
import type { SubmittedOffsets } from './submitted-offsets.ts'
import { settlesWithin } from './waiting.ts'
import type { Voice } from './worker-event.ts'

export interface OffsetCommitterOptions {
  readonly clock: Clock
  readonly voice: Voice
  readonly store: OffsetStore
  readonly submitted: SubmittedOffsets
  readonly timeoutMs: number
  readonly afterCommit: () => void | Promise<void> | undefined
}

/** Stores a source task's offsets, one commit after the other; what could not be stored stays for the next. */
export class OffsetCommitter {
  readonly #options: OffsetCommitterOptions
  readonly #unstored = new Map<string, SourceOffset>()
  #last: Promise<void> = Promise.resolve()

  constructor(options: OffsetCommitterOptions) {
    this.#options = options
  }

  /** Never rejects; a failure is told. */
  commit(): Promise<void> {
    this.#last = this.#last.then(() => this.#commit())
    return this.#last
  }

  async #commit(): Promise<void> {
    const { submitted, voice, afterCommit } = this.#options
    for (const offset of submitted.takeCommittable()) {
      this.#unstored.set(sourceKey(offset.connector, offset.partition), offset)
    }
    if (this.#unstored.size > 0 && !(await this.#store())) return
    try {
      await afterCommit()
    } catch (error) {
      voice.tell('warning', 'warn', `the task's commit failed: ${messageOf(error)}`)
    }
  }

  async #store(): Promise<boolean> {
    const { clock, store, voice, timeoutMs } = this.#options
    const entries = [...this.#unstored]
    let problem: string | null = null
    const written = store.write(entries.map(([, offset]) => offset)).catch((error: unknown) => {
      problem = messageOf(error)
    })
    if (!(await settlesWithin(clock, timeoutMs, written))) {
      problem = `not done within offset.flush.timeout.ms ${timeoutMs}`
    }
    if (problem !== null) {
      voice.tell('warning', 'error', `offsets could not be stored, tried again later: ${problem}`)
      return false
    }
    for (const [key, offset] of entries) {
      if (this.#unstored.get(key) === offset) this.#unstored.delete(key)
    }
    return true
  }
}
