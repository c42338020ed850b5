import type { LeaderEpoch, Offset } from '../../src/base/ids.ts'
import { topicPartitionKey } from '../../src/base/topic-partition.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { ResourceType } from '../metadata/configs-image.ts'
import { isNewsOfDirectory } from '../metadata/directory-id.ts'
import type { MetadataDelta } from '../metadata/delta.ts'
import type { MetadataImage, PartitionState } from '../metadata/image.ts'
import { Checkpoints } from './checkpoints.ts'
import { DeleteRecordsService, type DeleteRecordsInput } from './delete-records-service.ts'
import { lookUpEpochs, type EpochEntry, type EpochResult } from './epoch-lookup.ts'
import type { FetchInput } from './fetch-result.ts'
import { FetchService, type FetchRespond } from './fetch-service.ts'
import { fetcherSettingsOf, FollowerFetchers } from './follower-fetchers.ts'
import { HostedPartitions } from './hosted-partitions.ts'
import { IsrUpdates } from './isr-updates.ts'
import { lookUpOffsets, type ListOffsetsInput, type ListOffsetsResult } from './offset-lookup.ts'
import { LogCleaner, type CompactionSummary } from './log-cleaner.ts'
import type { FutureLog } from './future-log.ts'
import { closeLogs } from './log-closing.ts'
import type { LogDirectories, LogDirectory } from './log-directories.ts'
import { LogMoves } from './log-moves.ts'
import { LogRemovals } from './log-removals.ts'
import { LogStartFiles } from './log-start-files.ts'
import type { AppendedTransaction } from './partition-exchange.ts'
import type { Partition, PartitionSurroundings } from './partition.ts'
import { PeriodicTasks } from './periodic-tasks.ts'
import { ProduceService, type AppendInput } from './produce-service.ts'
import type { ReplicaManagerOptions } from './replica-manager-options.ts'
import { replicaTasks } from './replica-tasks.ts'
import { replicaSelectorOf } from './replica-selector.ts'
import { deleteOldSegments } from './retention-pass.ts'
import {
  assertSound,
  isStorageFailure,
  throwStorageError,
  type StorageFailure,
} from './storage-failure.ts'
import { TransactionalAppends } from './transactional-appends.ts'

/** What a partition has become on this broker; `removed`: it is hosted no longer. */
export type LeadershipKind = 'leader' | 'follower' | 'removed'

/** Told once for each leader epoch, after the waits of the epoch before have ended. */
export type LeadershipListener = (
  partition: Partition,
  kind: LeadershipKind,
  leaderEpoch: LeaderEpoch,
) => void

/**
 * All replicas of one broker. Every entry is one step: it changes state, and at its end the requests that
 * wait for what changed are looked at, proposals and fetches are sent, and listeners are told.
 */
export class ReplicaManager {
  readonly #options: ReplicaManagerOptions
  readonly #checkpoints: Checkpoints
  readonly #logStarts: LogStartFiles
  readonly #hosted: HostedPartitions
  readonly #fetches: FetchService
  readonly #produces: ProduceService
  readonly #transactions: TransactionalAppends
  readonly #deletions: DeleteRecordsService
  readonly #isrUpdates: IsrUpdates
  readonly #fetchers: FollowerFetchers
  readonly #cleaner: LogCleaner
  readonly #moves: LogMoves
  readonly #removals: LogRemovals
  readonly #listeners: LeadershipListener[] = []
  readonly #tasks: PeriodicTasks
  /** Keys of the partitions that changed in this step. */
  readonly #changed = new Set<string>()
  #notices: (() => void)[] = []
  #depth = 0
  #isStarted = false
  #isClosed = false

  constructor(options: ReplicaManagerOptions) {
    const { clock, config, brokerId, brokerEpoch, image } = options
    this.#options = options
    this.#tasks = new PeriodicTasks(clock, (fn) => this.#step(fn))
    this.#checkpoints = new Checkpoints(options.store)
    const step = (fn: () => void): void => this.#step(fn)
    const onStorageFailure = this.#onStorageFailure.bind(this)
    const send = options.alterPartition
    const onDirectoryFailure = this.#failDirectory.bind(this)
    this.#isrUpdates = new IsrUpdates({ brokerId, brokerEpoch, clock, send, step })
    this.#removals = new LogRemovals({
      ...options,
      random: options.random.fork('log-removals'),
      step,
      onDirectoryFailure,
    })
    this.#hosted = new HostedPartitions({
      ...options,
      removals: this.#removals,
      checkpoints: this.#checkpoints,
      onStorageFailure: onDirectoryFailure,
      futuresIn: (directory) => this.#moves.futuresIn(directory).length,
      surroundings: this.#surroundings(),
    })
    this.#logStarts = new LogStartFiles(options.directories, (each) => this.partitionsIn(each))
    this.#fetches = new FetchService({
      clock,
      maxBytes: config.int('fetch.max.bytes'),
      find: (entry) => this.#hosted.find(entry.topic, entry.partition, entry.topicId),
      selector: replicaSelectorOf(config.nullableString('replica.selector.class'), brokerId, (id) =>
        image().brokers.get(id),
      ),
      onStorageFailure,
    })
    this.#produces = new ProduceService({
      clock,
      find: (topic, index, topicId) => this.#hosted.find(topic, index, topicId),
      onStorageFailure,
    })
    this.#deletions = new DeleteRecordsService({
      clock,
      find: (topic, index) => this.#hosted.find(topic, index),
      checkpoint: (done) => this.#syncLogStarts((error) => step(() => done(error))),
    })
    this.#cleaner = new LogCleaner({
      ...options,
      checkpoints: this.#checkpoints,
      writeOffsets: (partition) => this.#hosted.writeCleanerOffsets(partition),
      partitions: () => this.partitions(),
      step,
      onStorageFailure,
    })
    this.#transactions = new TransactionalAppends({
      ...options,
      find: (topic, index) => this.#hosted.find(topic, index),
      append: (input) => this.#produces.append(input),
      step,
    })
    this.#fetchers = this.#createFetchers()
    this.#moves = this.#createMoves()
  }

  /** Requests that wait: for the high watermark, for data. */
  get waitingCounts(): { readonly produce: number; readonly fetch: number } {
    return { produce: this.#produces.waitingCount, fetch: this.#fetches.waitingCount }
  }

  get directories(): LogDirectories {
    return this.#options.directories
  }

  partitionsIn(directory: LogDirectory): readonly Partition[] {
    return this.#hosted.in(directory)
  }

  /** Copies of replicas that are on their way to the directory. */
  futuresIn(directory: LogDirectory): readonly FutureLog[] {
    return this.#moves.futuresIn(directory)
  }

  /** AlterReplicaLogDirs of one replica; what is begun goes on after it. */
  alterLogDirectory(topic: string, index: number, path: string): ErrorCode {
    let error: ErrorCode = ErrorCode.NONE
    this.#step(() => {
      error = this.#moves.alter(topic, index, topicPartitionKey(topic, index), path)
    })
    return error
  }

  /** The directory cannot be used: it goes offline with all that lies in it. */
  failDirectory(directory: LogDirectory, error: StorageFailure): void {
    this.#step(() => this.#failDirectory(directory, error))
  }

  /** DeleteRecords: see `DeleteRecordsInput`. */
  deleteRecords(input: DeleteRecordsInput): void {
    this.#step(() => this.#deletions.deleteRecords(input))
  }

  /** `listener` hears of every role taken up or lost from now on. */
  onLeadership(listener: LeadershipListener): void {
    this.#listeners.push(listener)
  }

  /**
   * Takes up all partitions that `image` assigns to this broker. To be called once, when the image has caught
   * up with the metadata log (it holds this broker's newest registration): older states must not be acted on.
   * Until then `applyDelta` does nothing.
   */
  start(image: MetadataImage): void {
    if (this.#isStarted || this.#isClosed) return
    this.#isStarted = true
    this.#step(() => {
      for (const topic of image.topicsByName.values()) {
        for (const state of topic.partitions.values()) this.#applyState(state, true)
      }
      this.#moves.resume()
      this.#removals.removeLeftOvers()
    })
    this.#startTimers()
  }

  /** Follows published metadata: roles, assignments, removed topics, topic settings, brokers. */
  applyDelta(delta: MetadataDelta, image: MetadataImage): void {
    if (!this.#isStarted || this.#isClosed) return
    this.#step(() => {
      for (const topic of delta.removedTopics) {
        for (const { partition } of topic.partitions.values()) {
          const hosted = this.#hosted.get(topicPartitionKey(topic.name, partition))
          if (hosted?.topicId === topic.id) this.#remove(hosted)
        }
      }
      for (const state of delta.changedPartitions) this.#applyState(state, false)
      this.#applyConfigs(delta, image)
      if (delta.changedBrokers.size === 0) return
      for (const partition of this.#hosted.values()) partition.onBrokersChanged()
      this.#fetchers.onBrokersChanged(delta.changedBrokers)
    })
  }

  /** The broker's settings have changed, and with them the defaults of its topics. */
  onConfigsChanged(): void {
    if (!this.#isStarted || this.#isClosed) return
    this.#step(() => {
      for (const partition of this.partitions()) this.#hosted.configure(partition)
    })
  }

  /** Compacts now what may be compacted; active segments are closed first. `done` is called once. */
  compactAll(done: (summary: CompactionSummary) => void): void {
    this.#step(() => this.#cleaner.compactAll(done))
  }

  /** Applies retention now. Returns how many segments went. */
  retainAll(): number {
    let count = 0
    this.#step(() => {
      count = this.#deleteOldSegments()
    })
    return count
  }

  /** Produce: see `AppendInput`. */
  append(input: AppendInput): void {
    const { transaction } = input
    this.#step(() => {
      if (transaction === undefined) this.#produces.append(input)
      else this.#transactions.append(input, transaction)
    })
  }

  /** For coordinators: see `TransactionalAppends.verifyOne`. */
  verifyTransaction(...question: Parameters<TransactionalAppends['verifyOne']>): void {
    this.#step(() => this.#transactions.verifyOne(...question))
  }

  /**
   * For coordinators: appends one batch as acks=all does, without waiting. `lastOffset` is -1 on an error;
   * NOT_LEADER_OR_FOLLOWER when this broker does not lead in `leaderEpoch`.
   */
  appendAsCoordinator(
    topic: string,
    index: number,
    batch: Buffer,
    leaderEpoch: LeaderEpoch,
    transaction?: AppendedTransaction,
  ): { readonly error: ErrorCode; readonly lastOffset: Offset } {
    const { partition, error } = this.#hosted.find(topic, index)
    if (partition === null) return { error, lastOffset: -1 }
    if (partition.leaderEpoch !== leaderEpoch) {
      return { error: ErrorCode.NOT_LEADER_OR_FOLLOWER, lastOffset: -1 }
    }
    let appended = { error: ErrorCode.NONE as ErrorCode, lastOffset: -1 }
    this.#step(() => {
      appended = this.#produces.appendAsCoordinator(partition, batch, transaction)
    })
    return appended
  }

  /**
   * For coordinators: whole batches from `offset` of a hosted partition to its log end, all of them sound, for what a
   * coordinator believes it tells to clients. Throws what else the disk gives, which takes the partition offline.
   */
  readAsCoordinator(partition: Partition, offset: Offset, maxBytes: number): Buffer {
    const { log, key } = partition
    try {
      const endOffset = log.logEndOffset
      const { error, records } = log.read({ offset, maxBytes, minOneBatch: true, endOffset })
      throwStorageError(error, key)
      assertSound(records, key)
      return records
    } catch (error) {
      if (!isStorageFailure(error)) throw error
      this.#step(() => this.#onStorageFailure(partition, error))
      throw error
    }
  }

  /** Fetch, of consumers and followers; `respond` is called once, possibly at once. */
  fetch(input: FetchInput, respond: FetchRespond): void {
    this.#step(() => this.#fetches.fetch(input, respond))
  }

  /** ListOffsets, answered in the order of the entries; a partition listed twice is INVALID_REQUEST. */
  listOffsets(input: ListOffsetsInput): readonly ListOffsetsResult[] {
    return lookUpOffsets(input, (topic, index) => this.#hosted.find(topic, index))
  }

  /** OffsetForLeaderEpoch, answered in the order of the entries. */
  offsetForLeaderEpoch(entries: readonly EpochEntry[]): readonly EpochResult[] {
    return lookUpEpochs(entries, (topic, index) => this.#hosted.find(topic, index))
  }

  /** The hosted partitions as they are; no copy is made. */
  hosted(): Iterable<Partition> {
    return this.#hosted.values()
  }

  /** By `topic-partition`, or null. */
  hostedByKey(key: string): Partition | null {
    return this.#hosted.get(key)
  }

  /** The hosted partition, or null. */
  partition(topic: string, index: number): Partition | null {
    return this.#hosted.get(topicPartitionKey(topic, index))
  }

  /** Why there is no such partition here. */
  absenceOf(topic: string, index: number): ErrorCode {
    return this.#hosted.find(topic, index).error
  }

  partitions(): readonly Partition[] {
    return [...this.#hosted.values()]
  }

  /**
   * For coordinators: calls `done` once, possibly at once. NONE when the high watermark is above `offset`
   * while this broker leads in `leaderEpoch`; NOT_LEADER_OR_FOLLOWER when it does not (any more);
   * REQUEST_TIMED_OUT after `timeoutMs`.
   */
  whenCommitted(
    topic: string,
    index: number,
    offset: Offset,
    leaderEpoch: LeaderEpoch,
    timeoutMs: number,
    done: (error: ErrorCode) => void,
  ): void {
    const { partition } = this.#hosted.find(topic, index)
    if (partition === null) return done(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    this.#produces.whenCommitted(partition, offset, leaderEpoch, timeoutMs, done)
  }

  /**
   * Ends in order: all that waits is answered, logs are flushed, checkpoints written and synced, files closed;
   * then `done`. After it the caller may write its clean-shutdown mark, unless `error` says that the disk
   * or the store refused.
   */
  close(done: (error: Error | null) => void = () => {}): void {
    if (this.#isClosed) return done(null)
    this.#isClosed = true
    this.#cleaner.close()
    this.#moves.close()
    this.#removals.close()
    this.#logStarts.close()
    this.#tasks.close()
    this.#fetchers.close()
    this.#isrUpdates.close()
    this.#transactions.close()
    this.#produces.close()
    this.#deletions.close()
    this.#fetches.close()
    closeLogs(
      {
        partitions: this.partitions(),
        checkpoints: this.#checkpoints,
        store: this.#options.store,
        writeFiles: () => this.#logStarts.write(),
      },
      done,
    )
  }

  #createMoves(): LogMoves {
    return new LogMoves({
      ...this.#options,
      random: this.#options.random.fork('log-moves'),
      removals: this.#removals,
      checkpoints: this.#checkpoints,
      hosted: this.#hosted,
      step: (fn) => this.#step(fn),
      onStorageFailure: this.#onStorageFailure.bind(this),
      onDirectoryFailure: (directory, error) => this.#failDirectory(directory, error),
      onMoved: (key, state) => this.#tellDirectory(key, state),
    })
  }

  #createFetchers(): FollowerFetchers {
    return new FollowerFetchers({
      ...this.#options,
      settings: fetcherSettingsOf(this.#options.config),
      step: (fn) => this.#step(fn),
      onStorageFailure: this.#onStorageFailure.bind(this),
      afterTruncation: (partition, done) => {
        if (!this.#checkpoints.writeRecoveryPoint(partition)) return done(true)
        this.#options.store.sync((error) => this.#step(() => done(error === null)))
      },
    })
  }

  #surroundings(): PartitionSurroundings {
    const { config, image } = this.#options
    return {
      ...this.#options,
      replicaLagTimeMaxMs: config.long('replica.lag.time.max.ms'),
      broker: (id) => image().brokers.get(id),
      proposeIsr: (partition, proposal) => this.#isrUpdates.submit(partition, proposal),
      changed: (partition) => this.#onChanged(partition),
    }
  }

  /** Runs one step; when the outermost ends, what has changed in it is acted on. */
  #step(fn: () => void): void {
    this.#depth += 1
    try {
      fn()
      if (this.#depth === 1) this.#settle()
    } finally {
      this.#depth -= 1
    }
  }

  #settle(): void {
    do {
      for (const key of this.#changed) {
        this.#changed.delete(key)
        this.#produces.check(key)
        this.#deletions.check(key)
        this.#fetches.check(key)
      }
      if (this.#notices.length > 0) {
        const notices = this.#notices
        this.#notices = []
        for (const notice of notices) notice()
      }
      if (this.#isClosed) continue
      this.#isrUpdates.flush()
      this.#fetchers.pump()
    } while (this.#changed.size > 0 || this.#notices.length > 0)
  }

  #onChanged(partition: Partition): void {
    this.#moves.onChanged(partition)
    this.#changed.add(partition.key)
    if (this.#depth === 0) this.#step(() => {})
  }

  #applyState(state: PartitionState, mayBeHere: boolean): void {
    const { brokerId } = this.#options
    const key = topicPartitionKey(state.topic, state.partition)
    const hosted = this.#hosted.get(key)
    const isAssigned = state.replicas.includes(brokerId)
    if (hosted !== null && (!isAssigned || hosted.topicId !== state.topicId)) this.#remove(hosted)
    if (!isAssigned) return this.#hosted.forgetOffline(key)
    const partition = this.#hosted.open(state, mayBeHere)
    this.#tellDirectory(key, state)
    if (partition === null) return
    try {
      if (state.leader === brokerId) this.#lead(partition, state)
      else this.#follow(partition, state)
    } catch (error) {
      if (!isStorageFailure(error)) throw error
      this.#onStorageFailure(partition, error)
    }
  }

  /** The controller is told where the replica lies when the metadata has it elsewhere. */
  #tellDirectory(key: string, state: PartitionState): void {
    const actual = this.#hosted.actualDirectory(key)
    if (actual === null || !isNewsOfDirectory(state, this.#options.brokerId, actual)) return
    this.#options.assignDirectory?.(state, actual)
  }

  #lead(partition: Partition, state: PartitionState): void {
    const change = partition.makeLeader(state)
    if (!change.isApplied) return
    this.#fetchers.remove(partition.key)
    if (change.isNewEpoch) this.#notify(partition, 'leader', state.leaderEpoch)
  }

  #follow(partition: Partition, state: PartitionState): void {
    const change = partition.makeFollower(state)
    if (!change.isApplied) return
    this.#fetchers.assign(partition)
    if (change.isNewEpoch) this.#notify(partition, 'follower', state.leaderEpoch)
  }

  #remove(partition: Partition): void {
    const { leaderEpoch, key } = partition
    this.#fetchers.remove(key)
    this.#moves.cancel(key)
    this.#hosted.remove(partition)
    this.#notify(partition, 'removed', leaderEpoch)
  }

  #onStorageFailure(partition: Partition, error: StorageFailure): void {
    if (this.#hosted.get(partition.key) !== partition) return
    const directory = this.#hosted.directoryOf(partition)
    this.#takeOffline(partition, error)
    this.#failDirectory(directory, error)
  }

  /** All replicas in it are offline until the broker starts again; the other directories live on (KIP-112). */
  #failDirectory(directory: LogDirectory, error: StorageFailure): void {
    if (!directory.isOnline) return
    directory.goOffline()
    this.#moves.cancelIn(directory)
    const { path } = directory
    this.#options.events.emit('log-directory.offline', { path, error: error.message })
    this.#options.onDirectoryFailure?.(directory, error)
    for (const partition of this.#hosted.in(directory)) this.#takeOffline(partition, error)
  }

  #takeOffline(partition: Partition, error: StorageFailure): void {
    const { leaderEpoch, key } = partition
    this.#fetchers.remove(key)
    this.#moves.cancel(key)
    this.#hosted.fail(partition, error)
    this.#notify(partition, 'removed', leaderEpoch)
  }

  #notify(partition: Partition, kind: LeadershipKind, leaderEpoch: LeaderEpoch): void {
    this.#notices.push(() => {
      for (const listener of this.#listeners) listener(partition, kind, leaderEpoch)
    })
  }

  #applyConfigs(delta: MetadataDelta, image: MetadataImage): void {
    const topics = delta.changedConfigs
      .filter(({ resourceType }) => resourceType === ResourceType.TOPIC)
      .flatMap(({ resourceName }) => image.topicsByName.get(resourceName) ?? [])
    for (const topic of topics) {
      for (const index of topic.partitions.keys()) {
        const partition = this.#hosted.get(topicPartitionKey(topic.name, index))
        if (partition !== null) this.#hosted.configure(partition)
      }
    }
  }

  #startTimers(): void {
    this.#cleaner.start()
    const tasks = replicaTasks({
      ...this.#options,
      partitions: () => this.#hosted.values(),
      writeCheckpoints: () => {
        if (this.#checkpoints.write(this.#hosted.values())) this.#options.store.sync(() => {})
        this.#logStarts.writeAndSync(() => {})
      },
      deleteOldSegments: () => void this.#deleteOldSegments(),
    })
    for (const task of tasks) this.#tasks.repeat(task)
  }

  /** The store is what this broker goes by, the file what Apache Kafka would. */
  #syncLogStarts(done: (error: Error | null) => void): void {
    this.#checkpoints.write(this.#hosted.values())
    this.#options.store.sync((error) => {
      if (error === null) this.#logStarts.writeAndSync(done)
      else done(error)
    })
  }

  #deleteOldSegments(): number {
    const nowMs = this.#options.clock.wallMs()
    return deleteOldSegments(this.partitions(), nowMs, this.#onStorageFailure.bind(this))
  }
}
