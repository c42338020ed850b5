import { type Channel, channel } from 'node:diagnostics_channel'
import type { Clock } from '../ports/clock.ts'
import type { EventField, EventSink, NodeEvent } from '../ports/events.ts'

/** The channel of `node:diagnostics_channel` on which all nodes of a process publish. */
export const EVENT_CHANNEL = 'kafkette:event'

/** Publishes what happens in a node. Costs nothing while nobody listens. */
export class DiagnosticsEvents implements EventSink {
  readonly #node: string
  readonly #clock: Clock
  readonly #listener: ((event: NodeEvent) => void) | null
  readonly #channel: Channel = channel(EVENT_CHANNEL)

  /** `listener`, if given, hears the events of this node only. */
  constructor(node: string, clock: Clock, listener?: (event: NodeEvent) => void) {
    this.#node = node
    this.#clock = clock
    this.#listener = listener ?? null
  }

  emit(kind: string, fields: Readonly<Record<string, EventField>>): void {
    const isHeard = this.#channel.hasSubscribers
    if (!isHeard && this.#listener === null) return
    const event: NodeEvent = { atMs: this.#clock.monoMs(), node: this.#node, kind, fields }
    this.#listener?.(event)
    if (isHeard) this.#channel.publish(event)
  }
}
