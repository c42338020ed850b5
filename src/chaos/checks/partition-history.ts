import type { ReadRecord, SendOperation } from '../history/operation.ts'
import type { Poll, Send } from './history-index.ts'
import { withoutFlippedBits } from './unchecked-reads.ts'

/** What was sent to and read from one partition. */
export class PartitionHistory {
  readonly topic: string
  readonly partition: number
  /** In the order of invocation. */
  readonly sends: Send[] = []
  /** In the order of their ends. */
  readonly polls: Poll[] = []
  /** The log as the final read saw it. */
  readonly finalLog = new Map<number, ReadRecord>()
  /** The greatest log start that any answer told. */
  logStart = 0
  #hasFinalRead = false
  #finalOffsets: ReadonlyMap<string, number> | null = null

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  get name(): string {
    return `${this.topic}-${this.partition}`
  }

  /** A final read began here; whether it got to the end is told by the evidence. */
  get hasFinalRead(): boolean {
    return this.#hasFinalRead
  }

  /** Where each value is in the final log, at its first place. */
  get finalOffsets(): ReadonlyMap<string, number> {
    if (this.#finalOffsets === null) {
      const offsets = new Map<string, number>()
      for (const [offset, { value }] of this.finalLog) {
        const known = offsets.get(value)
        if (known === undefined || offset < known) offsets.set(value, offset)
      }
      this.#finalOffsets = offsets
    }
    return this.#finalOffsets
  }

  /** Puts a poll of a client that checks no CRC in the place of itself, without flipped bits. Needs all polls and sends. */
  mend(poll: Poll): Poll {
    const mended = withoutFlippedBits(
      poll,
      (offset) => this.finalLog.get(offset) ?? this.#acknowledgedAt(offset),
    )
    if (mended !== poll) this.replace(poll, mended)
    return mended
  }

  replace(poll: Poll, by: Poll): void {
    const at = this.polls.indexOf(poll)
    if (at >= 0) this.polls[at] = by
  }

  addPoll(poll: Poll): void {
    this.polls.push(poll)
    const { operation, isRefused } = poll
    if (isRefused) return
    this.logStart = Math.max(this.logStart, operation.logStartOffset ?? 0)
    if (operation.purpose !== 'final') return
    this.#hasFinalRead = true
    for (const record of operation.records ?? []) {
      if (!this.finalLog.has(record.offset)) this.finalLog.set(record.offset, record)
    }
  }

  #acknowledgedAt(offset: number): SendOperation | undefined {
    return this.sends.find((send) => send.kind === 'ok' && send.offset === offset)?.operation
  }
}

/** Sends that are held to R4, D1 and P5: honest ones, acknowledged by all in-sync replicas. */
export function isCommitted({ kind, operation, offset }: Send): boolean {
  return kind === 'ok' && operation.acks === -1 && operation.expects === undefined && offset >= 0
}
