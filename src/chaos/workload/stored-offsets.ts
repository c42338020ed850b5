import type { OffsetStore, SourceOffset } from '../../../connect/index.ts'
import type { Store } from '../../ports/store.ts'

type Partition = SourceOffset['partition']
type Offset = SourceOffset['offset']

/**
 * The source offsets of a standalone worker in the store of its node, in place of the file that a worker outside
 * of a world has: what was not synced can be lost with the power, what was outlives a crash.
 */
export class StoredOffsets implements OffsetStore {
  readonly #store: Store
  readonly #onStored: (offset: SourceOffset) => void
  #writes = 0
  /** The number of the newest write that is durable, by key. */
  readonly #durable = new Map<string, number>()

  /** `onStored` is called when an offset has become durable, unless a later one of its part was before. */
  constructor(store: Store, onStored: (offset: SourceOffset) => void) {
    this.#store = store
    this.#onStored = onStored
  }

  open(): Promise<void> {
    return Promise.resolve()
  }

  read(connector: string, partition: Partition): Offset {
    const stored = this.#store.get(keyOf(connector, partition))
    return typeof stored === 'object' && stored !== null ? (stored as Offset) : null
  }

  write(offsets: readonly SourceOffset[]): Promise<void> {
    this.#writes += 1
    const number = this.#writes
    for (const { connector, partition, offset } of offsets) {
      const key = keyOf(connector, partition)
      if (offset === null) this.#store.delete(key)
      else this.#store.put(key, offset)
    }
    return new Promise((resolve, reject) => {
      this.#store.sync((error) => {
        if (error !== null) return reject(error)
        for (const offset of offsets) this.#noteStored(offset, number)
        resolve()
      })
    })
  }

  /** Syncs of one store may be answered in another order than they were asked for. */
  #noteStored(offset: SourceOffset, number: number): void {
    const key = keyOf(offset.connector, offset.partition)
    if (number < (this.#durable.get(key) ?? 0)) return
    this.#durable.set(key, number)
    this.#onStored(offset)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

function keyOf(connector: string, partition: Partition): string {
  return `connect.offset/${connector}/${String(partition.task)}`
}
