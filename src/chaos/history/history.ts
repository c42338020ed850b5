import type { Operation } from './operation.ts'

/** `ok`: it happened. `fail`: it did not and never will. `info`: unknown, perhaps later. */
export type EntryKind = 'invoke' | 'ok' | 'fail' | 'info'

export interface HistoryEntry {
  readonly index: number
  /** Milliseconds since the run began: virtual in simulation, monotonic in real mode. */
  readonly atMs: number
  /** The client, in one life: a new life has a new name. */
  readonly process: string
  readonly kind: EntryKind
  /** Index of the `invoke` that an `ok`, `fail` or `info` ends; its own index on an `invoke`. */
  readonly of: number
  readonly operation: Operation
}

/** What the clients saw, in the order of time. The only evidence that needs no look into a broker. */
export class History {
  readonly entries: HistoryEntry[] = []
  readonly #nowMs: () => number
  readonly #listeners: ((entry: HistoryEntry) => void)[] = []
  /** Invocations without an end, by index. */
  readonly #open = new Map<number, HistoryEntry>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** Hears every entry as it is added. */
  onEntry(listener: (entry: HistoryEntry) => void): void {
    this.#listeners.push(listener)
  }

  /** Returns the index to give to `end`. */
  invoke(process: string, operation: Operation): number {
    return this.#add(process, 'invoke', this.entries.length, operation)
  }

  end(of: number, process: string, kind: 'ok' | 'fail' | 'info', operation: Operation): void {
    this.#add(process, kind, of, operation)
  }

  /** The process is gone, and never hears what became of what it had under way. */
  abandon(process: string): void {
    for (const { of, process: owner, operation } of [...this.#open.values()]) {
      if (owner === process) this.end(of, process, 'info', operation)
    }
  }

  /** Something seen without an invocation. */
  note(process: string, operation: Operation): void {
    this.#add(process, 'ok', this.entries.length, operation)
  }

  #add(process: string, kind: EntryKind, of: number, operation: Operation): number {
    const index = this.entries.length
    const entry: HistoryEntry = { index, atMs: this.#nowMs(), process, kind, of, operation }
    this.entries.push(entry)
    if (kind === 'invoke') this.#open.set(index, entry)
    else this.#open.delete(of)
    for (const listener of this.#listeners) listener(entry)
    return index
  }
}
