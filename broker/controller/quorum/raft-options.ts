import type { BrokerId, LeaderEpoch } from '../../../src/base/ids.ts'
import type { Uuid } from '../../../src/base/uuid.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import type { EventSink } from '../../../src/ports/events.ts'
import type { Random } from '../../../src/ports/random.ts'
import type { Store } from '../../../src/ports/store.ts'
import type { Api, Input } from '../../../src/wire/schema.ts'
import type { PartitionLog } from '../../log/partition-log.ts'
import type { CommittedBatch } from './committed-batch.ts'
import type { RaftConfig } from './raft-config.ts'
import type { Voter } from './voter-set.ts'

/** Sends requests to voters. `done` is called once, never from inside `send`. */
export interface RaftTransport {
  send<Req, Res>(
    toNodeId: BrokerId,
    api: Api<Req, Res>,
    version: number,
    body: Input<Req>,
    timeoutMs: number,
    done: (error: Error | null, response: Res | null) => void,
  ): void
}

/** Called at the end of a step, when the state is settled; may call `append`, `stop` and the getters. */
export interface RaftListener {
  /** The epoch or its leader (-1: unknown) changed. */
  onLeaderChange(leaderId: BrokerId, epoch: LeaderEpoch): void
  /** Committed batches in order, each once per life of the process, control batches without records. */
  onCommit(batches: readonly CommittedBatch[]): void
  /** This node leads, and all that earlier leaders wrote is committed and was delivered. */
  onActivated(epoch: LeaderEpoch): void
  /** The leadership that `onActivated` announced is over. */
  onResigned(): void
  /** Disk or store failed, or the log cannot be read; this node has left the quorum. */
  onFault?(error: Error): void
}

export interface RaftOptions {
  readonly nodeId: BrokerId
  readonly clusterId: string
  readonly directoryId: Uuid
  readonly voters: readonly Voter[]
  readonly config: RaftConfig
  readonly clock: Clock
  readonly random: Random
  readonly store: Store
  readonly events: EventSink
  readonly log: PartitionLog
  readonly transport: RaftTransport
  readonly listener: RaftListener
}
