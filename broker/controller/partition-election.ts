import type { BrokerId } from '../../src/base/ids.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import type { Input } from '../../src/wire/schema.ts'
import type { PartitionChangeRecord } from '../../src/wire/records/metadata.ts'
import {
  LeaderRecoveryState,
  NO_LEADER,
  NO_LEADER_CHANGE,
  type PartitionState,
} from '../metadata/partition-state.ts'

/**
 * `online`: keep the leader if it may lead, else the first valid replica in assignment order.
 * `preferred`: the first of the assignment if it may lead, else as `online`.
 * `unclean`: as `online`, and when nobody is left in the ISR the first acceptable replica outside of it.
 */
export type ElectionKind = 'online' | 'preferred' | 'unclean'

export interface ElectionRequest {
  readonly partition: PartitionState
  readonly election: ElectionKind
  /** Whether the broker is alive enough to lead; membership of the ISR is checked apart from it. */
  readonly isAcceptableLeader: (id: BrokerId) => boolean
  /** The ISR to reach; as it is when absent. When nothing of it is left the present ISR stays (no ELR). */
  readonly targetIsr?: readonly BrokerId[]
  readonly targetLeaderRecoveryState?: number
}

type Change = {
  -readonly [K in keyof Input<PartitionChangeRecord>]: Input<PartitionChangeRecord>[K]
}

interface Target {
  readonly replicas: readonly BrokerId[]
  readonly isr: readonly BrokerId[]
  readonly isReassignmentCompleted: boolean
}

/**
 * The record that brings a partition to its target ISR with a leader that may lead, or null when nothing changes.
 * The rules are those of Kafka's PartitionChangeBuilder with eligible.leader.replicas.version 0:
 * only a named leader raises the leader epoch, an ISR change alone does not (metadata.version 3.6 and later),
 * and the last member of an ISR is never removed, so a leaderless partition keeps the one who must come back.
 */
export function partitionChange(request: ElectionRequest): Input<PartitionChangeRecord> | null {
  const { partition } = request
  const target = targetOf(partition, request.targetIsr ?? partition.isr)
  const change: Change = { topicId: partition.topicId, partitionId: partition.partition }
  elect(request, target, change)
  if (
    change.leader === undefined &&
    partition.replicas.some((replica) => !target.replicas.includes(replica))
  ) {
    change.leader = partition.leader
  }
  if (change.isr === undefined && target.isr.length > 0 && !areEqual(target.isr, partition.isr)) {
    change.isr = target.isr
  }
  if (target.isReassignmentCompleted) addCompletion(partition, target, change)
  const recovery = request.targetLeaderRecoveryState
  if (recovery !== undefined && recovery !== partition.leaderRecoveryState) {
    change.leaderRecoveryState = recovery
  }
  return isNoChange(change) ? null : change
}

function elect(request: ElectionRequest, target: Target, change: Change): void {
  const { partition } = request
  const elected = electLeader(request, target)
  if (elected.leader === partition.leader && !elected.isUnclean) return
  change.leader = elected.leader
  if (!elected.isUnclean) return
  // Whatever the others have beyond the new leader's log is lost: they start again from it.
  change.isr = [elected.leader]
  if (partition.leaderRecoveryState !== LeaderRecoveryState.RECOVERING) {
    change.leaderRecoveryState = LeaderRecoveryState.RECOVERING
  }
}

function electLeader(
  request: ElectionRequest,
  target: Target,
): { readonly leader: BrokerId; readonly isUnclean: boolean } {
  const { partition, election, isAcceptableLeader } = request
  const isValid = (id: BrokerId): boolean => target.isr.includes(id) && isAcceptableLeader(id)
  const preferred = target.replicas[0]
  if (election === 'preferred' && preferred !== undefined && isValid(preferred)) {
    return { leader: preferred, isUnclean: false }
  }
  if (isValid(partition.leader)) return { leader: partition.leader, isUnclean: false }
  const online = target.replicas.find(isValid)
  if (online !== undefined) return { leader: online, isUnclean: false }
  const unclean = election === 'unclean' ? target.replicas.find(isAcceptableLeader) : undefined
  return unclean === undefined
    ? { leader: NO_LEADER, isUnclean: false }
    : { leader: unclean, isUnclean: true }
}

/** A reassignment is complete when all replicas that stay are in the ISR; then the others leave. */
function targetOf(partition: PartitionState, targetIsr: readonly BrokerId[]): Target {
  const { replicas, addingReplicas, removingReplicas } = partition
  const unchanged = { replicas, isr: targetIsr, isReassignmentCompleted: false }
  if (addingReplicas.length === 0 && removingReplicas.length === 0) return unchanged
  const staying = replicas.filter((id) => !removingReplicas.includes(id))
  const isr = targetIsr.filter((id) => !removingReplicas.includes(id))
  const isComplete = staying.length > 0 && isr.length > 0 && staying.every((id) => isr.includes(id))
  return isComplete ? { replicas: staying, isr, isReassignmentCompleted: true } : unchanged
}

function addCompletion(partition: PartitionState, target: Target, change: Change): void {
  if (!areEqual(target.replicas, partition.replicas)) {
    change.replicas = target.replicas
    change.directories = directoriesOf(partition, target.replicas)
  }
  if (partition.removingReplicas.length > 0) change.removingReplicas = []
  if (partition.addingReplicas.length > 0) change.addingReplicas = []
}

function directoriesOf(partition: PartitionState, replicas: readonly BrokerId[]): Uuid[] {
  return replicas.flatMap((id) => partition.directories[partition.replicas.indexOf(id)] ?? [])
}

function isNoChange(change: Change): boolean {
  const { leader = NO_LEADER_CHANGE, isr, replicas, addingReplicas, removingReplicas } = change
  const lists = [isr, replicas, addingReplicas, removingReplicas]
  return (
    leader === NO_LEADER_CHANGE &&
    change.leaderRecoveryState === undefined &&
    lists.every((list) => list === undefined)
  )
}

function areEqual(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index])
}
