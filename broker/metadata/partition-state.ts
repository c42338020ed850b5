import { CorruptionError } from '../../src/base/errors.ts'
import type { BrokerId, LeaderEpoch } from '../../src/base/ids.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import type { PartitionChangeRecord, PartitionRecord } from '../../src/wire/records/metadata.ts'

/** The leader of a partition that has none. */
export const NO_LEADER = -1
/** The `leader` of a PartitionChangeRecord that leaves the leader as it is. */
export const NO_LEADER_CHANGE = -2

/** Values of `leaderRecoveryState`; RECOVERING follows an unclean election until the leader reports otherwise. */
export const LeaderRecoveryState = { NO_CHANGE: -1, RECOVERED: 0, RECOVERING: 1 } as const

/** One partition as the metadata log has it. Immutable: a change makes a new value. */
export interface PartitionState {
  readonly topic: string
  readonly topicId: Uuid
  readonly partition: number
  /** In order of assignment; the first is the preferred leader. */
  readonly replicas: readonly BrokerId[]
  readonly isr: readonly BrokerId[]
  /** `NO_LEADER` when there is none. */
  readonly leader: BrokerId
  /** Raised by every record that names a leader. */
  readonly leaderEpoch: LeaderEpoch
  /** Raised by every record about the partition; ISR changes are compare-and-set on it. */
  readonly partitionEpoch: number
  readonly leaderRecoveryState: number
  readonly addingReplicas: readonly BrokerId[]
  readonly removingReplicas: readonly BrokerId[]
  /** The log directory of each replica, by the index in `replicas`. */
  readonly directories: readonly Uuid[]
}

/** The state that a PartitionRecord begins. Throws `CorruptionError` when the record breaks a rule of partitions. */
export function partitionStateOf(topic: string, record: PartitionRecord): PartitionState {
  return checked({
    topic,
    topicId: record.topicId,
    partition: record.partitionId,
    replicas: record.replicas,
    isr: record.isr,
    leader: record.leader,
    leaderEpoch: record.leaderEpoch,
    partitionEpoch: record.partitionEpoch,
    leaderRecoveryState: record.leaderRecoveryState,
    addingReplicas: record.addingReplicas,
    removingReplicas: record.removingReplicas,
    directories: record.directories,
  })
}

/** The state after a PartitionChangeRecord. Throws `CorruptionError` when the result breaks a rule of partitions. */
export function changedPartition(
  before: PartitionState,
  change: PartitionChangeRecord,
): PartitionState {
  const isLeaderNamed = change.leader !== NO_LEADER_CHANGE
  return checked({
    ...before,
    replicas: change.replicas ?? before.replicas,
    isr: change.isr ?? before.isr,
    leader: isLeaderNamed ? change.leader : before.leader,
    leaderEpoch: isLeaderNamed ? before.leaderEpoch + 1 : before.leaderEpoch,
    partitionEpoch: before.partitionEpoch + 1,
    leaderRecoveryState:
      change.leaderRecoveryState === LeaderRecoveryState.NO_CHANGE
        ? before.leaderRecoveryState
        : change.leaderRecoveryState,
    addingReplicas: change.addingReplicas ?? before.addingReplicas,
    removingReplicas: change.removingReplicas ?? before.removingReplicas,
    directories: change.directories ?? before.directories,
  })
}

/** ISR within the replicas, leader within the ISR (or none): a log that says otherwise is corrupt. */
function checked(state: PartitionState): PartitionState {
  const where = `${state.topic}-${state.partition}`
  if (!state.isr.every((id) => state.replicas.includes(id))) {
    throw new CorruptionError(
      `ISR [${state.isr.join()}] of ${where} is not within its replicas [${state.replicas.join()}]`,
    )
  }
  if (state.leader !== NO_LEADER && !state.isr.includes(state.leader)) {
    throw new CorruptionError(
      `leader ${state.leader} of ${where} is not in its ISR [${state.isr.join()}]`,
    )
  }
  return state
}
