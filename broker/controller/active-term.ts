import { present } from '../../src/base/assert.ts'
import { DiskError, KafketteError } from '../../src/base/errors.ts'
import type { BrokerId, LeaderEpoch, Offset } from '../../src/base/ids.ts'
import type { Clock, Timer } from '../../src/ports/clock.ts'
import type { EventSink } from '../../src/ports/events.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { metadataRecord } from '../../src/wire/metadata-record.ts'
import type { Input } from '../../src/wire/schema.ts'
import type { MetadataRecord } from '../../src/wire/records/metadata.ts'
import { METADATA_VERSION, METADATA_VERSION_LEVEL } from '../metadata/features.ts'
import { LeaderRecoveryState, NO_LEADER_CHANGE } from '../metadata/partition-state.ts'
import { BrokerSessions } from './broker-sessions.ts'
import type { ControlContext } from './control-context.ts'
import { balanceRecords, MAX_ELECTIONS_PER_RUN, uncleanElectionRecords } from './leader-election.ts'
import { MAX_RECORDS_PER_BATCH, type Outcome, type PendingEvent } from './outcome.ts'
import { PendingAnswers } from './pending-answers.ts'
import { PeriodicTask } from './periodic-task.ts'
import { fenceRecords } from './replica-changes.ts'

/** Appends one atomic batch and returns its last offset; throws `KafketteError` NOT_LEADER or RECORD_LIST_TOO_LARGE, or `DiskError`. */
export type AppendRecords = (epoch: LeaderEpoch, records: readonly MetadataRecord[]) => Offset

export interface ActiveTermOptions {
  readonly epoch: LeaderEpoch
  readonly context: ControlContext
  readonly clock: Clock
  readonly events: EventSink
  readonly append: AppendRecords
  /** Levels that a new cluster begins with beside metadata.version. */
  readonly features: ReadonlyMap<string, number>
}

/** Answers that may wait for commitment at once; further requests are told to try again. */
const MAX_PENDING_ANSWERS = 10_000

/** What of an append is the world's doing, and what clients are told. */
const APPEND_ERRORS: ReadonlyMap<string, ErrorCode> = new Map([
  ['NOT_LEADER', ErrorCode.NOT_CONTROLLER],
  ['RECORD_LIST_TOO_LARGE', ErrorCode.POLICY_VIOLATION],
])

interface Written {
  readonly error: ErrorCode
  /** The elections among what was written. */
  readonly events: readonly PendingEvent[]
}

/**
 * One term as the active controller: its image, its sessions, the answers that wait and the timers that run.
 * Every change goes through `#write`: appended, then replayed at once, so the next operation sees it.
 */
export class ActiveTerm {
  readonly sessions: BrokerSessions
  readonly #options: ActiveTermOptions
  readonly #pending: PendingAnswers
  #tasks: readonly PeriodicTask[] = []
  #sessionTimer: Timer | null = null
  #lastOffset: Offset

  constructor(options: ActiveTermOptions) {
    const { clock, context } = options
    this.#options = options
    this.#lastOffset = context.image.lastOffset
    this.#pending = new PendingAnswers(MAX_PENDING_ANSWERS, context.image.lastOffset)
    this.sessions = new BrokerSessions(clock, context.config.int('broker.session.timeout.ms'))
  }

  get context(): ControlContext {
    return this.#options.context
  }

  /** Where the next record will be appended. */
  get nextOffset(): Offset {
    return this.#lastOffset + 1
  }

  /** Writes the first batch of the term. False when this node is not the leader any more. */
  start(): boolean {
    const { error } = this.#write(firstRecords(this.#options))
    if (error !== ErrorCode.NONE) return false
    for (const broker of this.context.image.brokers.values()) {
      this.sessions.follow(broker.id, broker.epoch)
      // When it was last heard only the former controller knew; each gets a full time-out from now.
      if (!broker.isFenced) this.sessions.grant(broker.id)
    }
    this.#armSessionTimer()
    this.#startTasks()
    return true
  }

  /** Ends all timers and answers everything that waits with NOT_CONTROLLER. */
  stop(): void {
    for (const task of this.#tasks) task.stop()
    this.#tasks = []
    if (this.#sessionTimer !== null) this.#options.clock.cancel(this.#sessionTimer)
    this.#sessionTimer = null
    this.#pending.failAll()
  }

  onCommitted(offset: Offset): void {
    this.#pending.onCommitted(offset)
  }

  /** Carries out one operation; `respond` is called once, when what the operation saw and wrote is committed. */
  perform<Response>(
    operation: (term: ActiveTerm) => Outcome<Response>,
    refuse: (error: ErrorCode) => Input<Response>,
    respond: (response: Input<Response>) => void,
  ): void {
    if (this.#pending.isFull) {
      respond(refuse(ErrorCode.REQUEST_TIMED_OUT))
      return
    }
    const outcome = operation(this)
    const { error, events } = this.#write(outcome.records)
    if (error !== ErrorCode.NONE) {
      respond(refuse(error))
      return
    }
    outcome.onAppended?.(this.#lastOffset)
    this.#armSessionTimer()
    this.#pending.add(
      this.#lastOffset,
      () => {
        this.#emit([...(outcome.events ?? []), ...events])
        respond(outcome.response)
      },
      () => {
        respond(refuse(ErrorCode.NOT_CONTROLLER))
      },
    )
  }

  /** An operation that nobody asked for. */
  #performOwn(records: readonly MetadataRecord[], event: PendingEvent | null): void {
    const { error, events } = this.#write(records)
    if (error !== ErrorCode.NONE) return
    const all = event === null ? events : [event, ...events]
    this.#pending.add(
      this.#lastOffset,
      () => {
        this.#emit(all)
      },
      () => {},
    )
  }

  /**
   * Appends and replays. NOT_CONTROLLER when this node leads no more, or its disk failed, which ends its part in the
   * quorum: either way the quorum will tell of the resignation.
   * Only operations of the controller itself may need more than one batch; each of theirs can be repeated.
   */
  #write(records: readonly MetadataRecord[]): Written {
    const events: PendingEvent[] = []
    for (let start = 0; start < records.length; start += MAX_RECORDS_PER_BATCH) {
      const batch = records.slice(start, start + MAX_RECORDS_PER_BATCH)
      const { error, lastOffset } = this.#append(batch)
      if (error !== ErrorCode.NONE) return { error, events }
      const baseOffset = lastOffset - batch.length + 1
      for (const [index, record] of batch.entries()) {
        this.context.image.apply(record, baseOffset + index, this.#options.epoch)
        const event = this.#leaderEventOf(record)
        if (event !== null) events.push(event)
      }
      this.#lastOffset = lastOffset
    }
    return { error: ErrorCode.NONE, events }
  }

  #append(batch: readonly MetadataRecord[]): { error: ErrorCode; lastOffset: Offset } {
    try {
      const lastOffset = this.#options.append(this.#options.epoch, batch)
      return { error: ErrorCode.NONE, lastOffset }
    } catch (error) {
      const code = appendErrorOf(error)
      if (code === null) throw error
      return { error: code, lastOffset: this.#lastOffset }
    }
  }

  #leaderEventOf(record: MetadataRecord): PendingEvent | null {
    if (record.type !== 'PartitionChangeRecord' || record.data.leader === NO_LEADER_CHANGE) {
      return null
    }
    const topic = this.context.image.topicsById.get(record.data.topicId)
    const state = present(topic?.partitions.get(record.data.partitionId), 'the changed partition')
    const fields = {
      topic: state.topic,
      partition: state.partition,
      leader: state.leader,
      leaderEpoch: state.leaderEpoch,
      isr: state.isr,
      isUnclean: state.leaderRecoveryState === LeaderRecoveryState.RECOVERING,
    }
    return { kind: 'controller.leader-elected', fields }
  }

  #armSessionTimer(): void {
    if (this.#sessionTimer !== null) return
    const delayMs = this.sessions.nextExpiryMs()
    if (delayMs === null) return
    this.#sessionTimer = this.#options.clock.after(delayMs, 'controller-session', () => {
      this.#sessionTimer = null
      for (const id of this.sessions.expired()) this.#expire(id)
      this.#armSessionTimer()
    })
  }

  /** One broker at a time, so that the next sees what the fencing of the one before has moved. */
  #expire(id: BrokerId): void {
    this.sessions.end(id)
    const broker = this.context.image.brokers.get(id)
    if (broker === undefined || broker.isFenced) return
    const fields = { broker: id, epoch: broker.epoch, reason: 'its session has timed out' }
    this.#performOwn(fenceRecords(this.context, broker), {
      kind: 'controller.broker-fenced',
      fields,
    })
  }

  #startTasks(): void {
    const { clock, context } = this.#options
    const { config } = context
    const taskOf = (
      tag: string,
      intervalMs: number,
      recordsOf: (context: ControlContext) => readonly MetadataRecord[],
    ): PeriodicTask => {
      const run = (): boolean => {
        const records = recordsOf(context)
        if (records.length > 0) this.#performOwn(records, null)
        return records.length >= MAX_ELECTIONS_PER_RUN
      }
      return new PeriodicTask({ clock, tag, intervalMs, run })
    }
    const uncleanMs = config.long('unclean.leader.election.interval.ms')
    const balanceMs = config.long('leader.imbalance.check.interval.seconds') * 1000
    const tasks = [taskOf('controller-unclean-election', uncleanMs, uncleanElectionRecords)]
    if (config.boolean('auto.leader.rebalance.enable')) {
      tasks.push(taskOf('controller-leader-balance', balanceMs, balanceRecords))
    }
    this.#tasks = tasks
  }

  #emit(events: readonly PendingEvent[]): void {
    for (const { kind, fields } of events) this.#options.events.emit(kind, fields)
  }
}

/** Null when it is nothing that clients can be told of: a bug. */
function appendErrorOf(error: unknown): ErrorCode | null {
  if (error instanceof DiskError) return ErrorCode.NOT_CONTROLLER
  return error instanceof KafketteError ? (APPEND_ERRORS.get(error.code) ?? null) : null
}

/**
 * A term begins with records of its own: the feature levels of a new cluster, else a NoOpRecord. It shows where
 * the log ends, and it ends a metadata transaction that a former controller left open.
 */
function firstRecords({ context, features }: ActiveTermOptions): readonly MetadataRecord[] {
  const { image } = context
  const records: MetadataRecord[] = []
  if (image.isInTransaction) {
    records.push(metadataRecord('AbortTransactionRecord', { reason: 'Controller failover' }))
  }
  if (image.features.has(METADATA_VERSION)) return [...records, metadataRecord('NoOpRecord', {})]
  for (const [name, featureLevel] of new Map([
    [METADATA_VERSION, METADATA_VERSION_LEVEL],
    ...features,
  ])) {
    records.push(metadataRecord('FeatureLevelRecord', { name, featureLevel }))
  }
  return records
}
