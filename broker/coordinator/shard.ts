import type { LeaderEpoch, Offset, ProducerId } from '../../src/base/ids.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { EventSink } from '../../src/ports/events.ts'
import type { Random } from '../../src/ports/random.ts'
import type { CoordinatorRecord, Outcome } from './outcome.ts'
import type { ShardTimers, TimedOperation } from './timer.ts'

/** A record that is in the log. */
export interface ReplayedRecord extends CoordinatorRecord {
  readonly offset: Offset
  /** The producer of a transactional record, which counts only after its end marker; else -1. */
  readonly producerId: ProducerId
}

/** The whole state of one partition of a coordinator's topic: the fold of its log. */
export interface CoordinatorShard {
  /** Applies a record: the only place where state that outlives the coordinator changes. */
  replay(record: ReplayedRecord): void
  /** Applies the end of a transaction: its records now count, or never will. */
  replayTransactionEnd(producerId: ProducerId, isCommitted: boolean): void
  /** The log is replayed; timers begin here. */
  onLoaded(): Outcome<never>
  /** This broker no longer leads the partition, or ends: what the shard has begun elsewhere ends too. */
  onUnloaded?(): void
}

/** The partition under a shard, for shards that do more than answer requests. */
export interface ShardPartition {
  /** In which this broker leads the partition now. */
  leaderEpoch(): LeaderEpoch
  /** All below is committed. */
  highWatermark(): Offset
  /** Performs an operation as a step of its own, after the one that runs now; not at all once unloaded. */
  perform(operation: TimedOperation): void
}

/** What a shard may use. */
export interface ShardPorts {
  readonly partition: number
  readonly clock: Clock
  readonly random: Random
  readonly events: EventSink
  readonly timers: ShardTimers
}
