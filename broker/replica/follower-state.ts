import type { BrokerId, Offset } from '../../src/base/ids.ts'

/** What one fetch of a follower tells its leader. */
export interface FollowerFetch {
  /** The offset asked for: everything below it is in the follower's log. */
  readonly offset: Offset
  readonly logStartOffset: Offset
  /** The leader's log end when the fetch was read. */
  readonly leaderEndOffset: Offset
  /** The epoch of the follower's registration; -1 when the request has none. */
  readonly brokerEpoch: number
  readonly nowMs: number
}

const UNKNOWN_OFFSET = -1

/**
 * A follower as its leader knows it from its fetches. The end offset is unknown (-1) until the first fetch
 * in the leader's time, so a new leader's high watermark waits for every in-sync follower to be heard.
 */
export class FollowerState {
  readonly brokerId: BrokerId
  logEndOffset: Offset = UNKNOWN_OFFSET
  logStartOffset: Offset = UNKNOWN_OFFSET
  /** Null until the first fetch. */
  brokerEpoch: number | null = null
  /** Monotonic time at which all of the leader's log was last known to be here. */
  lastCaughtUpMs: number
  #lastFetchMs = -Infinity
  #leaderEndOffsetAtLastFetch: Offset = UNKNOWN_OFFSET

  constructor(brokerId: BrokerId, isInSync: boolean, nowMs: number) {
    this.brokerId = brokerId
    this.lastCaughtUpMs = isInSync ? nowMs : -Infinity
  }

  /**
   * Takes in a fetch. It proves the follower caught up now when it asks for the leader's end, or at its
   * previous fetch when it asks for what was the end then: a follower that always lags by the newest few
   * records, because producers never pause, is not out of sync.
   */
  onFetch(fetch: FollowerFetch): void {
    if (fetch.offset >= fetch.leaderEndOffset) {
      this.lastCaughtUpMs = Math.max(this.lastCaughtUpMs, fetch.nowMs)
    } else if (fetch.offset >= this.#leaderEndOffsetAtLastFetch) {
      this.lastCaughtUpMs = Math.max(this.lastCaughtUpMs, this.#lastFetchMs)
    }
    this.logEndOffset = fetch.offset
    this.logStartOffset = fetch.logStartOffset
    this.brokerEpoch = fetch.brokerEpoch
    this.#lastFetchMs = fetch.nowMs
    this.#leaderEndOffsetAtLastFetch = Math.max(
      this.#leaderEndOffsetAtLastFetch,
      fetch.leaderEndOffset,
    )
  }

  /** The same broker leads again in a newer epoch: offsets stay true, lag is counted anew. */
  onReelection(isInSync: boolean, leaderEndOffset: Offset, nowMs: number): void {
    this.lastCaughtUpMs = isInSync ? nowMs : -Infinity
    this.#lastFetchMs = nowMs
    this.#leaderEndOffsetAtLastFetch = leaderEndOffset
  }

  /** At the leader's end, or there not longer than `maxLagMs` (replica.lag.time.max.ms) ago. */
  isCaughtUp(leaderEndOffset: Offset, nowMs: number, maxLagMs: number): boolean {
    return this.logEndOffset === leaderEndOffset || nowMs - this.lastCaughtUpMs <= maxLagMs
  }
}
