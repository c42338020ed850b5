import type { Offset } from '../../src/base/ids.ts'
import type { Store } from '../../src/ports/store.ts'
import type { Partition } from './partition.ts'

const HIGH_WATERMARK = 'hw/'
const RECOVERY_POINT = 'recovery-point/'

/**
 * High watermarks and recovery points in the node's store, by `topic-partition`. A high watermark read back
 * may be older than the one acted on before the stop: it is a lower bound, which is all a replica needs.
 */
export class Checkpoints {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** 0 when none was written. */
  highWatermark(key: string): Offset {
    return this.#offset(HIGH_WATERMARK + key)
  }

  /** Records below this are known to be on the disk; 0 when none was written. */
  recoveryPoint(key: string): Offset {
    return this.#offset(RECOVERY_POINT + key)
  }

  /** Writes what has changed; true when there was anything. */
  write(partitions: Iterable<Partition>): boolean {
    let hasChanged = false
    for (const { key, log } of partitions) {
      hasChanged = this.#put(HIGH_WATERMARK + key, log.highWatermark) || hasChanged
      hasChanged = this.#put(RECOVERY_POINT + key, log.recoveryPoint) || hasChanged
    }
    return hasChanged
  }

  forget(key: string): void {
    this.#store.delete(HIGH_WATERMARK + key)
    this.#store.delete(RECOVERY_POINT + key)
  }

  #put(key: string, offset: Offset): boolean {
    if (this.#store.get(key) === offset) return false
    this.#store.put(key, offset)
    return true
  }

  #offset(key: string): Offset {
    const offset = this.#store.get(key)
    return typeof offset === 'number' && offset >= 0 ? offset : 0
  }
}
