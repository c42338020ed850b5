import type { Offset, ProducerId } from '../../src/base/ids.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { EventSink } from '../../src/ports/events.ts'
import type { Random } from '../../src/ports/random.ts'
import type { CoordinatorRecord, Outcome } from './outcome.ts'
import type { ShardTimers } from './timer.ts'

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
}

/** What a shard may use. */
export interface ShardPorts {
  readonly partition: number
  readonly clock: Clock
  readonly random: Random
  readonly events: EventSink
  readonly timers: ShardTimers
}
