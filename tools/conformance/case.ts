/**
 * A body as data. Strings may hold `{c}`, the number of the case, so that every case has names of its own, and
 * `$topicId:NAME`, `$clusterId`, `$NAME` (captured from an earlier answer), which each cluster fills in by itself.
 */
export type Body = { readonly [name: string]: BodyValue }

export type BodyValue = string | number | boolean | null | Buffer | readonly BodyValue[] | Body

/** A topic that exists, with leaders, before the case begins. */
export interface NeededTopic {
  readonly name: string
  readonly partitions: number
}

/** A request on the way to the one that is compared; its answer is not. */
export interface Step {
  readonly key: number
  readonly version: number
  readonly body: Body
  /** Fields of the answer, by the name under which later bodies find them. */
  readonly capture?: Readonly<Record<string, string>>
}

export type ListenerName = 'broker' | 'controller'

/** What is asked of both clusters, and what comes before. */
export interface Scene {
  readonly name: string
  readonly body: Body
  readonly listener?: ListenerName
  readonly topics?: readonly NeededTopic[]
  readonly before?: readonly Step[]
  /** Whether wrong values are tried in each field of it; true unless given. */
  readonly isVaried?: boolean
}
