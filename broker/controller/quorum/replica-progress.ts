import type { Offset, TimestampMs } from '../../../src/base/ids.ts'
import type { ReplicaKey } from './replica-key.ts'

/** When a fetch came and how far the leader's log reached then. */
export interface FetchMoment {
  readonly fetchOffset: Offset
  readonly leaderEndOffset: Offset
  /** Monotonic. */
  readonly nowMs: number
  /** Wall time, shown by DescribeQuorum. */
  readonly timestampMs: TimestampMs
}

/** What the leader knows of one other replica by its fetches. */
export class ReplicaProgress {
  key: ReplicaKey
  /** All below is durable there; -1 before the first fetch. */
  endOffset: Offset = -1
  lastFetchMs = -Infinity
  lastFetchTimestampMs: TimestampMs = -1
  lastCaughtUpTimestampMs: TimestampMs = -1
  /** When it last confirmed a BeginQuorumEpoch. */
  toldAtMs = -Infinity
  #leaderEndAtLastFetch: Offset = -1

  constructor(key: ReplicaKey) {
    this.key = key
  }

  /** Caught up means: at the leader's end now, or past the end that the leader had at the fetch before. */
  onFetch(key: ReplicaKey, moment: FetchMoment): void {
    if (moment.fetchOffset >= moment.leaderEndOffset) {
      this.lastCaughtUpTimestampMs = moment.timestampMs
    } else if (this.lastFetchTimestampMs >= 0 && moment.fetchOffset >= this.#leaderEndAtLastFetch) {
      this.lastCaughtUpTimestampMs = Math.max(
        this.lastCaughtUpTimestampMs,
        this.lastFetchTimestampMs,
      )
    }
    this.key = key
    this.endOffset = moment.fetchOffset
    this.lastFetchMs = moment.nowMs
    this.lastFetchTimestampMs = moment.timestampMs
    this.#leaderEndAtLastFetch = moment.leaderEndOffset
  }
}
