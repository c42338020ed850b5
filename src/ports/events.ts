/** A field of an event: plain data with a stable text form. */
export type EventField = string | number | boolean | null | readonly number[] | readonly string[]

/** One state change worth showing. The sink adds `atMs` (monotonic) and `node`. */
export interface NodeEvent {
  readonly atMs: number
  readonly node: string
  readonly kind: string
  readonly fields: Readonly<Record<string, EventField>>
}

/**
 * Where a node tells what happens in it: elections, ISR changes, high watermarks, groups, tasks, requests,
 * warnings. Story, dashboard, waits and the simulation's trace hash all read this one stream.
 * Kinds are `noun.verb` in kebab-case, e.g. `partition.leader-changed`, `quorum.elected`, `log.truncated`.
 */
export interface EventSink {
  emit(kind: string, fields: Readonly<Record<string, EventField>>): void
}
