import { assert } from '../../base/assert.ts'
import { writeBatch, type CodecId } from '../../wire/record-batch.ts'
import type { History } from '../history/history.ts'
import type { SendOperation } from '../history/operation.ts'
import { errorNameOf, outcomeOf } from './outcome.ts'
import { encodePayload } from '../history/payload.ts'

const SEQUENCES = 0x8000_0000

/** Before it is told: then nothing of it changes any more. */
type Draft<T> = { -readonly [Key in keyof T]: T[Key] }

export interface BatchRecord {
  readonly value: string
  readonly key: string | null
}

export interface SentBatchOptions {
  readonly history: History
  readonly process: string
  readonly topic: string
  readonly partition: number
  readonly acks: -1 | 0 | 1
  readonly records: readonly BatchRecord[]
  readonly valueBytes: number
  readonly codec: CodecId
  readonly timestampMs: number
  /** Null: not idempotent. */
  readonly stamp: BatchStamp | null
  readonly expects?: NonNullable<SendOperation['expects']>
  /** Of `expects: 'duplicate'`. */
  readonly originalOffset?: number
}

export interface BatchStamp {
  readonly producerId: number
  readonly epoch: number
  readonly baseSequence: number
}

/** A batch on its way, with its records' entries in the history: invoked when it is made, ended once. */
export class SentBatch {
  readonly options: SentBatchOptions
  readonly bytes: Buffer
  readonly beganMs: number
  /** An attempt was made and not answered yet. */
  isUnderWay = false
  readonly #invoked: readonly { readonly index: number; readonly operation: SendOperation }[]
  #mayHaveHappened = false
  #isEnded = false
  #lastError: Error | null = null

  constructor(options: SentBatchOptions, nowMs: number) {
    assert(options.records.length > 0, 'a batch has records')
    this.options = options
    this.beganMs = nowMs
    this.bytes = encode(options)
    this.#invoked = options.records.map((record, place) => {
      const operation = operationOf(options, record, place)
      return { operation, index: options.history.invoke(options.process, operation) }
    })
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  get lastSequence(): number {
    const { stamp, records } = this.options
    return ((stamp?.baseSequence ?? -1) + records.length - 1) % SEQUENCES
  }

  /** An attempt failed; there may be another. */
  noteFailure(error: Error): void {
    this.#lastError = error
    if (outcomeOf('send', error) === 'info') this.#mayHaveHappened = true
  }

  /** The first record's offset; -1 for acks=0. */
  succeed(baseOffset: number): void {
    this.#end('ok', (operation, place) => {
      operation.offset = baseOffset < 0 ? -1 : baseOffset + place
    })
  }

  /** Ends with what is known from all attempts; without any it was never sent. */
  giveUp(): void {
    const error = this.#lastError === null ? 'NOT_SENT' : errorNameOf(this.#lastError)
    const isUnknown = this.#mayHaveHappened || this.isUnderWay
    this.#endBadly(isUnknown ? 'info' : 'fail', error)
  }

  /** The client crashed. */
  abandon(): void {
    if (!this.#isEnded) this.#endBadly('info', 'CLIENT_CRASHED')
  }

  #endBadly(kind: 'fail' | 'info', error: string): void {
    this.#end(kind, (operation) => {
      operation.error = error
    })
  }

  #end(
    kind: 'ok' | 'fail' | 'info',
    complete: (operation: Draft<SendOperation>, place: number) => void,
  ): void {
    assert(!this.#isEnded, 'a batch ends once')
    this.#isEnded = true
    const { history, process } = this.options
    for (const [place, { index, operation }] of this.#invoked.entries()) {
      const ended = { ...operation }
      complete(ended, place)
      history.end(index, process, kind, ended)
    }
  }
}

/** The sequence number after `count` records; it wraps as Kafka's does. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % SEQUENCES
}

function operationOf(
  { topic, partition, acks, stamp, expects, originalOffset }: SentBatchOptions,
  { value, key }: BatchRecord,
  place: number,
): SendOperation {
  const operation: Draft<SendOperation> = {
    op: 'send',
    topic,
    partition,
    value,
    key,
    acks,
    idempotent: stamp !== null,
    producerId: stamp?.producerId ?? -1,
    producerEpoch: stamp?.epoch ?? -1,
  }
  if (stamp !== null) operation.sequence = sequenceAfter(stamp.baseSequence, place)
  if (expects !== undefined) operation.expects = expects
  if (originalOffset !== undefined) operation.originalOffset = originalOffset + place
  return operation
}

function encode({ records, valueBytes, codec, timestampMs, stamp }: SentBatchOptions): Buffer {
  return writeBatch({
    records: records.map(({ value, key }) => ({
      key: key === null ? null : Buffer.from(key),
      value: encodePayload(value, valueBytes),
    })),
    timestampMs,
    codec,
    ...(stamp === null
      ? {}
      : {
          producerId: stamp.producerId,
          producerEpoch: stamp.epoch,
          baseSequence: stamp.baseSequence,
        }),
  })
}
