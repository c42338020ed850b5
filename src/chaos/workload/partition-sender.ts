import { KafkaError } from '../../client/kafka-error.ts'
import type { Random } from '../../ports/random.ts'
import { ErrorCode, isRetriable } from '../../wire/error-codes.ts'
import type { CodecId } from '../../wire/record-batch.ts'
import type { History } from '../history/history.ts'
import type { ProducerPlan } from '../plan/workload-plan.ts'
import type { ClientLink } from './client-link.ts'
import { sendOnce } from './send-attempt.ts'
import {
  SentBatch,
  sequenceAfter,
  type BatchRecord,
  type BatchStamp,
  type SentBatchOptions,
} from './sent-batch.ts'

const CODECS = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const
const RETRY_MS = 60
/** A batch is given up after so many request time-outs (as Kafka's 2 minutes are to 30 s). */
const DELIVERY_TIMEOUTS = 4
/** Between two probes of a partition there are so many acknowledged batches, and up to as many more. */
const PROBE_EVERY = 4
/** So far beyond the next one that no honest batch ever gets this sequence. */
const GAP = 1_000_000_000

export interface PartitionSenderOptions {
  readonly plan: ProducerPlan
  readonly partition: number
  readonly link: ClientLink
  readonly history: History
  readonly process: string
  readonly random: Random
  /** Null: not idempotent. */
  readonly producerId: number | null
  readonly nextRecord: () => BatchRecord
}

/** What a partition's newest acknowledged batch was. */
interface Acknowledged {
  readonly options: SentBatchOptions
  readonly offset: number
}

/**
 * Sends the batches of one partition. Without idempotence each is tried once. With it, up to `inFlight` are under
 * way; after an error that a retry may help, nothing new is sent until all are back, then those without an
 * acknowledgement go out again in order, with the bytes and sequences they had. When one of them cannot be saved
 * (no attempt in time succeeded, its sequence is refused), what is open ends and the partition goes on with the
 * next producer epoch at sequence 0, as Kafka's client bumps its epoch (KIP-360). Epochs are per partition
 * here: brokers keep them so.
 */
export class PartitionSender {
  readonly #options: PartitionSenderOptions
  /** Sent and not ended, in the order of their sequences. */
  #window: SentBatch[] = []
  #epoch = 0
  #nextSequence = 0
  /** Something is to be sent again. */
  #isRecovering = false
  /** A batch of the sequence is lost. */
  #isBroken = false
  #isRetryTimed = false
  #isStopped = false
  /** Of the present epoch. */
  #newest: Acknowledged | null = null
  #probe: SentBatch | null = null
  #batchesToProbe: number

  constructor(options: PartitionSenderOptions) {
    this.#options = options
    this.#batchesToProbe = this.#drawProbeDistance()
  }

  /** Batches without an end. */
  get openCount(): number {
    return this.#window.length + (this.#probe === null ? 0 : 1)
  }

  get canSend(): boolean {
    const isQuiet = this.#isRecovering || this.#isBroken || this.#isStopped || this.#probe !== null
    if (isQuiet || this.#isProbeDue()) return false
    return this.#window.length < this.#options.plan.inFlight
  }

  /** Sends a new batch; false when it cannot now. */
  sendNew(): boolean {
    const { plan, partition, link, nextRecord } = this.#options
    if (!this.canSend || link.leaderOf(plan.topic, partition) === null) return false
    const records: BatchRecord[] = []
    while (records.length < plan.batchRecords) records.push(nextRecord())
    const batch = this.#make({ records, stamp: this.#stamp(this.#nextSequence, this.#epoch) })
    this.#nextSequence = sequenceAfter(this.#nextSequence, records.length)
    this.#window.push(batch)
    this.#attempt(batch)
    return true
  }

  /** What is under way ends, nothing new begins. */
  stop(): void {
    this.#isStopped = true
  }

  abandon(): void {
    for (const batch of this.#window) batch.abandon()
    this.#probe?.abandon()
    this.#window = []
    this.#probe = null
  }

  #attempt(batch: SentBatch): void {
    batch.isUnderWay = true
    const isSent = this.#send(batch, (error, offset) => {
      batch.isUnderWay = false
      if (this.#options.producerId === null) this.#endPlain(batch, error, offset)
      else this.#onAnswer(batch, error, offset)
    })
    if (isSent) return
    batch.isUnderWay = false
    if (this.#options.producerId === null) {
      this.#remove(batch)
      return batch.giveUp()
    }
    this.#isRecovering = true
    this.#settle()
  }

  #send(batch: SentBatch, done: (error: Error | null, offset: number) => void): boolean {
    const { link, plan, partition, random } = this.#options
    // Sometimes the broker gives up first (REQUEST_TIMED_OUT), sometimes the client (no answer).
    const brokerTimeoutMs = Math.ceil(plan.requestTimeoutMs / (1 + random.below(2)))
    const { topic, acks } = plan
    return sendOnce(link, { topic, partition, acks, records: batch.bytes, brokerTimeoutMs }, done)
  }

  #endPlain(batch: SentBatch, error: Error | null, offset: number): void {
    this.#remove(batch)
    if (error === null) return batch.succeed(offset)
    batch.noteFailure(error)
    batch.giveUp()
  }

  #onAnswer(batch: SentBatch, error: Error | null, offset: number): void {
    if (error === null) {
      this.#remove(batch)
      batch.succeed(offset)
      this.#newest = { options: batch.options, offset }
      this.#batchesToProbe -= 1
    } else {
      batch.noteFailure(error)
      this.#onFailure(batch, error)
    }
    this.#settle()
  }

  #onFailure(batch: SentBatch, error: Error): void {
    const code = error instanceof KafkaError ? error.errorCode : ErrorCode.NONE
    if (code === ErrorCode.DUPLICATE_SEQUENCE_NUMBER) {
      this.#remove(batch)
      batch.giveUp()
      return
    }
    const isSequence =
      code === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER || code === ErrorCode.UNKNOWN_PRODUCER_ID
    // Behind a batch that is to be repeated, a gap is what there is; it goes away with the repeat.
    const isRetried = isSequence
      ? this.#window[0] !== batch
      : code === ErrorCode.NONE || isRetriable(code)
    if (isRetried) this.#isRecovering = true
    else this.#isBroken = true
  }

  /** Goes on when all that was sent is back. */
  #settle(): void {
    if (this.#window.some((batch) => batch.isUnderWay)) return
    if (this.#isBroken) return this.#beginEpoch()
    if (this.#isRecovering) return this.#retryLater()
    if (this.#isProbeDue() && this.#window.length === 0 && !this.#isStopped) this.#beginProbe()
  }

  #retryLater(): void {
    if (this.#isRetryTimed) return
    this.#isRetryTimed = true
    const { link, random } = this.#options
    link.after(RETRY_MS + random.below(RETRY_MS), 'producer.retry', () => {
      this.#isRetryTimed = false
      this.#sendAgain()
    })
  }

  #sendAgain(): void {
    const { link, plan, partition } = this.#options
    const [oldest] = this.#window
    this.#isBroken ||= oldest !== undefined && this.#isLate(oldest)
    if (this.#isBroken) return this.#settle()
    if (oldest !== undefined && link.leaderOf(plan.topic, partition) === null) {
      return this.#retryLater()
    }
    this.#isRecovering = false
    for (const batch of [...this.#window]) this.#attempt(batch)
  }

  #isLate({ beganMs }: SentBatch): boolean {
    const { plan, link } = this.#options
    return link.monoMs - beganMs >= DELIVERY_TIMEOUTS * plan.requestTimeoutMs
  }

  #beginEpoch(): void {
    for (const batch of this.#window) batch.giveUp()
    this.#window = []
    this.#isBroken = false
    this.#isRecovering = false
    this.#epoch += 1
    this.#nextSequence = 0
    this.#newest = null
  }

  #isProbeDue(): boolean {
    const { plan, producerId } = this.#options
    const isProber = plan.probes === true && producerId !== null && plan.acks === -1
    return isProber && this.#batchesToProbe <= 0 && this.#newest !== null
  }

  #drawProbeDistance(): number {
    return PROBE_EVERY + this.#options.random.below(PROBE_EVERY)
  }

  /** The partition is idle and has an acknowledged batch of this epoch. */
  #beginProbe(): void {
    const newest = this.#newest
    const { random, nextRecord } = this.#options
    this.#batchesToProbe = this.#drawProbeDistance()
    if (newest === null) return
    switch (random.below(4)) {
      case 0:
        return this.#sendProbe({
          ...newest.options,
          expects: 'duplicate',
          originalOffset: newest.offset,
        })
      case 1: {
        const stamp = this.#stamp((this.#nextSequence + GAP) % 0x8000_0000, this.#epoch)
        return this.#sendProbe({ records: [nextRecord()], stamp, expects: 'gap' })
      }
      case 2: {
        // Without an older epoch there is nothing to fence: then the epoch grows, for a later probe.
        if (this.#epoch === 0) return this.#beginEpoch()
        const stamp = this.#stamp(0, this.#epoch - 1)
        return this.#sendProbe({ records: [nextRecord()], stamp, expects: 'fenced' })
      }
      default:
        return this.#beginEpoch()
    }
  }

  #sendProbe(more: Partial<SentBatchOptions> & Pick<SentBatchOptions, 'records' | 'stamp'>): void {
    const { plan, partition, link } = this.#options
    if (link.leaderOf(plan.topic, partition) === null) return
    const probe = this.#make(more)
    this.#probe = probe
    probe.isUnderWay = true
    const isSent = this.#send(probe, (error, offset) => {
      probe.isUnderWay = false
      this.#probe = null
      this.#endPlain(probe, error, offset)
    })
    if (isSent) return
    probe.isUnderWay = false
    this.#probe = null
    probe.giveUp()
  }

  #make(more: Partial<SentBatchOptions> & Pick<SentBatchOptions, 'records' | 'stamp'>): SentBatch {
    const { plan, partition, link, history, process } = this.#options
    const codec: CodecId = CODECS[plan.compression]
    const { topic, acks, valueBytes } = plan
    const timestampMs = link.wallMs
    return new SentBatch(
      { history, process, topic, partition, acks, valueBytes, codec, timestampMs, ...more },
      link.monoMs,
    )
  }

  #stamp(baseSequence: number, epoch: number): BatchStamp | null {
    const { producerId } = this.#options
    return producerId === null ? null : { producerId, epoch, baseSequence }
  }

  #remove(batch: SentBatch): void {
    this.#window = this.#window.filter((each) => each !== batch)
  }
}
