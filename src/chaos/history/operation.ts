/** What a client did or saw. Values of sends are unique in a run. */
export type Operation =
  | SendOperation
  | PollOperation
  | ListOffsetsOperation
  | CommitOperation
  | CommittedOperation
  | OwnershipOperation
  | AdminOperation
  | LineOperation

/** Of one record. Records of one batch are invoked, and end, one after the other. */
export interface SendOperation {
  readonly op: 'send'
  readonly topic: string
  readonly partition: number
  readonly value: string
  readonly key: string | null
  readonly acks: -1 | 0 | 1
  readonly idempotent: boolean
  /** Producer session: id and epoch, -1 without one. */
  readonly producerId: number
  readonly producerEpoch: number
  /** Of an `ok`; -1 for acks=0. */
  readonly offset?: number
  /** Of a `fail` or `info`: the error's Kafka name, or `TIMEOUT`, `DISCONNECTED`. */
  readonly error?: string
}

/** One answered fetch. */
export interface PollOperation {
  readonly op: 'poll'
  readonly topic: string
  readonly partition: number
  /** The offset asked for. */
  readonly position: number
  readonly isolation: 'read_uncommitted' | 'read_committed'
  /** First poll of this assignment (D5). */
  readonly isFirst: boolean
  /** `final` reads are the complete read after the heal. */
  readonly purpose: 'reader' | 'group' | 'final'
  readonly records?: readonly ReadRecord[]
  readonly highWatermark?: number
  readonly logStartOffset?: number
  readonly error?: string
}

export interface ReadRecord {
  readonly offset: number
  readonly value: string
  readonly key: string | null
}

export interface ListOffsetsOperation {
  readonly op: 'list-offsets'
  readonly topic: string
  readonly partition: number
  readonly which: 'earliest' | 'latest'
  readonly offset?: number
  readonly error?: string
}

export interface CommitOperation {
  readonly op: 'commit'
  readonly group: string
  readonly member: string
  readonly generation: number
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly error?: string
}

/** OffsetFetch. */
export interface CommittedOperation {
  readonly op: 'committed'
  readonly group: string
  readonly topic: string
  readonly partition: number
  /** -1: nothing is committed. */
  readonly offset?: number
  readonly error?: string
}

/** A member was given partitions, or gave them up. Always recorded as one `ok`. */
export interface OwnershipOperation {
  readonly op: 'assigned' | 'revoked' | 'lost'
  readonly group: string
  readonly member: string
  readonly generation: number
  readonly topic: string
  readonly partitions: readonly number[]
}

export interface AdminOperation {
  readonly op: 'create-topic' | 'delete-topic' | 'create-partitions' | 'alter-topic' | 'elect'
  readonly topic: string
  readonly error?: string
}

/** A line of a Connect source that was committed (`line-committed`), or one that reached a sink (`line-sunk`). */
export interface LineOperation {
  readonly op: 'line-committed' | 'line-sunk'
  readonly task: string
  readonly sequence: number
}
