import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  partitionChange,
  type ElectionKind,
  type ElectionRequest,
} from '../../../../broker/controller/partition-election.ts'
import {
  changedPartition,
  LeaderRecoveryState,
  type PartitionState,
} from '../../../../broker/metadata/partition-state.ts'
import { metadataRecord } from '../../../../src/wire/metadata-record.ts'
import type { PartitionChangeRecord } from '../../../../src/wire/records/metadata.ts'
import { directoryOf, uuidOf } from '../../../support/control-world.ts'

const { RECOVERED, RECOVERING } = LeaderRecoveryState

const base: PartitionState = {
  topic: 't',
  topicId: uuidOf(0x70, 1),
  partition: 0,
  replicas: [1, 2, 3],
  isr: [1, 2, 3],
  leader: 1,
  leaderEpoch: 4,
  partitionEpoch: 8,
  leaderRecoveryState: RECOVERED,
  addingReplicas: [],
  removingReplicas: [],
  directories: [1, 2, 3].map(directoryOf),
}

interface Case {
  readonly partition?: Partial<PartitionState>
  readonly alive?: readonly number[]
  readonly targetIsr?: readonly number[]
  readonly election?: ElectionKind
  readonly targetLeaderRecoveryState?: number
}

function requestOf(given: Case): ElectionRequest {
  const alive = given.alive ?? [1, 2, 3]
  return {
    partition: { ...base, ...given.partition },
    election: given.election ?? 'online',
    isAcceptableLeader: (id) => alive.includes(id),
    targetIsr: given.targetIsr,
    targetLeaderRecoveryState: given.targetLeaderRecoveryState,
  }
}

function change(given: Case): ReturnType<typeof partitionChange> {
  return partitionChange(requestOf(given))
}

/** What of a partition a change alters. */
function afterwards(given: Case): PartitionState | null {
  const request = requestOf(given)
  const made = partitionChange(request)
  if (made === null) return null
  const { data } = metadataRecord('PartitionChangeRecord', made, 2)
  return changedPartition(request.partition, data as PartitionChangeRecord)
}

describe('an ordinary election', () => {
  it('changes nothing while the leader may lead and the ISR stays', () => {
    expect(change({})).toBeNull()
    expect(change({ targetIsr: [1, 2, 3] })).toBeNull()
  })

  it('keeps the leader when another leaves the ISR, and its epoch too', () => {
    expect(afterwards({ targetIsr: [1, 3] })).toMatchObject({
      leader: 1,
      leaderEpoch: 4,
      isr: [1, 3],
      partitionEpoch: 9,
    })
  })

  it('takes the first living member of the ISR in the order of assignment', () => {
    const given = { alive: [2, 3], targetIsr: [3, 2] }
    expect(afterwards(given)).toMatchObject({ leader: 2, leaderEpoch: 5, isr: [3, 2] })
    expect(afterwards({ alive: [3], targetIsr: [2, 3] })).toMatchObject({ leader: 3 })
  })

  it('does not elect a replica from outside the ISR', () => {
    const partition = { isr: [1] }
    expect(afterwards({ partition, alive: [2, 3], targetIsr: [] })).toMatchObject({
      leader: -1,
      leaderEpoch: 5,
      isr: [1],
      leaderRecoveryState: RECOVERED,
    })
  })

  it('keeps the last ISR of a leaderless partition as it is', () => {
    const partition = { isr: [1], leader: -1 }
    expect(change({ partition, alive: [2, 3], targetIsr: [] })).toBeNull()
    expect(change({ partition, alive: [2, 3] })).toBeNull()
  })

  it('gives a leaderless partition to the member that comes back', () => {
    const partition = { isr: [3], leader: -1 }
    expect(change({ partition, alive: [1, 3] })).toMatchObject({ leader: 3 })
  })
})

describe('an unclean election', () => {
  const election = 'unclean'

  it('prefers every clean way', () => {
    expect(change({ election })).toBeNull()
    expect(afterwards({ election, alive: [2, 3], targetIsr: [2, 3] })).toMatchObject({
      leader: 2,
      isr: [2, 3],
      leaderRecoveryState: RECOVERED,
    })
  })

  it('takes the first living replica alone, which then must recover', () => {
    const partition = { isr: [1] }
    expect(afterwards({ partition, election, alive: [3, 2], targetIsr: [] })).toMatchObject({
      leader: 2,
      leaderEpoch: 5,
      isr: [2],
      leaderRecoveryState: RECOVERING,
    })
  })

  it('finds nobody when all are dead', () => {
    const partition = { isr: [1] }
    expect(afterwards({ partition, election, alive: [], targetIsr: [] })).toMatchObject({
      leader: -1,
      isr: [1],
    })
  })
})

describe('a preferred election', () => {
  const election = 'preferred'

  it('moves leadership to the first replica of the assignment', () => {
    expect(afterwards({ election, partition: { leader: 3 } })).toMatchObject({
      leader: 1,
      leaderEpoch: 5,
      isr: [1, 2, 3],
    })
  })

  it('leaves the leader in place when the preferred one is dead or out of the ISR', () => {
    expect(change({ election, partition: { leader: 3 }, alive: [2, 3] })).toBeNull()
    expect(change({ election, partition: { leader: 3, isr: [2, 3] } })).toBeNull()
  })

  it('elects another member when there is no leader, but never uncleanly', () => {
    const partition = { leader: -1, isr: [3] }
    expect(change({ election, partition, alive: [2, 3] })).toMatchObject({ leader: 3 })
    expect(change({ election, partition, alive: [1, 2] })).toBeNull()
  })
})

describe('the end of a recovery', () => {
  it('is recorded without a new leader epoch', () => {
    const partition = { isr: [1], leaderRecoveryState: RECOVERING }
    const given = { partition, targetIsr: [1], targetLeaderRecoveryState: RECOVERED }
    expect(afterwards(given)).toMatchObject({
      leaderRecoveryState: RECOVERED,
      leaderEpoch: 4,
      partitionEpoch: 9,
    })
  })
})

describe('a reassignment', () => {
  const moving = { replicas: [3, 4, 1, 2], addingReplicas: [4], removingReplicas: [1, 2] }
  const partition = {
    ...moving,
    isr: [1, 2, 3],
    directories: [3, 4, 1, 2].map(directoryOf),
  }
  const alive = [1, 2, 3, 4]

  it('goes on until all replicas that stay are in the ISR', () => {
    expect(afterwards({ partition, alive, targetIsr: [1, 3] })).toMatchObject({
      ...moving,
      isr: [1, 3],
      leader: 1,
    })
  })

  it('ends with the removed replicas gone and the leadership moved', () => {
    expect(afterwards({ partition, alive, targetIsr: [1, 2, 3, 4] })).toMatchObject({
      replicas: [3, 4],
      isr: [3, 4],
      leader: 3,
      leaderEpoch: 5,
      addingReplicas: [],
      removingReplicas: [],
      directories: [3, 4].map(directoryOf),
    })
  })

  it('raises the leader epoch even when the leader stays', () => {
    const staying = { ...partition, leader: 3 }
    expect(afterwards({ partition: staying, alive, targetIsr: [1, 2, 3, 4] })).toMatchObject({
      leader: 3,
      leaderEpoch: 5,
    })
  })

  it('that only adds replicas ends without a new leader epoch', () => {
    const adding = {
      replicas: [1, 2, 3, 4],
      addingReplicas: [4],
      directories: [1, 2, 3, 4].map(directoryOf),
    }
    expect(afterwards({ partition: adding, alive, targetIsr: [1, 2, 3, 4] })).toMatchObject({
      replicas: [1, 2, 3, 4],
      isr: [1, 2, 3, 4],
      addingReplicas: [],
      leaderEpoch: 4,
    })
  })
})

describe('every change', () => {
  it('keeps the leader within the ISR, the ISR within the replicas, and elects only the living', () => {
    const subset = fc.subarray([1, 2, 3])
    const elections = fc.constantFrom('online' as const, 'preferred' as const, 'unclean' as const)
    fc.assert(
      fc.property(
        fc.subarray([1, 2, 3], { minLength: 1 }),
        fc.nat(),
        subset,
        subset,
        elections,
        (isr, pick, alive, targetIsr, election) => {
          const leader = [...isr, -1][pick % (isr.length + 1)]!
          const after = afterwards({ partition: { isr, leader }, alive, targetIsr, election })
          if (after === null) return
          expect(after.isr.length).toBeGreaterThan(0)
          expect([-1, ...after.isr]).toContain(after.leader)
          expect([-1, ...alive]).toContain(after.leader)
          const isElected = after.leader !== leader || after.leaderRecoveryState === RECOVERING
          expect(after.leaderEpoch - base.leaderEpoch).toBe(isElected ? 1 : 0)
          const mayLead = [-1, ...isr, ...targetIsr, ...(election === 'unclean' ? alive : [])]
          expect(mayLead).toContain(after.leader)
        },
      ),
      { numRuns: 1000 },
    )
  })
})
