import { assert } from '../../src/base/assert.ts'
import { CorruptionError, DiskError } from '../../src/base/errors.ts'
import type { LeaderEpoch, Offset, TimestampMs } from '../../src/base/ids.ts'
import { topicPartitionKey } from '../../src/base/topic-partition.ts'
import type { Disk } from '../../src/ports/disk.ts'
import type { EventSink } from '../../src/ports/events.ts'
import type { Random } from '../../src/ports/random.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { patchBatch, setLogAppendTime, type BatchHeader } from '../../src/wire/record-batch.ts'
import {
  checkClientRecords,
  checkInternalRecords,
  checkReplicatedRecords,
  type AcceptedBatches,
  type Refusal,
} from './append-checks.ts'
import { readEndMarker, type EndMarker } from './end-marker.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { LogConfig } from './log-config.ts'
import type { LogFlusher } from './log-flusher.ts'
import type { ProducerSnapshots } from './producer-snapshot.ts'
import {
  REPLICA_RULES,
  type ProducerRules,
  type ProducerState,
  type ProducerVerdict,
} from './producer-state.ts'
import type { RecordError } from './record-checks.ts'
import type { SegmentList } from './segment-list.ts'
import { Segment } from './segment.ts'
import type { VerificationGuard } from './verification-states.ts'

const INT32_MAX = 0x7fff_ffff
const UINT32_MAX = 0xffff_ffff
const OFFLINE = 'The log is offline since a sync failed'

/** Who appends on the leader: the rules for clients do not hold for what the node itself writes. */
export type AppendOrigin = 'client' | 'coordinator' | 'raft'

export interface LeaderAppendOptions {
  readonly leaderEpoch: LeaderEpoch
  readonly nowMs: TimestampMs
  readonly origin: AppendOrigin
  /** By cleanup.policy when left out. */
  readonly isTopicCompacted?: boolean
  /** Of the verification with the transaction coordinator that a transaction's first batch needs. */
  readonly guard?: VerificationGuard | null
  /** Of an end marker: the transaction.version its coordinator goes by. */
  readonly transactionVersion?: number
}

/** The outcome of an append on the leader. Offsets are -1 when it was refused. */
export interface AppendResult {
  readonly error: ErrorCode
  readonly message: string | null
  readonly recordErrors: readonly RecordError[]
  readonly baseOffset: Offset
  readonly lastOffset: Offset
  /** -1 with CreateTime. */
  readonly logAppendTimeMs: TimestampMs
  readonly logStartOffset: Offset
  /** A retry of a batch that is in the log already; the offsets are those of the first time. */
  readonly isDuplicate: boolean
}

/** The outcome of an append on a follower: all whole batches up to one of a later epoch, or none. */
export interface FollowerAppendResult {
  readonly error: ErrorCode
  readonly message: string | null
  readonly logEndOffset: Offset
}

/** The parts of an open log that are written together. */
export interface LogParts {
  readonly topic: string
  readonly partition: number
  readonly disk: Disk
  readonly directory: string
  readonly events: EventSink
  readonly segments: SegmentList
  readonly epochs: LeaderEpochs
  readonly snapshots: ProducerSnapshots
  readonly producers: ProducerState
  readonly flusher: LogFlusher
  readonly logStartOffset: () => Offset
  readonly random?: Random
}

/** Everything that adds to a log: batches, and the segments and snapshots that they call for. */
export class LogWriter {
  config: LogConfig
  readonly #parts: LogParts
  #nowMs: TimestampMs

  constructor(parts: LogParts, config: LogConfig, nowMs: TimestampMs) {
    this.#parts = parts
    this.config = config
    this.#nowMs = nowMs
  }

  /**
   * Checks the batches, gives them the next offsets and the epoch by changing `records` in place,
   * and appends them. A client's batch obeys the rules of semantics for Produce; a refused one
   * changes nothing.
   */
  appendAsLeader(records: Buffer, options: LeaderAppendOptions): AppendResult {
    const { producers, segments } = this.#parts
    if (this.#isOffline) return this.#refused(ErrorCode.KAFKA_STORAGE_ERROR, OFFLINE)
    const checked = this.#checkLeaderAppend(records, options)
    if (checked.kind === 'refused') {
      const refused = this.#refused(checked.error, checked.message, checked.recordErrors)
      return checked.isRequestFault ? { ...refused, logStartOffset: -1 } : refused
    }
    const markers = endMarkers(checked)
    const rules = this.#producerRules(options)
    for (const [index, header] of checked.headers.entries()) {
      if (header.producerId < 0) continue
      const verdict = producers.check(header, markers?.[index] ?? null, rules)
      if (verdict !== null) return this.#answerVerdict(verdict)
    }
    const baseOffset = segments.active.endOffset
    let headers: readonly BatchHeader[]
    try {
      headers = this.#placeBatches(checked, options)
      segments.active.append(checked.records)
    } catch (error) {
      return this.#refused(ErrorCode.KAFKA_STORAGE_ERROR, this.storageError(error))
    }
    for (const [index, header] of headers.entries()) {
      this.#applyProducer(header, markers?.[index] ?? null)
    }
    this.#flushIfMany()
    return {
      error: ErrorCode.NONE,
      message: null,
      recordErrors: [],
      baseOffset,
      lastOffset: segments.active.endOffset - 1,
      logAppendTimeMs: this.#isAppendTime ? options.nowMs : -1,
      logStartOffset: this.#parts.logStartOffset(),
      isDuplicate: false,
    }
  }

  /**
   * Appends what a leader sent, with its offsets and epochs, which must go on at the log end
   * (OFFSET_OUT_OF_RANGE; later offsets only in compacted logs, which have gaps). CORRUPT_MESSAGE
   * for a bad CRC. A cut batch at the end is left out.
   */
  appendAsFollower(
    records: Buffer,
    nowMs: TimestampMs,
    leaderEpoch: LeaderEpoch,
  ): FollowerAppendResult {
    if (this.#isOffline) return this.#followed(ErrorCode.KAFKA_STORAGE_ERROR, OFFLINE)
    const checked = checkReplicatedRecords(records, leaderEpoch)
    if (checked.kind === 'refused') return this.#followed(checked.error, checked.message)
    const problem = this.#orderProblem(checked.headers)
    if (problem !== null) return this.#followed(ErrorCode.OFFSET_OUT_OF_RANGE, problem)
    try {
      this.#appendRuns(checked, nowMs)
    } catch (error) {
      return this.#followed(ErrorCode.KAFKA_STORAGE_ERROR, this.storageError(error))
    }
    this.#flushIfMany()
    return this.#followed(ErrorCode.NONE, null)
  }

  get #endOffset(): Offset {
    return this.#parts.segments.active.endOffset
  }

  get #isOffline(): boolean {
    return this.#parts.flusher.failure !== null
  }

  get #isAppendTime(): boolean {
    return this.config.messageTimestampType === 'LogAppendTime'
  }

  #checkLeaderAppend(records: Buffer, options: LeaderAppendOptions): AcceptedBatches | Refusal {
    const config = this.config
    if (options.origin !== 'client') {
      return checkInternalRecords(records, config, options.origin === 'coordinator')
    }
    return checkClientRecords(records, {
      config,
      nowMs: options.nowMs,
      isTopicCompacted: options.isTopicCompacted ?? config.cleanupPolicy.includes('compact'),
      partitionName: topicPartitionKey(this.#parts.topic, this.#parts.partition),
    })
  }

  #producerRules(options: LeaderAppendOptions): ProducerRules {
    const { origin, guard = null, transactionVersion = 0 } = options
    const needsVerification = this.config.transactionVerificationEnabled && origin !== 'raft'
    return { isFromClient: origin === 'client', needsVerification, guard, transactionVersion }
  }

  /**
   * Makes room in the active segment and gives the batches their place. Returns headers that say
   * so.
   */
  #placeBatches(checked: AcceptedBatches, options: LeaderAppendOptions): readonly BatchHeader[] {
    const { records } = checked
    let next = this.#endOffset
    const headers = checked.headers.map((header) => {
      const baseOffset = next
      const maxTimestamp = this.#isAppendTime ? options.nowMs : header.maxTimestamp
      next += header.lastOffsetDelta + 1
      return { ...header, baseOffset, lastOffset: next - 1, maxTimestamp }
    })
    this.#rollFor(headers, records.length, options.nowMs)
    const { epochs } = this.#parts
    assert(
      options.leaderEpoch >= epochs.latest,
      `an append in epoch ${options.leaderEpoch} after epoch ${epochs.latest}`,
    )
    epochs.assign(options.leaderEpoch, this.#endOffset)
    let at = 0
    for (const header of headers) {
      patchBatch(records, at, header.baseOffset, options.leaderEpoch)
      if (this.#isAppendTime) setLogAppendTime(records, at, options.nowMs)
      at += header.sizeBytes
    }
    return headers
  }

  /**
   * Appends in runs, each of which fits into one segment. Throws `DiskError`; earlier runs then
   * stay.
   */
  #appendRuns(checked: AcceptedBatches, nowMs: TimestampMs): void {
    const { headers } = checked
    let at = 0
    for (let index = 0; index < headers.length;) {
      const { run, sizeBytes } = this.#nextRun(headers, index)
      this.#rollFor(run, sizeBytes, nowMs)
      for (const header of run) this.#assignEpoch(header)
      const bytes = checked.records.subarray(at, at + sizeBytes)
      this.#parts.segments.active.append(bytes)
      const markers = endMarkers({ records: bytes, headers: run })
      for (const [slot, header] of run.entries()) {
        const marker = markers?.[slot] ?? null
        this.#reportOddProducer(header, marker)
        this.#applyProducer(header, marker)
      }
      index += run.length
      at += sizeBytes
    }
  }

  #nextRun(
    headers: readonly BatchHeader[],
    from: number,
  ): { readonly run: readonly BatchHeader[]; readonly sizeBytes: number } {
    const room = this.config.segmentBytes - this.#parts.segments.active.sizeBytes
    let sizeBytes = 0
    let end = from
    for (const header of headers.slice(from)) {
      if (end > from && sizeBytes + header.sizeBytes > room) break
      sizeBytes += header.sizeBytes
      end += 1
    }
    return { run: headers.slice(from, end), sizeBytes }
  }

  #assignEpoch(header: BatchHeader): void {
    const epoch = header.partitionLeaderEpoch
    if (epoch >= 0 && epoch !== this.#parts.epochs.latest)
      this.#parts.epochs.assign(epoch, header.baseOffset)
  }

  /** Why the batches do not continue this log, or null. */
  #orderProblem(headers: readonly BatchHeader[]): string | null {
    const mayHaveGaps = this.config.cleanupPolicy.includes('compact')
    let expected = this.#endOffset
    for (const header of headers) {
      const { baseOffset } = header
      if (baseOffset < expected || (baseOffset > expected && !mayHaveGaps)) {
        return `Expected a batch at offset ${expected}, found ${baseOffset}`
      }
      expected = header.lastOffset + 1
    }
    return null
  }

  #rollFor(headers: readonly BatchHeader[], batchBytes: number, nowMs: TimestampMs): void {
    this.#nowMs = nowMs
    const [first, last] = [headers[0], headers.at(-1)]
    if (first === undefined || last === undefined) return
    const shouldRoll = this.#parts.segments.active.shouldRoll({
      config: this.config,
      batchBytes,
      lastOffset: last.lastOffset,
      maxTimestampMs: headers.reduce((max, header) => Math.max(max, header.maxTimestamp), -1),
      nowMs,
    })
    if (!shouldRoll) return
    // The new segment begins where the old one ends, whatever gap compaction has left before the first batch: a gap
    // between segments would be taken for a lost tail after an unclean stop.
    const isTooFar = last.lastOffset - this.#endOffset > INT32_MAX
    this.roll(isTooFar ? Math.max(this.#endOffset, first.baseOffset) : this.#endOffset, nowMs)
  }

  /**
   * Finishes the active segment and begins one at `baseOffset`. Throws `DiskError`; the old one
   * then stays active.
   */
  roll(baseOffset: Offset, nowMs: TimestampMs): void {
    const { segments, epochs, flusher } = this.#parts
    if (segments.active.baseOffset === baseOffset) return
    segments.active.finish()
    this.takeSnapshot()
    this.startSegment(baseOffset, nowMs)
    this.#emit('log.rolled', { baseOffset })
    flusher.flush(segments, epochs, () => undefined)
  }

  /**
   * A new active segment, also in place of an empty one of the same base offset. Throws
   * `DiskError`.
   */
  startSegment(baseOffset: Offset, nowMs: TimestampMs = this.#nowMs): void {
    const { disk, directory, flusher, segments } = this.#parts
    flusher.directoryChanged()
    const { indexIntervalBytes } = this.config
    const rollJitterMs = this.#drawJitterMs()
    const next = Segment.create({
      disk,
      directory,
      baseOffset,
      indexIntervalBytes,
      nowMs,
      rollJitterMs,
    })
    if (segments.all.at(-1)?.baseOffset === baseOffset) segments.replaceActive(next)
    else segments.push(next)
  }

  /** flush.messages. The answer to the append does not wait for it. */
  #flushIfMany(): void {
    const { flusher, segments, epochs } = this.#parts
    const unflushed = this.#endOffset - Math.max(flusher.recoveryPoint, flusher.requestedTo)
    if (unflushed >= this.config.flushMessages) flusher.flush(segments, epochs, () => undefined)
  }

  #drawJitterMs(): number {
    const { random } = this.#parts
    const limitMs = Math.min(this.config.segmentJitterMs, this.config.segmentMs, UINT32_MAX)
    return random === undefined || limitMs <= 0 ? 0 : random.below(limitMs)
  }

  /** A producer snapshot at the log end, unless there is one. Throws `DiskError`. */
  takeSnapshot(): void {
    const offset = this.#endOffset
    const newest = this.#parts.snapshots.offsets.at(-1) ?? 0
    if (offset > newest) this.#parts.snapshots.write(offset, this.#parts.producers.entries())
  }

  #applyProducer(header: BatchHeader, marker: EndMarker | null): void {
    if (header.producerId < 0) return
    const aborted = this.#parts.producers.apply(header, marker)
    if (aborted !== null) this.#parts.segments.active.aborted.append(aborted)
  }

  /** A replica takes what its leader took, but says so when it would have refused it. */
  #reportOddProducer(header: BatchHeader, marker: EndMarker | null): void {
    if (header.producerId < 0) return
    const verdict = this.#parts.producers.check(header, marker, REPLICA_RULES)
    if (verdict?.kind !== 'refused') return
    this.#emit('log.odd-producer', { offset: header.baseOffset, problem: verdict.message })
  }

  #answerVerdict(verdict: ProducerVerdict): AppendResult {
    if (verdict.kind === 'refused') return this.#refused(verdict.error, verdict.message)
    const { lastOffset, offsetDelta, timestampMs } = verdict.batch
    return {
      error: ErrorCode.NONE,
      message: null,
      recordErrors: [],
      baseOffset: lastOffset - offsetDelta,
      lastOffset,
      logAppendTimeMs: timestampMs,
      logStartOffset: this.#parts.logStartOffset(),
      isDuplicate: true,
    }
  }

  #refused(
    error: ErrorCode,
    message: string,
    recordErrors: readonly RecordError[] = [],
  ): AppendResult {
    return {
      error,
      message,
      recordErrors,
      baseOffset: -1,
      lastOffset: -1,
      logAppendTimeMs: -1,
      logStartOffset: this.#parts.logStartOffset(),
      isDuplicate: false,
    }
  }

  #followed(error: ErrorCode, message: string | null): FollowerAppendResult {
    return { error, message, logEndOffset: this.#endOffset }
  }

  /** Tells of a failed disk operation or bad stored bytes; everything else is thrown on. */
  storageError(error: unknown): string {
    if (!(error instanceof DiskError) && !(error instanceof CorruptionError)) throw error
    this.#emit('log.storage-error', { code: error.code, problem: error.message })
    return error.message
  }

  #emit(kind: string, fields: Parameters<EventSink['emit']>[1]): void {
    const { topic, partition, events } = this.#parts
    events.emit(kind, { topic, partition, ...fields })
  }
}

/** The end marker of each batch, or null when none of them is one. */
function endMarkers(
  batches: Pick<AcceptedBatches, 'records' | 'headers'>,
): readonly (EndMarker | null)[] | null {
  if (!batches.headers.some((header) => header.isControl && header.producerId >= 0)) return null
  let at = 0
  return batches.headers.map((header) => {
    const marker = readEndMarker(batches.records, at, header)
    at += header.sizeBytes
    return marker
  })
}
