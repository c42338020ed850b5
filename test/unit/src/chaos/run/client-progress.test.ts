import { describe, expect, it } from 'vitest'
import type {
  OwnershipOperation,
  PollOperation,
  SendOperation,
} from '../../../../../src/chaos/history/operation.ts'
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

const GROUP = {
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

function assigned(process: string, generation: number, partitions: readonly number[]) {
  const operation: OwnershipOperation = {
    op: 'assigned',
    group: 'g',
    member: process,
    generation,
    topic: 't',
    partitions,
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
    const progress = new ClientProgress([GROUP])
    progress.onEntry(assigned('member-1', 1, [0]))
    expect(progress.behind(ENDS, () => true)).toBe('member is at 0 of 5 of t-0')
    progress.onEntry(poll('member-2', 'group', 4))
    expect(progress.behind(ENDS, () => true)).toBeNull()
  })

  it('names a partition that the newest generation of a group gives to nobody', () => {
    const ends = new Map([0, 1].map((partition) => [`t-${partition}`, { topic: 't', end: 0 }]))
    const progress = new ClientProgress([GROUP])
    const behind = (): string | null => progress.behind(ends, () => true)
    expect(behind()).toBe('member has given t-0 to nobody')
    progress.onEntry(assigned('member-1', 1, [0]))
    expect(behind()).toBe('member has given t-1 to nobody')
    progress.onEntry(assigned('member-2/2', 1, [1]))
    expect(behind()).toBeNull()
    progress.onEntry(assigned('member-2/2', 2, [1]))
    progress.onEntry(assigned('member-1', 1, [0]))
    expect(behind()).toBe('member has given t-0 to nobody')
  })
})
