import { describe, expect, it } from 'vitest'
import type { NodeView } from '../../../../../broker/index.ts'
import { StateWatch } from '../../../../../src/chaos/run/state-watch.ts'
import type { StateCheck } from '../../../../../src/chaos/state/state-check.ts'

const VIEW = { nodeId: 1 } as NodeView
const event = (kind: string) => ({ atMs: 0, node: 'b1', kind, fields: {} })

function watched(hooks: Partial<StateCheck> = {}): { watch: StateWatch; calls: string[] } {
  const calls: string[] = []
  const watch = new StateWatch(() => 7)
  watch.use([
    { invariants: ['R1'], atBarrier: () => calls.push('barrier'), ...hooks },
    { invariants: [], afterNode: ({ nodeId }) => calls.push(`node ${nodeId}`) },
  ])
  return { watch, calls }
}

describe('the watch over state checks', () => {
  it('looks at the node whose code ran, and at none when only links worked', () => {
    const { watch, calls } = watched()
    watch.afterStep(VIEW)
    watch.afterStep(null)
    expect(calls).toEqual(['node 1'])
  })

  it('holds a barrier at the end of the step in which a leader changed, once', () => {
    const { watch, calls } = watched()
    watch.onEvent(event('partition.leader-changed'))
    watch.onEvent(event('partition.leader-changed'))
    expect(calls).toEqual([])
    watch.afterStep(VIEW)
    watch.afterStep(VIEW)
    expect(calls).toEqual(['node 1', 'barrier', 'node 1'])
  })

  it('holds a barrier every 2,000 steps', () => {
    const { watch, calls } = watched()
    for (let step = 0; step < 4000; step += 1) watch.afterStep(null)
    expect(calls).toEqual(['barrier', 'barrier'])
  })

  it('keeps what was found, with its time, and counts the looks', () => {
    const { watch } = watched({
      atEnd: () => {
        watch.evaluated('R1')
        watch.violated('R1', 'two logs differ')
      },
    })
    expect(watch.hasViolation).toBe(false)
    watch.atEnd()
    expect(watch.violations).toEqual([{ invariant: 'R1', message: 'two logs differ', atMs: 7 }])
    expect([...watch.counts()]).toEqual([['R1', 1]])
  })
})
