import { describe, expect, it } from 'vitest'
import { moveState, moveStateText } from '../../../../../src/cli/reassign/log-dir-moves.ts'
import {
  partitionStateText,
  reassignmentRow,
} from '../../../../../src/cli/reassign/reassign-actions.ts'
import { movesOf, throttledReplicas } from '../../../../../src/cli/reassign/throttles.ts'

const t = (partition: number) => ({ topic: 't', partition })

describe('the throttles of a reassignment', () => {
  const moves = movesOf(
    [{ ...t(0), replicas: [3, 1, 2], adding: [3], removing: [1] }],
    [
      { ...t(0), replicas: [4, 2] },
      { ...t(10), replicas: [2, 3] },
    ],
    [
      { ...t(0), replicas: [3, 1, 2] },
      { ...t(10), replicas: [1, 2] },
    ],
  )

  it('name those that send and those that receive, in the order of text', () => {
    expect(throttledReplicas(moves, 'sources')).toEqual(new Map([['t', '0:1,0:2,10:1,10:2']]))
    expect(throttledReplicas(moves, 'destinations')).toEqual(new Map([['t', '0:4,10:3']]))
  })

  it('keep those of a move that nobody mentions', () => {
    const kept = movesOf([{ ...t(5), replicas: [1, 2], adding: [2], removing: [] }], [], [])
    expect(kept).toEqual([{ ...t(5), sources: [1], destinations: [2] }])
  })
})

describe('the lines of --verify and --list', () => {
  it('tell of partitions', () => {
    const wanted = { ...t(0), replicas: [2, 3] }
    expect([null, [2, 3], [1]].map((now) => partitionStateText(wanted, now))).toEqual([
      'Reassignment of partition t-0 is still in progress.',
      'Reassignment of partition t-0 is completed.',
      'There is no active reassignment of partition t-0, but replica set is 1 rather than 2,3.',
    ])
    expect(reassignmentRow({ ...t(0), replicas: [2, 3, 1], adding: [3], removing: [1] })).toBe(
      't-0: replicas: 2,3,1. adding: 3. removing: 1.',
    )
    expect(reassignmentRow({ ...t(0), replicas: [2], adding: [], removing: [] })).toBe(
      't-0: replicas: 2.',
    )
  })

  it('tell of replicas between directories', () => {
    const replica = { ...t(0), broker: 3, path: '/new' }
    const tell = (current: string | null, future: string | null): string =>
      moveStateText(replica, moveState({ current, future }, replica.path))
    expect([
      tell(null, null),
      tell('/old', '/new'),
      tell('/old', '/else'),
      tell('/old', null),
      tell('/new', null),
    ]).toEqual([
      'Partition t-0 is not found in any live log dir on broker 3. There is likely an offline log directory on the broker.',
      'Reassignment of replica t-0-3 is still in progress.',
      'Partition t-0 on broker 3 is being moved to log dir /else instead of /new.',
      'Partition t-0 on broker 3 is not being moved from log dir /old to /new.',
      'Reassignment of replica t-0-3 completed successfully.',
    ])
  })
})
