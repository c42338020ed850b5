import type { Offset } from '../../src/base/ids.ts'
import { topicPartitionKey } from '../../src/base/topic-partition.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  DelayedDeleteRecords,
  type AwaitedDeletion,
  type DeleteRecordsResult,
} from './delayed-delete-records.ts'
import type { Lookup } from './hosted-partitions.ts'
import { Purgatory } from './purgatory.ts'

const MAX_WAITING_DELETIONS = 10_000

export interface DeleteRecordsEntry {
  readonly topic: string
  readonly partition: number
  /** Records below it go; -1: all that are committed. */
  readonly offset: Offset
}

export interface DeleteRecordsInput {
  readonly timeoutMs: number
  readonly entries: readonly DeleteRecordsEntry[]
  /** Called once, possibly at once, with the results in the order of the entries. */
  readonly respond: (results: readonly DeleteRecordsResult[]) => void
}

export interface DeleteRecordsServiceOptions {
  readonly clock: Clock
  readonly find: (topic: string, partition: number) => Lookup
  /** Makes the log starts of now durable; `done` is called later. */
  readonly checkpoint: (done: (error: Error | null) => void) => void
}

/** Raises log starts on leaders, and holds the answers that wait for the followers to do the same. */
export class DeleteRecordsService {
  readonly #options: DeleteRecordsServiceOptions
  readonly #purgatory: Purgatory

  constructor(options: DeleteRecordsServiceOptions) {
    this.#options = options
    const { clock } = options
    const name = 'delete-records.wait'
    this.#purgatory = new Purgatory({ clock, name, limit: MAX_WAITING_DELETIONS })
  }

  get waitingCount(): number {
    return this.#purgatory.size
  }

  deleteRecords({ entries, timeoutMs, respond }: DeleteRecordsInput): void {
    const deletions = entries.map((entry) => this.#deleteBefore(entry))
    if (deletions.every(({ requiredOffset }) => requiredOffset === null)) {
      return respond(deletions.map(({ result }) => result))
    }
    const find = this.#options.find
    const operation = new DelayedDeleteRecords({
      deletions,
      find: (topic, index) => find(topic, index).partition,
      respond,
    })
    const { keys } = operation
    this.#purgatory.watch(operation, keys, timeoutMs)
    this.#options.checkpoint((error) => {
      operation.onDurable(error !== null)
      for (const key of keys) this.#purgatory.check(key)
    })
  }

  /** The partition `topic-partition` has changed. */
  check(key: string): void {
    this.#purgatory.check(key)
  }

  close(): void {
    this.#purgatory.close()
  }

  #deleteBefore({ topic, partition: index, offset }: DeleteRecordsEntry): AwaitedDeletion {
    const refused = (error: ErrorCode): AwaitedDeletion => ({
      result: { topic, partition: index, error, lowWatermark: -1 },
      requiredOffset: null,
    })
    const { partition, error } = this.#options.find(topic, index)
    if (partition === null) return refused(error)
    const upTo = offset === -1 ? partition.log.highWatermark : offset
    const deletion = partition.deleteRecordsBefore(upTo)
    if (deletion !== ErrorCode.NONE) return refused(deletion)
    partition.tell('partition.records-deleted', { key: topicPartitionKey(topic, index), upTo })
    const lowWatermark = partition.lowWatermark ?? -1
    return {
      result: { topic, partition: index, error: ErrorCode.NONE, lowWatermark },
      requiredOffset: upTo,
    }
  }
}
