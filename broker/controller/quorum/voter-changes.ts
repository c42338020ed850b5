import { ErrorCode, errorMessage } from '../../../src/wire/error-codes.ts'

/** What a quorum says of itself when it is asked for other voters. */
export interface VoterChangeTarget {
  readonly clusterId: string
  readonly isLeader: boolean
  readonly highWatermark: number
}

export interface VoterChange {
  readonly what: 'adding' | 'removing'
  /** Null: any cluster. */
  readonly clusterId: string | null
  /** What is wrong with the voter that was named; null when nothing is. */
  readonly problem: string | null
}

export interface Refusal {
  readonly errorCode: number
  readonly errorMessage: string | null
}

/**
 * Why the voters stay as they are: they are those of `controller.quorum.voters`, so kraft.version is 0, at which
 * no voter can be added or removed (KIP-853). The checks come in Kafka's order.
 */
export function refusedVoterChange(change: VoterChange, target: VoterChangeTarget): Refusal {
  if (change.clusterId !== null && change.clusterId !== target.clusterId) {
    const message = `The given id "${change.clusterId}" doesn't match the cluster id "${target.clusterId}"`
    return refusal(ErrorCode.INCONSISTENT_CLUSTER_ID, message)
  }
  if (!target.isLeader) return refusal(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  if (change.problem !== null) return refusal(ErrorCode.INVALID_REQUEST, change.problem)
  if (target.highWatermark === 0) return refusal(ErrorCode.REQUEST_TIMED_OUT)
  return refusal(
    ErrorCode.UNSUPPORTED_VERSION,
    `Cluster doesn't support ${change.what} voter because the kraft.version feature is 0`,
  )
}

function refusal(errorCode: number, message: string | null = errorMessage(errorCode)): Refusal {
  return { errorCode, errorMessage: message }
}
