import { MovingConnection } from '../../src/client/connection.ts'
import type { TopicPartition } from '../../src/base/topic-partition.ts'
import type { Clock, Timer } from '../../src/ports/clock.ts'
import type { Address, Network } from '../../src/ports/network.ts'
import {
  writeTxnMarkersApi,
  type WritableTxnMarker,
  type WriteTxnMarkersResponse,
} from '../../src/wire/messages/27-write-txn-markers.ts'
import type { MarkerTask } from './marker-task.ts'
import { groupByTopic } from './partition-set.ts'

/** 2 says by which protocol the epoch is checked (KIP-1228). */
const MARKERS_VERSION = 2

export interface MarkerQueueOptions {
  readonly network: Network
  readonly clock: Clock
  readonly clientId: string
  readonly requestTimeoutMs: number
  /** Where the leader listens for brokers; null while that is not known. */
  readonly address: () => Address | null
  /** Takes up what was asked for: the answer, or null when there was none. */
  readonly onAnswer: (markers: readonly Marker[], response: WriteTxnMarkersResponse | null) => void
}

/** The markers of one transaction for one leader. */
export interface Marker {
  readonly task: MarkerTask
  readonly partitions: readonly TopicPartition[]
}

/** The markers for one leader: all that wait go in one request, and one request is under way at a time. */
export class MarkerQueue {
  readonly #options: MarkerQueueOptions
  #waiting: Marker[] = []
  readonly #connection: MovingConnection
  #inFlight: readonly Marker[] = []
  #isClosed = false
  #timer: Timer | null = null

  constructor(options: MarkerQueueOptions) {
    this.#options = options
    this.#connection = new MovingConnection(options)
  }

  /** Sends at the end of the present step, so that what is added together goes together. */
  add(marker: Marker): void {
    this.#waiting.push(marker)
    this.#sendSoon()
  }

  /** The markers of the request under way. */
  get inFlight(): readonly Marker[] {
    return this.#inFlight
  }

  /** Waits no longer for an answer: the request counts as unanswered. */
  abandon(): void {
    this.#connection.close()
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer !== null) this.#options.clock.cancel(this.#timer)
    this.#connection.close()
  }

  #sendSoon(): void {
    if (this.#timer !== null || this.#inFlight.length > 0 || this.#isClosed) return
    this.#timer = this.#options.clock.after(0, 'transaction-markers.send', () => {
      this.#timer = null
      this.#send()
    })
  }

  #send(): void {
    const markers = this.#waiting.filter(({ task }) => !task.isOver)
    this.#waiting = []
    if (markers.length === 0) return
    const connection = this.#connection.to(this.#options.address())
    if (connection === null) return this.#options.onAnswer(markers, null)
    this.#inFlight = markers
    const body = { markers: markers.map(writableMarker) }
    const { requestTimeoutMs } = this.#options
    connection.request(
      writeTxnMarkersApi,
      MARKERS_VERSION,
      body,
      requestTimeoutMs,
      (error, response) => {
        this.#inFlight = []
        if (this.#isClosed) return
        this.#options.onAnswer(markers, error === null ? response : null)
        if (this.#waiting.length > 0) this.#sendSoon()
      },
    )
  }
}

function writableMarker({ task, partitions }: Marker): WritableTxnMarker {
  const { transaction, coordinatorEpoch } = task
  return {
    producerId: transaction.producerId,
    producerEpoch: transaction.producerEpoch,
    transactionResult: transaction.state === 'PrepareCommit',
    topics: groupByTopic(partitions).map(({ topic, partitions: numbers }) => ({
      name: topic,
      partitionIndexes: [...numbers],
    })),
    coordinatorEpoch: coordinatorEpoch(),
    transactionVersion: transaction.clientVersion,
  }
}
