import { topicPartitionKey } from '../../src/base/topic-partition.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { DelayedFetch } from './delayed-fetch.ts'
import {
  fetchFailure,
  type FetchEntry,
  type FetchInput,
  type FetchPartitionResult,
} from './fetch-result.ts'
import type { Lookup } from './hosted-partitions.ts'
import { readPartition, type PartitionRead, type PartitionReader } from './partition-read.ts'
import type { Partition } from './partition.ts'
import { Purgatory } from './purgatory.ts'
import type { ReplicaSelector } from './replica-selector.ts'
import { isStorageFailure, type StorageFailure } from './storage-failure.ts'

/** From this version on a consumer may read from a follower (KIP-392). */
const FOLLOWER_READ_VERSION = 11
const MAX_WAITING_FETCHES = 100_000

export interface FetchServiceOptions {
  readonly clock: Clock
  /** fetch.max.bytes. */
  readonly maxBytes: number
  readonly find: (entry: FetchEntry) => Lookup
  /** Of replica.selector.class; null: all consumers read from leaders. */
  readonly selector: ReplicaSelector | null
  readonly onStorageFailure: (partition: Partition, error: StorageFailure) => void
}

export type FetchRespond = (results: readonly FetchPartitionResult[]) => void

/** Reads for Fetch requests, of consumers and followers, and lets those wait that ask for more than there is. */
export class FetchService {
  readonly #options: FetchServiceOptions
  readonly #purgatory: Purgatory

  constructor(options: FetchServiceOptions) {
    this.#options = options
    const { clock } = options
    this.#purgatory = new Purgatory({ clock, name: 'fetch.wait', limit: MAX_WAITING_FETCHES })
  }

  get waitingCount(): number {
    return this.#purgatory.size
  }

  /**
   * Answers at once when there is enough, an error, a divergence or no wish to wait; else at the first change
   * that makes it so, or after `maxWaitMs`. Results are in the order of the entries.
   */
  fetch(input: FetchInput, respond: FetchRespond): void {
    const maxBytes = Math.min(input.maxBytes, this.#options.maxBytes)
    const minBytes = Math.min(input.minBytes, maxBytes)
    const reader = readerOf(input, this.#options.selector)
    const firstResults = this.#read(input, reader, maxBytes, true)
    if (isAnswer(firstResults, minBytes, input.maxWaitMs)) return respond(firstResults)
    const keys = input.entries.map(keyOf)
    const operation = new DelayedFetch({
      reader,
      entries: input.entries,
      keys,
      minBytes,
      firstResults,
      find: (entry) => this.#options.find(entry).partition,
      finish: () => respond(this.#read(input, reader, maxBytes, false)),
    })
    this.#purgatory.watch(operation, keys, input.maxWaitMs)
  }

  /** The partition `key` has changed. */
  check(key: string): void {
    this.#purgatory.check(key)
  }

  close(): void {
    this.#purgatory.close()
  }

  /** Reads in order: the first batch of the answer may break the limits, then what does not fit is left out. */
  #read(
    input: FetchInput,
    reader: PartitionReader,
    maxBytes: number,
    updatesFollower: boolean,
  ): readonly FetchPartitionResult[] {
    let bytesLeft = maxBytes
    let minOneBatch = true
    return input.entries.map((entry) => {
      const { partition, error } = this.#options.find(entry)
      if (partition === null) return fetchFailure(entry, error)
      const limit = Math.min(entry.maxBytes, bytesLeft)
      if (limit < 0) return fetchFailure(entry, ErrorCode.UNKNOWN_SERVER_ERROR)
      const result = this.#guarded(partition, {
        reader,
        entry,
        maxBytes: limit,
        minOneBatch,
        updatesFollower,
      })
      if (result.records.length > 0) minOneBatch = false
      bytesLeft = Math.max(0, bytesLeft - result.records.length)
      return result
    })
  }

  #guarded(partition: Partition, read: PartitionRead): FetchPartitionResult {
    try {
      return readPartition(partition, read)
    } catch (error) {
      if (!isStorageFailure(error)) throw error
      this.#options.onStorageFailure(partition, error)
      return fetchFailure(read.entry, ErrorCode.KAFKA_STORAGE_ERROR)
    }
  }
}

function readerOf(input: FetchInput, selector: ReplicaSelector | null): PartitionReader {
  if (input.replicaId >= 0) {
    return { kind: 'follower', brokerId: input.replicaId, brokerEpoch: input.replicaEpoch }
  }
  const needsLeader = input.version < FOLLOWER_READ_VERSION
  return {
    kind: 'consumer',
    isCommittedOnly: input.isolationLevel === 1,
    needsLeader,
    preferred:
      selector === null || needsLeader
        ? null
        : (partition, fetchOffset) => selector(partition, input, fetchOffset),
  }
}

function isAnswer(
  results: readonly FetchPartitionResult[],
  minBytes: number,
  maxWaitMs: number,
): boolean {
  if (maxWaitMs <= 0 || results.length === 0) return true
  const bytes = results.reduce((sum, { records }) => sum + records.length, 0)
  if (bytes >= minBytes) return true
  return results.some(
    ({ error, divergingEpoch, preferredReadReplica }) =>
      error !== ErrorCode.NONE || divergingEpoch !== null || preferredReadReplica !== -1,
  )
}

function keyOf(entry: FetchEntry): string {
  return topicPartitionKey(entry.topic, entry.partition)
}
