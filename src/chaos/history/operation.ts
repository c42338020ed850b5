/**
 * What a client did or saw. Values of sends are unique in a run, apart from sends with `expects: 'duplicate'`.
 *
 * Sends with `expects` are probes: a producer sent on purpose what an honest one never sends. Each stands alone (no
 * other batch of its partition and session is under way), is tried once, and is no send in the sense of D1, P5 or
 * R4 unless it says so here. Its kinds mean the usual: `ok` appended or recognised, `fail` refused, `info` unknown.
 * - `duplicate`: the newest batch that this session had acknowledged (acks -1) in the partition, bytes and sequence
 *   unchanged, once more. `value` is that of the first send, `originalOffset` the offset that it was acknowledged
 *   with. `ok` must carry `offset === originalOffset` (D6), a `fail` with OUT_OF_ORDER_SEQUENCE_NUMBER breaks P2
 *   (a repeat was called a gap), and the value must be in the log once (P1). The newest batch only: after a restart
 *   a broker knows no more than that one of each producer.
 * - `gap`: a new value with a sequence far beyond the next one. Must `fail` with OUT_OF_ORDER_SEQUENCE_NUMBER;
 *   `ok`, and any read of the value, breaks P2. `info` (no answer, no leader) says nothing, but a read of its
 *   value still breaks P2: that sequence is never reached.
 * - `fenced`: a new value with an epoch that is older than one acknowledged in the same partition. Must `fail` with
 *   INVALID_PRODUCER_EPOCH or PRODUCER_FENCED; `ok`, and any read of the value, breaks P3.
 * All three presume that the partition still knows the session: a run over its fault budget, an unclean election, a
 * topic made anew in between or a producer id that expired frees the broker of them.
 */
export type Operation =
  | SendOperation
  | PollOperation
  | ListOffsetsOperation
  | CommitOperation
  | CommittedOperation
  | OwnershipOperation
  | AdminOperation
  | LineOperation
  | TaskFailureOperation

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
  /** Of an `ok`; -1 for acks=0, whose `ok` says no more than that it was handed to a connection. */
  readonly offset?: number
  /** Of a `fail` or `info`: the error's Kafka name, or `TIMEOUT`, `DISCONNECTED`. */
  readonly error?: string
  /** The record's own sequence number; left out when not idempotent. */
  readonly sequence?: number
  /** A probe; see above. */
  readonly expects?: 'duplicate' | 'gap' | 'fenced'
  /** Of `expects: 'duplicate'`. */
  readonly originalOffset?: number
}

/**
 * One answered fetch. Noted (`ok`) when it brought records or was the first of an assignment; empty ones are left
 * out. A failed one is invoked and ended (`fail` refused, `info` without an answer) when its error is another than
 * that of the fetch before. `CORRUPT_MESSAGE` with kind `fail` also stands for bytes that the client could not
 * read: a wrong CRC, a batch cut short (D7).
 */
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

/**
 * OffsetCommit of one partition. An `info` may take effect at any later time, also after a newer commit was
 * acknowledged (its request waits in a connection that the client has given up): then the committed offset goes
 * back to its value without a broken promise. `expects: 'refused'` is a probe with a generation that is over, or of
 * a membership that was lost: it must `fail` (ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, or an
 * answer that says the coordinator is elsewhere, `info`), and its offset must never be seen as committed (G3). Its
 * offset is `PROBE_OFFSET` + n, beyond any real one.
 */
export interface CommitOperation {
  readonly op: 'commit'
  readonly group: string
  readonly member: string
  readonly generation: number
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly error?: string
  readonly expects?: 'refused'
}

/** Offsets that only refused commits carry begin here. */
export const PROBE_OFFSET = 1_000_000_000

/** OffsetFetch of one partition: by a member that was assigned it, or by an observer. */
export interface CommittedOperation {
  readonly op: 'committed'
  readonly group: string
  readonly topic: string
  readonly partition: number
  /** -1: nothing is committed. */
  readonly offset?: number
  readonly error?: string
}

/**
 * A member was given partitions, or gave them up. Always recorded as one `ok`.
 * - `assigned`: all that the member has in `generation`, also what it kept from the one before (cooperative), also
 *   none.
 * - `revoked`: given up in order; `generation` is the last one it had them in.
 * - `lost`: its membership in `generation` is over, others may have them already.
 */
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

/**
 * A line of a Connect source, always noted (`ok`); its record's value in Kafka is `<task>#<sequence>`, which has no
 * `send` in the history. Sequences of a task begin at 0.
 * - `line-committed`: the worker's source offset, durably stored, now covers all up to `sequence` (C1, C2).
 * - `line-sunk`: it was put into the sink (C4); a repeat is legal.
 */
export interface LineOperation {
  readonly op: 'line-committed' | 'line-sunk'
  readonly task: string
  readonly sequence: number
}

/** A connector or task of Connect has failed, always noted (`ok`). It stays so until its worker is started again. */
export interface TaskFailureOperation {
  readonly op: 'task-failed'
  readonly task: string
  readonly error: string
}
