import { describe, expect, it } from 'vitest'
import type { PollOperation, SendOperation } from '../../../../../src/chaos/history/operation.ts'
import { ClientProgress } from '../../../../../src/chaos/run/client-progress.ts'
import { chaosPlan } from '../../../../support/chaos-plan.ts'

const ENDS = new Map([
  ['t-0', { topic: 't', end: 5 }],
  ['other-0', { topic: 'other', end: 9 }],
])

function poll(process: string, purpose: PollOperation['purpose'], offset: number) {
  const records = [{ offset, value: 'v', key: null }]
  const operation: PollOperation = {
    op: 'poll',
    topic: 't',
    partition: 0,
    position: offset,
    isolation: 'read_uncommitted',
    isFirst: false,
    purpose,
    records,
  }
  return { index: 0, atMs: 0, process, kind: 'ok' as const, of: 0, operation }
}

describe('the progress of clients', () => {
  it('names a producer until something of it is acknowledged', () => {
    const progress = new ClientProgress(chaosPlan().workload)
    expect(progress.silentProducer()).toBe('producer')
    const operation = { op: 'send' } as SendOperation
    progress.onEntry({ index: 0, atMs: 0, process: 'producer/2', kind: 'info', of: 0, operation })
    expect(progress.silentProducer()).toBe('producer')
    progress.onEntry({ index: 0, atMs: 0, process: 'producer/2', kind: 'ok', of: 0, operation })
    expect(progress.silentProducer()).toBeNull()
  })

  it('names a reader that is not at the end yet', () => {
    const progress = new ClientProgress(chaosPlan().workload)
    const behind = (): string | null => progress.behind(ENDS, () => true)
    expect(behind()).toBe('reader is at 0 of 5 of t-0')
    progress.onEntry(poll('reader', 'reader', 3))
    expect(behind()).toBe('reader is at 4 of 5 of t-0')
    progress.onEntry(poll('reader/2', 'reader', 4))
    expect(behind()).toBeNull()
  })

  it('forgets how far a reader was that has begun another life', () => {
    const progress = new ClientProgress(chaosPlan().workload)
    const behind = (): string | null => progress.behind(ENDS, () => true)
    progress.onEntry(poll('reader', 'reader', 4))
    expect(behind()).toBeNull()
    progress.onEntry({ ...poll('reader/2', 'reader', 0), kind: 'invoke' })
    expect(behind()).toBe('reader is at 0 of 5 of t-0')
    progress.onEntry(poll('reader/2', 'reader', 4))
    progress.onEntry({ ...poll('reader/2', 'reader', 5), kind: 'invoke' })
    progress.onEntry({ ...poll('reader', 'reader', 0), kind: 'info' })
    expect(behind()).toBeNull()
  })

  it('counts what any member of a group has read', () => {
    const group = {
      kind: 'group',
      name: 'member',
      groupId: 'g',
      topic: 't',
      members: 2,
      assignor: 'range',
      commit: 'after-processing',
      commitEveryMs: 100,
      sessionTimeoutMs: 1000,
      isStatic: false,
      churnEveryMs: 0,
    } as const
    const progress = new ClientProgress([group])
    expect(progress.behind(ENDS, () => true)).toBe('member is at 0 of 5 of t-0')
    progress.onEntry(poll('member-2', 'group', 4))
    expect(progress.behind(ENDS, () => true)).toBeNull()
  })
})
