import type { BrokerId } from '../../src/base/ids.ts'
import type { TopicPartition } from '../../src/base/topic-partition.ts'
import type { Clock, Timer } from '../../src/ports/clock.ts'
import type { EventSink } from '../../src/ports/events.ts'
import type { Address, Network } from '../../src/ports/network.ts'
import { ErrorCode, errorName } from '../../src/wire/error-codes.ts'
import type { WriteTxnMarkersResponse } from '../../src/wire/messages/27-write-txn-markers.ts'
import { endpointNamed } from '../metadata/cluster-image.ts'
import type { MetadataImage } from '../metadata/image.ts'
import { MarkerQueue, type Marker } from './marker-queue.ts'
import type { MarkerTask } from './marker-task.ts'

/** Until a marker that was refused, or whose leader could not be reached, is tried again. */
const RETRY_MS = 50

export interface MarkerSenderOptions {
  readonly network: Network
  readonly clock: Clock
  readonly events: EventSink
  readonly clientId: string
  readonly requestTimeoutMs: number
  readonly interBrokerListenerName: string
  readonly image: () => MetadataImage
}

/** A partition whose marker waits for a leader, or for the next attempt. */
interface Postponed {
  readonly task: MarkerTask
  readonly partition: TopicPartition
}

/**
 * Writes the markers of transactions whose end is decided: a request (WriteTxnMarkers) to each leader of a partition,
 * again and again until it has them, wherever the leaders go. A partition that was deleted needs none.
 */
export class MarkerSender {
  readonly #options: MarkerSenderOptions
  readonly #queues = new Map<BrokerId, MarkerQueue>()
  #leaderless: Postponed[] = []
  #postponed: Postponed[] = []
  #retryTimer: Timer | null = null
  #isClosed = false

  constructor(options: MarkerSenderOptions) {
    this.#options = options
  }

  /** Begins with all partitions of the task; a task without any is done at once. */
  start(task: MarkerTask): void {
    task.settle([])
    if (!task.isOver) this.#route(task, [...task.remaining])
  }

  /** Leaders may have changed: partitions without one are looked up again, and who leads no more is not waited for. */
  onMetadataChanged(): void {
    for (const [leader, queue] of this.#queues) {
      if (queue.inFlight.length > 0 && !this.#leadsAny(leader, queue.inFlight)) queue.abandon()
    }
    const waiting = this.#leaderless
    if (waiting.length === 0) return
    this.#leaderless = []
    this.#routeAll(waiting)
  }

  close(): void {
    this.#isClosed = true
    if (this.#retryTimer !== null) this.#options.clock.cancel(this.#retryTimer)
    for (const queue of this.#queues.values()) queue.close()
  }

  #leadsAny(leader: BrokerId, markers: readonly Marker[]): boolean {
    const image = this.#options.image()
    return markers.some(
      ({ task, partitions }) =>
        !task.isOver &&
        partitions.some(
          ({ topic, partition }) => image.partition(topic, partition)?.leader === leader,
        ),
    )
  }

  #routeAll(waiting: readonly Postponed[]): void {
    const byTask = new Map<MarkerTask, TopicPartition[]>()
    for (const { task, partition } of waiting) {
      byTask.set(task, [...(byTask.get(task) ?? []), partition])
    }
    for (const [task, partitions] of byTask) this.#route(task, partitions)
  }

  #route(task: MarkerTask, partitions: readonly TopicPartition[]): void {
    if (task.isOver || this.#isClosed) return
    const image = this.#options.image()
    const byLeader = new Map<BrokerId, TopicPartition[]>()
    const deleted: TopicPartition[] = []
    for (const partition of partitions) {
      const state = image.partition(partition.topic, partition.partition)
      if (state === null) deleted.push(partition)
      else if (this.#addressOf(state.leader) === null) this.#leaderless.push({ task, partition })
      else byLeader.set(state.leader, [...(byLeader.get(state.leader) ?? []), partition])
    }
    if (deleted.length > 0) task.settle(deleted)
    for (const [leader, led] of byLeader) this.#queueOf(leader).add({ task, partitions: led })
  }

  #queueOf(leader: BrokerId): MarkerQueue {
    const known = this.#queues.get(leader)
    if (known !== undefined) return known
    const { network, clock, clientId, requestTimeoutMs } = this.#options
    const queue = new MarkerQueue({
      network,
      clock,
      clientId,
      requestTimeoutMs,
      address: () => this.#addressOf(leader),
      onAnswer: (markers, response) => this.#onAnswer(markers, response),
    })
    this.#queues.set(leader, queue)
    return queue
  }

  #onAnswer(markers: readonly Marker[], response: WriteTxnMarkersResponse | null): void {
    for (const { task, partitions } of markers) {
      if (task.isOver) continue
      const errors = errorsOf(response, task.transaction.producerId)
      const done: TopicPartition[] = []
      for (const partition of partitions) {
        const error = errors(partition)
        const verdict = verdictOn(error)
        if (verdict === 'done') done.push(partition)
        else if (verdict === 'again') this.#postpone({ task, partition })
        else this.#giveUp(task, partition, error)
      }
      if (!task.isOver && done.length > 0) task.settle(done)
    }
  }

  /** Kafka leaves such a transaction as it is: whoever has the newer epoch ends it. */
  #giveUp(task: MarkerTask, { topic, partition }: TopicPartition, error: ErrorCode): void {
    if (task.isOver) return
    task.cancel()
    this.#options.events.emit('transaction.markers-refused', {
      transactionalId: task.transaction.transactionalId,
      topic,
      partition,
      error: errorName(error),
    })
  }

  #postpone(postponed: Postponed): void {
    this.#postponed.push(postponed)
    this.#retryTimer ??= this.#options.clock.after(RETRY_MS, 'transaction-markers.retry', () => {
      this.#retryTimer = null
      const waiting = this.#postponed
      this.#postponed = []
      this.#routeAll(waiting)
    })
  }

  #addressOf(leader: BrokerId): Address | null {
    const broker = this.#options.image().brokers.get(leader)
    const listener = endpointNamed(broker?.listeners, this.#options.interBrokerListenerName)
    return listener === undefined ? null : { host: listener.host, port: listener.port }
  }
}

type Verdict = 'done' | 'again' | 'lost'

function verdictOn(error: ErrorCode): Verdict {
  switch (error) {
    case ErrorCode.NONE:
    // The partition has never taken a transactional record.
    case ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT:
    case ErrorCode.UNSUPPORTED_VERSION:
      return 'done'
    case ErrorCode.INVALID_PRODUCER_EPOCH:
    case ErrorCode.TRANSACTION_COORDINATOR_FENCED:
      return 'lost'
    default:
      return 'again'
  }
}

/** The errors of one marker by partition; what the answer does not speak of was not written. */
function errorsOf(
  response: WriteTxnMarkersResponse | null,
  producerId: number,
): (partition: TopicPartition) => ErrorCode {
  const topics = (response?.markers ?? [])
    .filter((marker) => marker.producerId === producerId)
    .flatMap((marker) => marker.topics)
  return ({ topic, partition }) => {
    const found = topics
      .filter(({ name }) => name === topic)
      .flatMap(({ partitions }) => partitions)
      .find(({ partitionIndex }) => partitionIndex === partition)
    return (found?.errorCode ?? ErrorCode.NETWORK_EXCEPTION) as ErrorCode
  }
}
