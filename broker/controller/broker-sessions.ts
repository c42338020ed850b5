import { present } from '../../src/base/assert.ts'
import type { BrokerId, Offset } from '../../src/base/ids.ts'
import type { Clock } from '../../src/ports/clock.ts'

/** What the active controller knows of a broker beside the metadata log. */
interface Session {
  /** The incarnation it belongs to. */
  readonly epoch: Offset
  /** Monotonic time of the last heartbeat; null when it has sent none or its session has ended. */
  contactMs: number | null
  /** What the broker last said it had replayed; -1 at first. */
  metadataOffset: Offset
  /** End of the log when its controlled shutdown began; others must replay up to here before it may leave. */
  shutdownOffset: Offset | null
}

/**
 * Sessions of registered brokers: soft state that begins anew with each active controller.
 * A session lives for `broker.session.timeout.ms` after each heartbeat of the same incarnation.
 */
export class BrokerSessions {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #sessions = new Map<BrokerId, Session>()

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  /** Starts to follow an incarnation, without contact yet. Keeps the session of one that is followed already. */
  follow(id: BrokerId, epoch: Offset): void {
    if (this.#sessions.get(id)?.epoch === epoch) return
    this.#sessions.set(id, { epoch, contactMs: null, metadataOffset: -1, shutdownOffset: null })
  }

  forget(id: BrokerId): void {
    this.#sessions.delete(id)
  }

  /** The broker was heard now. */
  touch(id: BrokerId, metadataOffset: Offset): void {
    const session = this.#session(id)
    session.contactMs = this.#clock.monoMs()
    session.metadataOffset = metadataOffset
  }

  /** Gives the broker a full session timeout although it was not heard; a new controller does this. */
  grant(id: BrokerId): void {
    this.#session(id).contactMs = this.#clock.monoMs()
  }

  /** Ends the session, because it has expired or the broker was told to shut down. */
  end(id: BrokerId): void {
    const session = this.#session(id)
    session.contactMs = null
    session.shutdownOffset = null
  }

  /** Whether this incarnation was heard within the session timeout. */
  isAlive(id: BrokerId, epoch: Offset): boolean {
    const session = this.#sessions.get(id)
    if (session === undefined || session.epoch !== epoch || session.contactMs === null) return false
    return session.contactMs + this.#timeoutMs > this.#clock.monoMs()
  }

  /** Brokers whose session has run out, in the order in which they were registered. */
  expired(): readonly BrokerId[] {
    const nowMs = this.#clock.monoMs()
    return [...this.#sessions]
      .filter(([, { contactMs }]) => contactMs !== null && contactMs + this.#timeoutMs <= nowMs)
      .map(([id]) => id)
  }

  /** Milliseconds until the next session runs out unless it is heard; null when there is none. */
  nextExpiryMs(): number | null {
    let earliest = Infinity
    for (const { contactMs } of this.#sessions.values()) {
      if (contactMs !== null) earliest = Math.min(earliest, contactMs)
    }
    if (earliest === Infinity) return null
    return Math.max(0, earliest + this.#timeoutMs - this.#clock.monoMs())
  }

  shutdownOffset(id: BrokerId): Offset | null {
    return this.#session(id).shutdownOffset
  }

  /** Keeps the first offset that was given in this session. */
  beginShutdown(id: BrokerId, logEndOffset: Offset): void {
    this.#session(id).shutdownOffset ??= logEndOffset
  }

  /** How far every one of `ids` has replayed the log; `Infinity` when there are none. */
  lowestMetadataOffset(ids: readonly BrokerId[]): Offset {
    return Math.min(...ids.map((id) => this.#session(id).metadataOffset))
  }

  #session(id: BrokerId): Session {
    return present(this.#sessions.get(id), `session of broker ${id}`)
  }
}
