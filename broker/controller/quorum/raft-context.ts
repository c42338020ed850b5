import type { BrokerId } from '../../../src/base/ids.ts'
import type { Uuid } from '../../../src/base/uuid.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import type { EventSink } from '../../../src/ports/events.ts'
import type { Random } from '../../../src/ports/random.ts'
import type { Api, Input } from '../../../src/wire/schema.ts'
import type { QuorumState } from './quorum-state.ts'
import type { RaftConfig } from './raft-config.ts'
import type { RaftLog } from './raft-log.ts'
import type { VoterSet } from './voter-set.ts'

/** What the parts of the driver share. */
export interface RaftContext {
  readonly nodeId: BrokerId
  readonly clusterId: string
  readonly directoryId: Uuid
  readonly voters: VoterSet
  readonly config: RaftConfig
  readonly clock: Clock
  readonly random: Random
  readonly events: EventSink
  readonly log: RaftLog
  readonly state: QuorumState
  /** Elections lost in a row; the pause before the next one grows with it. */
  lostElections: number
  /** Says something to others at the end of the step, once the quorum state of now is durable. */
  readonly output: (send: () => void) => void
  /** Sends a request as an output; the end of it is a step of its own. */
  readonly ask: <Req, Res>(
    toNodeId: BrokerId,
    api: Api<Req, Res>,
    version: number,
    body: Input<Req>,
    done: (error: Error | null, response: Res | null) => void,
  ) => void
}

/** Pause before the next election, doubling with each lost one up to `electionBackoffMaxMs`, with jitter. */
export function electionBackoffMs(context: RaftContext): number {
  const { retryBackoffMs, electionBackoffMaxMs } = context.config
  const ceilingMs = retryBackoffMs * 2 ** Math.min(context.lostElections, 20)
  const spreadMs = Math.max(1, Math.floor(Math.min(ceilingMs, electionBackoffMaxMs)))
  return Math.min(retryBackoffMs, spreadMs) + context.random.below(spreadMs)
}
