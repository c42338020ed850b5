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
  /** The assignment to reach; as it is when absent. */
  readonly targetAssignment?: TargetAssignment
  /** The log directories to reach, by the index in the present replicas; as they are when absent. */
  readonly targetDirectories?: readonly Uuid[]
}

/** What a reassignment makes of a partition. `replicas` has those that leave, too, until the others are in sync. */
export interface TargetAssignment {
  readonly replicas: readonly BrokerId[]
  readonly addingReplicas: readonly BrokerId[]
  readonly removingReplicas: readonly BrokerId[]
  /** The log directory of a replica that is new to the partition. */
  readonly directoryOf: (id: BrokerId) => Uuid
}

type Change = {
  -readonly [K in keyof Input<PartitionChangeRecord>]: Input<PartitionChangeRecord>[K]
}

interface Target {
  readonly replicas: readonly BrokerId[]
  readonly isr: readonly BrokerId[]
  readonly addingReplicas: readonly BrokerId[]
  readonly removingReplicas: readonly BrokerId[]
}

/**
 * The record that brings a partition to its target ISR with a leader that may lead, or null when nothing changes.
 * The rules are those of Kafka's PartitionChangeBuilder with eligible.leader.replicas.version 0:
 * only a named leader raises the leader epoch, an ISR change alone does not (metadata.version 3.6 and later),
 * and the last member of an ISR is never removed, so a leaderless partition keeps the one who must come back.
 */
export function partitionChange(request: ElectionRequest): Input<PartitionChangeRecord> | null {
  const { partition } = request
  const target = targetOf(request)
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
  changeAssignment(request, target, change)
  const { targetDirectories } = request
  if (targetDirectories !== undefined && change.directories === undefined) {
    const isSame = areEqual(targetDirectories, partition.directories)
    if (!isSame) change.directories = targetDirectories
  }
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
function targetOf({ partition, targetIsr, targetAssignment }: ElectionRequest): Target {
  const { replicas, addingReplicas, removingReplicas } = targetAssignment ?? partition
  const unfinished = { replicas, addingReplicas, removingReplicas, isr: targetIsr ?? partition.isr }
  if (addingReplicas.length === 0 && removingReplicas.length === 0) return unfinished
  const staying = replicas.filter((id) => !removingReplicas.includes(id))
  const isr = unfinished.isr.filter((id) => !removingReplicas.includes(id))
  const isComplete = staying.length > 0 && isr.length > 0 && staying.every((id) => isr.includes(id))
  return isComplete
    ? { replicas: staying, isr, addingReplicas: [], removingReplicas: [] }
    : unfinished
}

function changeAssignment(request: ElectionRequest, target: Target, change: Change): void {
  const { partition, targetAssignment } = request
  if (!areEqual(target.replicas, partition.replicas)) {
    change.replicas = target.replicas
    change.directories = target.replicas.flatMap((id) => {
      const known = partition.directories[partition.replicas.indexOf(id)]
      return known ?? targetAssignment?.directoryOf(id) ?? []
    })
  }
  if (!areEqual(target.removingReplicas, partition.removingReplicas)) {
    change.removingReplicas = target.removingReplicas
  }
  if (!areEqual(target.addingReplicas, partition.addingReplicas)) {
    change.addingReplicas = target.addingReplicas
  }
}

function isNoChange(change: Change): boolean {
  const { leader = NO_LEADER_CHANGE, isr, replicas, addingReplicas, removingReplicas } = change
  const lists = [isr, replicas, addingReplicas, removingReplicas, change.directories]
  return (
    leader === NO_LEADER_CHANGE &&
    change.leaderRecoveryState === undefined &&
    lists.every((list) => list === undefined)
  )
}

function areEqual<T extends number | Uuid>(left: readonly T[], right: readonly T[]): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index])
}
