import { describe, expect, it } from 'vitest'
import {
  changedPartition,
  LeaderRecoveryState,
  partitionStateOf,
  type PartitionState,
} from '../../../../broker/metadata/partition-state.ts'
import { CorruptionError } from '../../../../src/base/errors.ts'
import { metadataRecord } from '../../../../src/wire/metadata-record.ts'
import type { Input } from '../../../../src/wire/schema.ts'
import type {
  PartitionChangeRecord,
  PartitionRecord,
} from '../../../../src/wire/records/metadata.ts'
import { uuidOf } from '../../../support/control-world.ts'

const topicId = uuidOf(0x70, 1)

function partition(given: Input<PartitionRecord> = {}): PartitionState {
  const { data } = metadataRecord('PartitionRecord', {
    topicId,
    partitionId: 4,
    replicas: [1, 2, 3],
    isr: [1, 2],
    leader: 1,
    leaderEpoch: 5,
    partitionEpoch: 9,
    ...given,
  })
  return partitionStateOf('t', data as PartitionRecord)
}

function change(given: Input<PartitionChangeRecord>): PartitionState {
  const { data } = metadataRecord('PartitionChangeRecord', { topicId, partitionId: 4, ...given })
  return changedPartition(partition(), data as PartitionChangeRecord)
}

describe('changedPartition', () => {
  it('raises only the partition epoch when the ISR changes', () => {
    expect(change({ isr: [1] })).toEqual({ ...partition(), isr: [1], partitionEpoch: 10 })
  })

  it('raises both epochs when a leader is named, even the same', () => {
    expect(change({ leader: 2 })).toMatchObject({ leader: 2, leaderEpoch: 6, partitionEpoch: 10 })
    expect(change({ leader: 1 })).toMatchObject({ leader: 1, leaderEpoch: 6, partitionEpoch: 10 })
    expect(change({ leader: -1 })).toMatchObject({ leader: -1, leaderEpoch: 6, isr: [1, 2] })
  })

  it('takes over what else the record carries', () => {
    const { RECOVERING } = LeaderRecoveryState
    const given = {
      replicas: [1, 2],
      addingReplicas: [2],
      removingReplicas: [1],
      directories: [uuidOf(0xd1, 1), uuidOf(0xd1, 2)],
    }
    expect(change({ ...given, leaderRecoveryState: RECOVERING })).toMatchObject({
      ...given,
      leaderRecoveryState: RECOVERING,
      leaderEpoch: 5,
    })
  })

  it('refuses an ISR beyond the replicas and a leader beyond the ISR', () => {
    expect(() => change({ isr: [1, 4] })).toThrow('ISR [1,4] of t-4 is not within its replicas')
    expect(() => change({ isr: [2] })).toThrow('leader 1 of t-4 is not in its ISR [2]')
    expect(() => change({ leader: 3 })).toThrow(CorruptionError)
    expect(() => partition({ isr: [9] })).toThrow(CorruptionError)
    expect(() => partition({ leader: 3 })).toThrow(CorruptionError)
  })
})
