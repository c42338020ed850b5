import type { VoterChangeTarget } from '../controller/quorum/voter-changes.ts'
import type { NodeServices } from '../server/request-context.ts'

/** What this node's quorum says of itself to those who want other voters. */
export function quorumOf({ clusterId, raft }: NodeServices): VoterChangeTarget {
  return { clusterId, isLeader: raft.isLeader, highWatermark: raft.highWatermark }
}
