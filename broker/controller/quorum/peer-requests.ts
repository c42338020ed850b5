import type { BrokerId } from '../../../src/base/ids.ts'

const FIRST_BACKOFF_MS = 1

interface PeerState {
  isInFlight: boolean
  readyAtMs: number
  failures: number
}

/**
 * One kind of request to several peers during one role: at most one under way to each, and a growing pause
 * after failures. The pause starts at 1 ms, for at the start of a cluster the others are up in an instant.
 */
export class PeerRequests {
  readonly #retryBackoffMs: number
  readonly #peers = new Map<BrokerId, PeerState>()

  constructor(retryBackoffMs: number) {
    this.#retryBackoffMs = retryBackoffMs
  }

  /** When the next request may go to a peer; `Infinity` while one is under way. */
  readyAtMs(peer: BrokerId): number {
    const state = this.#peers.get(peer)
    if (state === undefined) return -Infinity
    return state.isInFlight ? Infinity : state.readyAtMs
  }

  onSent(peer: BrokerId): void {
    this.#state(peer).isInFlight = true
  }

  onAnswered(peer: BrokerId): void {
    const state = this.#state(peer)
    state.isInFlight = false
    state.failures = 0
    state.readyAtMs = -Infinity
  }

  onFailed(peer: BrokerId, nowMs: number): void {
    const state = this.#state(peer)
    state.isInFlight = false
    const backoffMs = FIRST_BACKOFF_MS * 2 ** Math.min(state.failures, 20)
    state.failures += 1
    state.readyAtMs = nowMs + Math.min(this.#retryBackoffMs, backoffMs)
  }

  #state(peer: BrokerId): PeerState {
    const known = this.#peers.get(peer)
    if (known !== undefined) return known
    const added = { isInFlight: false, readyAtMs: -Infinity, failures: 0 }
    this.#peers.set(peer, added)
    return added
  }
}
