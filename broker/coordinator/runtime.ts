import type { LeaderEpoch } from '../../src/base/ids.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { EventSink } from '../../src/ports/events.ts'
import type { Random } from '../../src/ports/random.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { Loader, type LoadResult } from './loader.ts'
import type { CoordinatorLog } from './log-port.ts'
import { ShardHost, type ShardRequest } from './shard-host.ts'
import type { Outcome } from './outcome.ts'
import type { CoordinatorShard, ShardPartition, ShardPorts } from './shard.ts'
import { ShardTimers, type TimedOperation } from './timer.ts'

export interface RuntimeOptions<Shard extends CoordinatorShard> {
  /** Which coordinator this is: `group`, `transaction`, `share`. Named in events. */
  readonly name: string
  readonly log: CoordinatorLog
  readonly clock: Clock
  readonly random: Random
  readonly events: EventSink
  /** How long an answer waits for the commit of what it saw (offsets.commit.timeout.ms). */
  readonly commitTimeoutMs: number
  /** Bytes of log that one step of loading reads (offsets.load.buffer.size). */
  readonly loadStepBytes: number
  /** Makes an empty shard, before anything is replayed into it. */
  createShard(ports: ShardPorts, partition: ShardPartition): Shard
}

/** One request and the partition it belongs to. */
export interface RuntimeRequest<Shard, Answer> extends ShardRequest<Shard, Answer> {
  readonly partition: number
}

export type PartitionStatus = 'absent' | 'loading' | 'active' | 'failed'

/** A led partition for checks and views. Read only. */
export interface ShardSlot<Shard extends CoordinatorShard> {
  readonly partition: number
  readonly leaderEpoch: LeaderEpoch
  readonly status: Exclude<PartitionStatus, 'absent'>
  readonly shard: Shard
}

interface Slot<Shard extends CoordinatorShard> {
  readonly host: ShardHost<Shard>
  readonly timers: ShardTimers
  readonly loader: Loader
  status: Exclude<PartitionStatus, 'absent'>
}

/**
 * The partitions of one coordinator's topic that this broker leads, each with its shard. A partition
 * won is loaded, then active; one lost answers everything open with NOT_COORDINATOR and is dropped.
 *
 *     absent -> loading -> active    on election
 *     loading -> failed              the log cannot be read; requests get NOT_COORDINATOR
 *     any -> absent                  on resignation
 *
 * Everything enters through one gate: what arrives while a step runs (an answer may lead to the next
 * request of an in-process client) waits until the step has ended.
 */
export class CoordinatorRuntime<Shard extends CoordinatorShard> {
  readonly #options: RuntimeOptions<Shard>
  readonly #slots = new Map<number, Slot<Shard>>()
  readonly #entries: (() => void)[] = []
  #isInside = false
  #isClosed = false

  constructor(options: RuntimeOptions<Shard>) {
    this.#options = options
  }

  /** Led and loaded partitions, sorted. */
  get activePartitions(): readonly number[] {
    return this.#partitionsWith('active')
  }

  get loadingPartitions(): readonly number[] {
    return this.#partitionsWith('loading')
  }

  statusOf(partition: number): PartitionStatus {
    return this.#slots.get(partition)?.status ?? 'absent'
  }

  /** The state of an active partition, for checks that compare it with a replay of the log. */
  shardOf(partition: number): Shard | null {
    const slot = this.#slots.get(partition)
    return slot?.status === 'active' ? slot.host.shard : null
  }

  /** Every partition that this broker leads, loaded or not, by number. */
  slots(): readonly ShardSlot<Shard>[] {
    return [...this.#slots]
      .map(([partition, { host, status }]) => ({
        partition,
        leaderEpoch: host.leaderEpoch,
        status,
        shard: host.shard,
      }))
      .sort((a, b) => a.partition - b.partition)
  }

  /** Requests without an answer, over all partitions. */
  get openCount(): number {
    return [...this.#slots.values()].reduce((sum, { host }) => sum + host.openCount, 0)
  }

  /**
   * This broker leads `partition` from `leaderEpoch` on. A newer epoch of a partition that is led
   * already keeps the shard: nobody else has written to its log.
   */
  onElected(partition: number, leaderEpoch: LeaderEpoch): void {
    this.#enter(() => {
      const slot = this.#slots.get(partition)
      if (slot !== undefined && slot.host.leaderEpoch >= leaderEpoch) return
      if (slot !== undefined && slot.status !== 'failed') {
        slot.host.onNewLeaderEpoch(leaderEpoch)
        return
      }
      if (!this.#isClosed) this.#load(partition, leaderEpoch)
    })
  }

  /** This broker no longer leads `partition`. */
  onResigned(partition: number): void {
    this.#enter(() => this.#unload(partition, ErrorCode.NOT_COORDINATOR))
  }

  /** Performs a request on its partition, or answers it with why that cannot be. */
  request<Answer>(request: RuntimeRequest<Shard, Answer>): void {
    this.#enter(() => {
      const slot = this.#slots.get(request.partition)
      const error = this.#refusal(slot)
      if (slot === undefined || error !== ErrorCode.NONE) request.respond(request.onError(error))
      else slot.host.request(request)
    })
  }

  /** Performs an operation on every active shard; nobody waits for it. */
  performOnAll(operation: (shard: Shard) => Outcome<never>): void {
    this.#enter(() => {
      for (const partition of this.activePartitions) {
        const host = this.#slots.get(partition)?.host
        host?.perform(() => operation(host.shard))
      }
    })
  }

  /** The node stops: open and later requests get COORDINATOR_NOT_AVAILABLE. */
  close(): void {
    this.#enter(() => {
      this.#isClosed = true
      for (const partition of this.#slots.keys()) {
        this.#unload(partition, ErrorCode.COORDINATOR_NOT_AVAILABLE)
      }
    })
  }

  #refusal(slot: Slot<Shard> | undefined): ErrorCode {
    if (this.#isClosed) return ErrorCode.COORDINATOR_NOT_AVAILABLE
    if (slot?.status === 'active') return ErrorCode.NONE
    return slot?.status === 'loading'
      ? ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
      : ErrorCode.NOT_COORDINATOR
  }

  #load(partition: number, leaderEpoch: LeaderEpoch): void {
    const { log, clock, random, events, commitTimeoutMs, loadStepBytes } = this.#options
    const perform = (operation: TimedOperation): void =>
      this.#enter(() => slot.host.perform(operation))
    const timers = new ShardTimers(clock, perform)
    const shard = this.#options.createShard(
      { partition, clock, random, events, timers },
      {
        leaderEpoch: () => slot.host.leaderEpoch,
        highWatermark: () => log.highWatermark(partition),
        perform,
      },
    )
    const host = new ShardHost({
      log,
      partition,
      leaderEpoch,
      shard,
      clock,
      commitTimeoutMs,
      perform,
    })
    const loader = new Loader({
      log,
      partition,
      shard,
      clock,
      stepBytes: loadStepBytes,
      onLoaded: (result) => this.#enter(() => this.#onLoaded(partition, slot, result)),
      onFailed: (reason) => this.#enter(() => this.#onLoadFailed(partition, slot, reason)),
    })
    const slot: Slot<Shard> = { host, timers, loader, status: 'loading' }
    this.#slots.set(partition, slot)
    loader.start()
  }

  #onLoaded(partition: number, slot: Slot<Shard>, result: LoadResult): void {
    if (this.#slots.get(partition) !== slot) return
    slot.status = 'active'
    const { name, events } = this.#options
    events.emit('coordinator.loaded', {
      coordinator: name,
      partition,
      leaderEpoch: slot.host.leaderEpoch,
      lastOffset: result.lastOffset,
      records: result.recordCount,
      steps: result.stepCount,
    })
    slot.host.onLoaded(result.lastOffset)
  }

  #onLoadFailed(partition: number, slot: Slot<Shard>, reason: string): void {
    if (this.#slots.get(partition) !== slot) return
    slot.status = 'failed'
    const { name, events } = this.#options
    events.emit('coordinator.load-failed', { coordinator: name, partition, reason })
  }

  #unload(partition: number, error: ErrorCode): void {
    const slot = this.#slots.get(partition)
    if (slot === undefined) return
    this.#slots.delete(partition)
    slot.loader.cancel()
    slot.timers.cancelAll()
    slot.host.shard.onUnloaded?.()
    slot.host.close(error)
    this.#options.events.emit('coordinator.unloaded', {
      coordinator: this.#options.name,
      partition,
      leaderEpoch: slot.host.leaderEpoch,
    })
  }

  #partitionsWith(status: PartitionStatus): readonly number[] {
    return [...this.#slots]
      .filter(([, slot]) => slot.status === status)
      .map(([partition]) => partition)
      .sort((a, b) => a - b)
  }

  #enter(step: () => void): void {
    this.#entries.push(step)
    if (this.#isInside) return
    this.#isInside = true
    try {
      for (let next = this.#entries.shift(); next !== undefined; next = this.#entries.shift())
        next()
    } finally {
      this.#isInside = false
    }
  }
}
