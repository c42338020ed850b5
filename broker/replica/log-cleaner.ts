import type { Config } from '../../src/base/config-def.ts'
import { CorruptionError, DiskError } from '../../src/base/errors.ts'
import type { Clock, Timer } from '../../src/ports/clock.ts'
import type { EventSink } from '../../src/ports/events.ts'
import type { Store } from '../../src/ports/store.ts'
import type { Cleanable } from '../log/cleanable.ts'
import type { LogCompaction } from '../log/log-compaction.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { Partition } from './partition.ts'
import { isStorageFailure, type StorageFailure } from './storage-failure.ts'

export interface LogCleanerOptions {
  readonly config: Config
  readonly clock: Clock
  readonly store: Store
  readonly events: EventSink
  readonly checkpoints: Checkpoints
  /** Writes Kafka's file of the log directory in which the partition lies. */
  readonly writeOffsets: (partition: Partition) => void
  readonly partitions: () => readonly Partition[]
  /** Runs what comes from outside of a step as one. */
  readonly step: (fn: () => void) => void
  readonly onStorageFailure: (partition: Partition, error: StorageFailure) => void
}

/** What a compaction on call has done. */
export interface CompactionSummary {
  /** Logs that were written anew, wholly or in part. */
  readonly partitions: number
  /** Of those segments. */
  readonly bytesBefore: number
  readonly bytesAfter: number
}

interface Call {
  readonly left: Partition[]
  summary: CompactionSummary
  readonly done: (summary: CompactionSummary) => void
}

interface Job {
  readonly partition: Partition
  readonly call: Call | null
}

/**
 * Compacts the logs of a broker (Kafka's LogCleaner with one thread): whenever it has nothing to do, after
 * log.cleaner.backoff.ms, it looks for the log with the largest dirty part. A compaction runs in steps between
 * which the broker serves. Before a log is touched its recovery point is stored, so that no start takes the gaps of a
 * compaction for records that were lost.
 */
export class LogCleaner {
  readonly #options: LogCleanerOptions
  /** Their bytes cannot be compacted; not tried again in this life of the broker. */
  readonly #uncleanable = new Set<Partition>()
  readonly #calls: Call[] = []
  #job: Job | null = null
  #timer: Timer | null = null
  #isClosed = false

  constructor(options: LogCleanerOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#options.config.boolean('log.cleaner.enable')) this.#rest()
  }

  /**
   * Compacts all that may be compacted, whatever its dirty part is. Active segments that hold records are closed first.
   * `done` is called once, possibly at once.
   */
  compactAll(done: (summary: CompactionSummary) => void): void {
    const { clock, partitions } = this.#options
    const left = partitions().filter((partition) => isCompacted(partition))
    for (const partition of left) {
      this.#guard(partition, () => partition.log.rollActive(clock.wallMs()))
    }
    this.#calls.push({ left, summary: { partitions: 0, bytesBefore: 0, bytesAfter: 0 }, done })
    if (this.#job === null) this.#next()
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer !== null) this.#options.clock.cancel(this.#timer)
    for (const call of this.#calls.splice(0)) call.done(call.summary)
  }

  #rest(): void {
    const { config } = this.#options
    if (this.#isClosed || !config.boolean('log.cleaner.enable')) return
    this.#after(config.long('log.cleaner.backoff.ms'), () => this.#next())
    // A log that was not flushed in time for this round is so for the next.
    for (const { log } of this.#compacted()) {
      const activeBase = log.segmentBaseOffsets.at(-1) ?? 0
      if (log.recoveryPoint < activeBase && log.cleanedTo < activeBase && !log.hasFailed) {
        log.flush(() => undefined)
      }
    }
  }

  #after(delayMs: number, fn: () => void): void {
    const { clock, step } = this.#options
    if (this.#timer !== null) clock.cancel(this.#timer)
    this.#timer = clock.after(delayMs, 'replica.log-cleaner', () => {
      this.#timer = null
      if (!this.#isClosed) step(fn)
    })
  }

  #next(): void {
    if (this.#isClosed) return
    this.#job = this.#ofCall() ?? this.#filthiest()
    if (this.#job === null) this.#rest()
    else this.#flush(this.#job)
  }

  #ofCall(): Job | null {
    for (;;) {
      const [call] = this.#calls
      if (call === undefined) return null
      for (;;) {
        const partition = call.left.shift()
        if (partition === undefined) break
        if (this.#isHosted(partition) && isCompacted(partition)) return { partition, call }
      }
      this.#calls.shift()
      call.done(call.summary)
    }
  }

  /** The log with the largest share of dirty bytes, of those that are dirty enough or overdue. */
  #filthiest(): Job | null {
    const nowMs = this.#options.clock.wallMs()
    let best: Partition | null = null
    let bestRatio = -1
    for (const partition of this.#compacted()) {
      const { log } = partition
      const { cleanableBytes, ratio, isOverdue } = log.cleanable(nowMs)
      const isDue = isOverdue || ratio > log.config.minCleanableDirtyRatio
      if (cleanableBytes === 0 || !isDue || ratio <= bestRatio) continue
      best = partition
      bestRatio = ratio
    }
    return best === null ? null : { partition: best, call: null }
  }

  #compacted(): readonly Partition[] {
    const { partitions } = this.#options
    return partitions().filter(
      (partition) => isCompacted(partition) && !this.#uncleanable.has(partition),
    )
  }

  #flush(job: Job): void {
    const { log } = job.partition
    if (log.recoveryPoint >= (log.segmentBaseOffsets.at(-1) ?? 0)) return this.#prepare(job)
    log.flush(() => this.#options.step(() => this.#prepare(job)))
  }

  #prepare(job: Job): void {
    if (!this.#goesOn(job)) return
    const { checkpoints, store, clock } = this.#options
    const { log } = job.partition
    const range = log.cleanable(clock.wallMs())
    if (range.cleanableBytes === 0) return this.#next()
    log.prepareCompaction(range)
    checkpoints.writeRecoveryPoint(job.partition)
    store.sync((error) => {
      this.#options.step(() => {
        if (!this.#goesOn(job)) return
        // Cut meanwhile: what was stored does not hold for it.
        const isCut = log.compactedTo < range.firstUncleanableOffset
        if (error !== null || isCut) this.#afterFailure()
        else this.#begin(job, range)
      })
    })
  }

  #begin(job: Job, range: Cleanable): void {
    const { clock, config } = this.#options
    const { log } = job.partition
    const nowMs = clock.wallMs()
    const share = config.double('log.cleaner.io.buffer.load.factor')
    const compaction = log.compact(range, {
      nowMs,
      mapBytes: config.long('log.cleaner.dedupe.buffer.size') * share,
      stepBytes: Math.max(1, config.int('log.cleaner.io.buffer.size')),
    })
    this.#run(job, compaction)
  }

  #run(job: Job, compaction: LogCompaction): void {
    if (!this.#goesOn(job)) return
    const readBefore = compaction.bytesRead
    const go = (): void => this.#run(job, compaction)
    const isRun = this.#guard(job.partition, () => {
      compaction.step(() => this.#options.step(go))
    })
    if (!isRun) return this.#afterFailure()
    if (compaction.state === 'ready') {
      const perSecond = this.#options.config.double('log.cleaner.io.max.bytes.per.second')
      this.#after(((compaction.bytesRead - readBefore) * 1000) / perSecond, go)
    } else if (compaction.state !== 'waiting') this.#end(job, compaction)
  }

  #end(job: Job, compaction: LogCompaction): void {
    const { partition, call } = job
    const { checkpoints, store, writeOffsets } = this.#options
    if (compaction.state === 'done') {
      partition.log.compacted(compaction)
      checkpoints.writeRecoveryPoint(partition)
      store.sync(() => undefined)
      this.#guard(partition, () => writeOffsets(partition))
      const { bytesBefore, bytesAfter } = compaction.sizes
      if (call !== null) {
        call.summary = {
          partitions: call.summary.partitions + 1,
          bytesBefore: call.summary.bytesBefore + bytesBefore,
          bytesAfter: call.summary.bytesAfter + bytesAfter,
        }
      }
    }
    this.#next()
  }

  /** False, and another log is looked for, when the partition is hosted no longer or its disk has failed. */
  #goesOn(job: Job): boolean {
    if (this.#isClosed || this.#job !== job) return false
    if (this.#isHosted(job.partition) && !job.partition.log.hasFailed) return true
    this.#afterFailure()
    return false
  }

  /** Not at once: what has failed may fail again. */
  #afterFailure(): void {
    this.#job = null
    if (this.#calls.length > 0) this.#after(0, () => this.#next())
    else this.#rest()
  }

  #isHosted(partition: Partition): boolean {
    return this.#options.partitions().includes(partition)
  }

  /** True when `fn` ended well. Bytes that are damaged concern this log alone, a disk that fails the broker. */
  #guard(partition: Partition, fn: () => void): boolean {
    try {
      fn()
      return true
    } catch (error) {
      if (!isStorageFailure(error)) throw error
      if (error instanceof CorruptionError) this.#giveUp(partition, error)
      else if (error instanceof DiskError) this.#options.onStorageFailure(partition, error)
      return false
    }
  }

  #giveUp(partition: Partition, error: CorruptionError): void {
    this.#uncleanable.add(partition)
    const { topic, partition: index } = partition
    this.#options.events.emit('log.uncleanable', {
      topic,
      partition: index,
      problem: error.message,
    })
  }
}

function isCompacted({ log }: Partition): boolean {
  return log.config.cleanupPolicy.includes('compact')
}
