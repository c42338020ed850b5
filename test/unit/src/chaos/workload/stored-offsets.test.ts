import { describe, expect, it } from 'vitest'
import type { SourceOffset } from '../../../../../connect/index.ts'
import { StoredOffsets } from '../../../../../src/chaos/workload/stored-offsets.ts'
import type { Store } from '../../../../../src/ports/store.ts'

/** A store whose syncs are answered when the test says so. */
class HeldStore {
  readonly values = new Map<string, unknown>()
  readonly syncs: ((error: Error | null) => void)[] = []
  readonly store = {
    get: (key: string) => this.values.get(key),
    put: (key: string, value: unknown) => void this.values.set(key, value),
    delete: (key: string) => void this.values.delete(key),
    sync: (done: (error: Error | null) => void) => void this.syncs.push(done),
  } as unknown as Store
}

function offsetOf(task: string, sequence: number): SourceOffset {
  return { connector: 'c', partition: { task }, offset: { sequence } }
}

describe('the source offsets of a worker in a world', () => {
  it('are told when they are durable, and never an older one after a newer', async () => {
    const held = new HeldStore()
    const told: unknown[] = []
    const offsets = new StoredOffsets(held.store, ({ offset }) => told.push(offset?.sequence))
    const writes = [
      offsets.write([offsetOf('a', 1)]),
      offsets.write([offsetOf('a', 2)]),
      offsets.write([offsetOf('b', 9)]),
    ]
    expect(told).toEqual([])
    for (const index of [1, 0, 2]) held.syncs[index]!(null)
    await Promise.all(writes)
    expect(told).toEqual([2, 9])
    expect(offsets.read('c', { task: 'a' })).toEqual({ sequence: 2 })
  })
})
