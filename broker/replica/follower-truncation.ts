import type { LeaderEpoch, Offset } from '../../src/base/ids.ts'

/** What truncation asks of a follower's log. */
export interface TruncatedLog {
  readonly logEndOffset: Offset
  endOffsetForEpoch(epoch: LeaderEpoch): { readonly epoch: LeaderEpoch; readonly endOffset: Offset }
}

/**
 * Where a follower cuts its log when the leader answers that its largest epoch not above the follower's last
 * one is `leaderEpoch`, ending at `leaderEndOffset`. When the follower has that epoch, both have the same
 * records up to the smaller of the two ends. When it has not, it cuts back to the end of its own largest
 * epoch below and asks again: after fast leader changes several such steps may be needed (KIP-279).
 */
export function truncationFor(
  log: TruncatedLog,
  leaderEpoch: LeaderEpoch,
  leaderEndOffset: Offset,
): Offset {
  const own = log.endOffsetForEpoch(leaderEpoch)
  const isUnknown = own.epoch === -1 || own.endOffset === -1
  if (isUnknown) return Math.min(leaderEndOffset, log.logEndOffset)
  const common = own.epoch === leaderEpoch ? leaderEndOffset : Infinity
  return Math.min(own.endOffset, common, log.logEndOffset)
}
