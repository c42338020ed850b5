import { assert } from '../../src/base/assert.ts'
import type { LeaderEpoch, Offset } from '../../src/base/ids.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { endTxnMarkerRecord } from '../../src/wire/control-record.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { BATCH_HEADER_BYTES, writeBatch } from '../../src/wire/record-batch.ts'
import { coordinatorError } from './append-error.ts'
import type { CoordinatorLog } from './log-port.ts'
import {
  PendingReply,
  type DecidedAnswer,
  type OpenReply,
  type Responder,
} from './pending-reply.ts'
import type { CoordinatorRecord, Outcome, Reply, TransactionEnd } from './outcome.ts'
import type { CoordinatorShard } from './shard.ts'
import type { TimedOperation } from './timer.ts'

/** More than the length, delta and attribute fields of one record in a batch can take. */
const RECORD_OVERHEAD_BYTES = 32
const NO_PRODUCER_ID = -1

export interface ShardHostOptions<Shard> {
  readonly log: CoordinatorLog
  readonly partition: number
  readonly leaderEpoch: LeaderEpoch
  readonly shard: Shard
  readonly clock: Clock
  /** How long an answer waits for the commit of what it saw. */
  readonly commitTimeoutMs: number
  /** Performs an operation after the step that runs now, as `ShardHost.perform` does. */
  readonly perform: (operation: TimedOperation) => void
}

/** An operation that waits for the commit of `offset`. */
interface CommitHook {
  readonly offset: Offset
  readonly operation: TimedOperation
}

/** One request to a shard. */
export interface ShardRequest<Shard, Answer> extends Responder<Answer> {
  /** Runs to completion; must not keep the outcome's parts. */
  run(shard: Shard, reply: Reply<Answer>): Outcome<Answer>
  /** What an error of the log means for this request; Kafka's common mapping when left out. */
  readonly mapAppendError?: (error: ErrorCode) => ErrorCode
}

/**
 * Runs the operations of one active shard: appends what they return, replays it at once, so that the
 * shard is at any time the fold of the local log, and lets an answer leave only when everything it
 * may have seen is committed (decision 0002). That holds for reads just the same.
 */
export class ShardHost<Shard extends CoordinatorShard> {
  readonly shard: Shard
  #leaderEpoch: LeaderEpoch
  readonly #perform: (operation: TimedOperation) => void
  readonly #log: CoordinatorLog
  readonly #partition: number
  readonly #clock: Clock
  readonly #commitTimeoutMs: number
  /** Last offset the shard has seen. */
  #lastOffset: Offset = -1
  /** Requests without an answer so far, including those whose answer waits for a commit. */
  readonly #open = new Set<OpenReply>()
  /** Answers decided in the step that runs now. */
  #decided: DecidedAnswer[] = []
  /** Answers that wait, by the offset that must be committed. */
  readonly #waiting = new Map<Offset, DecidedAnswer[]>()
  /** What waits for a commit without a client; it outlives time-outs and leader epochs. */
  readonly #hooks = new Set<CommitHook>()
  #isClosed = false

  constructor(options: ShardHostOptions<Shard>) {
    this.shard = options.shard
    this.#leaderEpoch = options.leaderEpoch
    this.#perform = options.perform
    this.#log = options.log
    this.#partition = options.partition
    this.#clock = options.clock
    this.#commitTimeoutMs = options.commitTimeoutMs
  }

  get leaderEpoch(): LeaderEpoch {
    return this.#leaderEpoch
  }

  get lastOffset(): Offset {
    return this.#lastOffset
  }

  /** Requests that still wait for an answer. */
  get openCount(): number {
    return this.#open.size
  }

  /** This broker was elected again; nobody else has written to the log. */
  onNewLeaderEpoch(leaderEpoch: LeaderEpoch): void {
    this.#leaderEpoch = leaderEpoch
    for (const hook of this.#hooks) this.#awaitHook(hook)
  }

  /** The shard has replayed the log up to `lastOffset`; what it starts now is the first step. */
  onLoaded(lastOffset: Offset): void {
    this.#lastOffset = lastOffset
    this.perform(() => this.shard.onLoaded())
  }

  /** Performs a request as one step. */
  request<Answer>(request: ShardRequest<Shard, Answer>): void {
    assert(!this.#isClosed, 'requests go to open shards only')
    const reply = new PendingReply(request, this.#open, (answer) => this.#decided.push(answer))
    const outcome = request.run(this.shard, reply)
    const error = this.#write(outcome)
    if (error === ErrorCode.NONE) {
      this.#onWritten(outcome)
      if (outcome.answer !== undefined && outcome.leavesAtOnce === true)
        reply.sendNow(outcome.answer)
      else if (outcome.answer !== undefined) reply.send(outcome.answer)
    } else {
      const mapped = (request.mapAppendError ?? coordinatorError)(error)
      outcome.onAppendFailed?.(mapped)
      if (outcome.answer !== undefined) reply.fail(mapped)
    }
    this.#flush(error !== ErrorCode.NONE)
  }

  /** Performs an operation that has no client of its own: a timer, a change of the metadata. */
  perform(operation: () => Outcome<never>): void {
    if (this.#isClosed) return
    const outcome = operation()
    const error = this.#write(outcome)
    if (error === ErrorCode.NONE) this.#onWritten(outcome)
    else outcome.onAppendFailed?.(coordinatorError(error))
    this.#flush(error !== ErrorCode.NONE)
  }

  /** Answers everything that is open with `error`; the shard is dropped afterwards. */
  close(error: ErrorCode): void {
    this.#isClosed = true
    this.#waiting.clear()
    this.#hooks.clear()
    const open = [...this.#open]
    for (const reply of open) reply.abort(error)
    assert(this.#open.size === 0, 'a closed shard owes no answer')
  }

  #onWritten({ onAppended, onCommitted }: Outcome<unknown>): void {
    onAppended?.()
    if (onCommitted === undefined) return
    const hook = { offset: this.#lastOffset, operation: onCommitted }
    this.#hooks.add(hook)
    this.#awaitHook(hook)
  }

  /** A time-out is no end, as nobody waits; a lost leadership is followed by a new epoch or by `close`. */
  #awaitHook(hook: CommitHook): void {
    const leaderEpoch = this.#leaderEpoch
    const timeoutMs = this.#commitTimeoutMs
    this.#log.whenCommitted(this.#partition, hook.offset, leaderEpoch, timeoutMs, (error) => {
      if (leaderEpoch !== this.#leaderEpoch || !this.#hooks.has(hook)) return
      if (error === ErrorCode.REQUEST_TIMED_OUT) return this.#awaitHook(hook)
      if (error !== ErrorCode.NONE) return
      this.#hooks.delete(hook)
      this.#perform(hook.operation)
    })
  }

  #write(outcome: Outcome<unknown>): ErrorCode {
    if (outcome.end !== undefined) return this.#appendEnd(outcome.end)
    for (const records of this.#batches(outcome)) {
      const error = this.#append(records, outcome)
      if (error !== ErrorCode.NONE) return error
    }
    return ErrorCode.NONE
  }

  #append(records: readonly CoordinatorRecord[], { producer }: Outcome<unknown>): ErrorCode {
    const batch = writeBatch({
      records,
      timestampMs: this.#clock.wallMs(),
      ...(producer && {
        producerId: producer.producerId,
        producerEpoch: producer.producerEpoch,
        baseSequence: 0,
        isTransactional: true,
      }),
    })
    if (batch.length > this.#log.maxBatchBytes) return ErrorCode.MESSAGE_TOO_LARGE
    const transaction = { guard: producer?.guard ?? null }
    const { error, lastOffset } = this.#log.append(
      this.#partition,
      batch,
      this.#leaderEpoch,
      transaction,
    )
    if (error !== ErrorCode.NONE) return error
    assert(
      lastOffset >= this.#lastOffset + records.length,
      'a batch is appended after the last one',
    )
    const producerId = producer?.producerId ?? NO_PRODUCER_ID
    const firstOffset = lastOffset - records.length + 1
    for (const [index, { key, value }] of records.entries()) {
      this.shard.replay({ offset: firstOffset + index, key, value, producerId })
    }
    this.#lastOffset = lastOffset
    return ErrorCode.NONE
  }

  #appendEnd(end: TransactionEnd): ErrorCode {
    const { producerId, producerEpoch, isCommit, coordinatorEpoch, transactionVersion } = end
    const batch = writeBatch({
      records: [endTxnMarkerRecord(isCommit, coordinatorEpoch)],
      timestampMs: this.#clock.wallMs(),
      producerId,
      producerEpoch,
      isTransactional: true,
      isControl: true,
    })
    const { error, lastOffset } = this.#log.append(this.#partition, batch, this.#leaderEpoch, {
      transactionVersion,
    })
    if (error !== ErrorCode.NONE) return error
    this.shard.replayTransactionEnd(producerId, isCommit)
    this.#lastOffset = lastOffset
    return ErrorCode.NONE
  }

  /** The records as batches: one, unless the outcome allows more and they do not fit into one. */
  #batches({
    records,
    isAtomic = true,
  }: Outcome<unknown>): readonly (readonly CoordinatorRecord[])[] {
    if (records.length === 0) return []
    if (isAtomic) return [records]
    const batches: CoordinatorRecord[][] = [[]]
    let bytes = BATCH_HEADER_BYTES
    for (const record of records) {
      const size = record.key.length + (record.value?.length ?? 0) + RECORD_OVERHEAD_BYTES
      if (bytes + size > this.#log.maxBatchBytes && bytes > BATCH_HEADER_BYTES) {
        batches.push([])
        bytes = BATCH_HEADER_BYTES
      }
      batches.at(-1)?.push(record)
      bytes += size
    }
    return batches
  }

  /**
   * Ends a step: sends what may leave now and lets the rest wait for the commit. Errors of a step that
   * could not write leave at once: what they tell does not depend on the log.
   */
  #flush(hasFailed: boolean): void {
    const decided = this.#decided
    if (decided.length === 0) return
    this.#decided = []
    const isCommitted = this.#log.highWatermark(this.#partition) > this.#lastOffset
    const mayLeave = (answer: DecidedAnswer): boolean =>
      isCommitted || (hasFailed && answer.isError)
    const waiting = decided.filter((answer) => !mayLeave(answer))
    if (waiting.length > 0) this.#awaitCommit(waiting)
    for (const answer of decided) if (mayLeave(answer)) answer.deliver()
  }

  #awaitCommit(answers: readonly DecidedAnswer[]): void {
    const offset = this.#lastOffset
    const waiting = this.#waiting.get(offset)
    if (waiting !== undefined) {
      waiting.push(...answers)
      return
    }
    this.#waiting.set(offset, [...answers])
    this.#log.whenCommitted(
      this.#partition,
      offset,
      this.#leaderEpoch,
      this.#commitTimeoutMs,
      (error) => this.#onCommitEnd(offset, error),
    )
  }

  #onCommitEnd(offset: Offset, error: ErrorCode): void {
    const answers = this.#waiting.get(offset)
    if (answers === undefined) return
    this.#waiting.delete(offset)
    for (const answer of answers) {
      if (error === ErrorCode.NONE) answer.deliver()
      else answer.deliverError(coordinatorError(error))
    }
  }
}
