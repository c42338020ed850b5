import type { BrokerId } from '../../src/base/ids.ts'
import { ZERO_UUID } from '../../src/base/uuid.ts'
import type { Clock, Timer } from '../../src/ports/clock.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type {
  AlterPartitionRequest,
  AlterPartitionResponse,
} from '../../src/wire/messages/56-alter-partition.ts'
import type { Input } from '../../src/wire/schema.ts'
import type { IsrProposal } from './in-sync-set.ts'
import type { IsrAnswer } from './partition-exchange.ts'
import type { Partition } from './partition.ts'

/** Sends an AlterPartition v3 to the active controller; `done` is called once, possibly at once. */
export type AlterPartitionSender = (
  request: Input<AlterPartitionRequest>,
  done: (error: Error | null, response: AlterPartitionResponse | null) => void,
) => void

export interface IsrUpdatesOptions {
  readonly brokerId: BrokerId
  readonly brokerEpoch: () => number
  readonly clock: Clock
  readonly send: AlterPartitionSender
  /** Runs a change of the replication layer's state as one step. */
  readonly step: (fn: () => void) => void
}

interface Update {
  readonly partition: Partition
  readonly proposal: IsrProposal
}

/** As Kafka's AlterPartitionManager. */
const RETRY_BACKOFF_MS = 50

/**
 * Carries proposed in-sync sets to the controller: one request of the broker at a time, with all that has
 * gathered meanwhile. Each partition has at most one proposal in flight, so the line is bounded by them.
 */
export class IsrUpdates {
  readonly #options: IsrUpdatesOptions
  readonly #waiting = new Map<string, Update>()
  #isInFlight = false
  #retryTimer: Timer | null = null
  #isClosed = false

  constructor(options: IsrUpdatesOptions) {
    this.#options = options
  }

  /** Puts a proposal in line; an older one of the partition, overtaken by metadata, is dropped. */
  submit(partition: Partition, proposal: IsrProposal): void {
    this.#waiting.set(partition.key, { partition, proposal })
  }

  /** Sends what is in line unless a request is under way. Called at the end of each step. */
  flush(): void {
    const isHeld = this.#isInFlight || this.#retryTimer !== null || this.#isClosed
    if (isHeld || this.#waiting.size === 0) return
    const updates = [...this.#waiting.values()].filter(isStillProposed)
    this.#waiting.clear()
    if (updates.length === 0) return
    this.#isInFlight = true
    this.#options.send(this.#request(updates), (error, response) => {
      this.#isInFlight = false
      if (this.#isClosed) return
      this.#options.step(() => this.#onResponse(updates, error, response))
    })
  }

  close(): void {
    this.#isClosed = true
    this.#waiting.clear()
    if (this.#retryTimer !== null) this.#options.clock.cancel(this.#retryTimer)
    this.#retryTimer = null
  }

  #onResponse(
    updates: readonly Update[],
    error: Error | null,
    response: AlterPartitionResponse | null,
  ): void {
    const isAnswered = error === null && response?.errorCode === ErrorCode.NONE
    for (const update of updates) {
      const answer = isAnswered ? answerFor(response, update.partition) : null
      const outcome =
        answer === null ? 'retry' : update.partition.onIsrAnswer(update.proposal, answer)
      const isOvertaken = this.#waiting.has(update.partition.key)
      if (outcome === 'retry' && !isOvertaken) this.#retry(update)
    }
  }

  #retry(update: Update): void {
    if (!isStillProposed(update)) return
    this.#waiting.set(update.partition.key, update)
    this.#retryTimer ??= this.#options.clock.after(RETRY_BACKOFF_MS, 'isr-updates.retry', () => {
      this.#retryTimer = null
      this.#options.step(() => {})
    })
  }

  #request(updates: readonly Update[]): Input<AlterPartitionRequest> {
    const topics = new Map<string, Input<AlterPartitionRequest['topics'][number]['partitions']>>()
    for (const { partition, proposal } of updates) {
      const entry = {
        partitionIndex: partition.partition,
        leaderEpoch: proposal.leaderEpoch,
        newIsrWithEpochs: proposal.members,
        // A leader elected uncleanly has recovered as soon as it leads: there is nothing left to recover.
        leaderRecoveryState: 0,
        partitionEpoch: proposal.partitionEpoch,
      }
      topics.set(partition.topicId, [...(topics.get(partition.topicId) ?? []), entry])
    }
    return {
      brokerId: this.#options.brokerId,
      brokerEpoch: this.#options.brokerEpoch(),
      topics: [...topics].map(([topicId, partitions]) => ({ topicId, partitions })),
    }
  }
}

/** Metadata may have settled the matter while the proposal was in line. */
function isStillProposed(update: Update): boolean {
  return update.partition.leaderRole?.inSync.proposal === update.proposal
}

function answerFor(response: AlterPartitionResponse, partition: Partition): IsrAnswer | null {
  const topic = response.topics.find(
    ({ topicId }) => topicId === partition.topicId && topicId !== ZERO_UUID,
  )
  const entry = topic?.partitions.find(
    ({ partitionIndex }) => partitionIndex === partition.partition,
  )
  if (entry === undefined) return null
  return {
    error: entry.errorCode as ErrorCode,
    leaderEpoch: entry.leaderEpoch,
    isr: entry.isr,
    partitionEpoch: entry.partitionEpoch,
  }
}
