import { AcknowledgementsCheck } from './acknowledgements.ts'
import { BrokerEpochsCheck } from './broker-epochs.ts'
import { CommittedPrefixCheck } from './committed-prefix.ts'
import { ControllerAnswersCheck } from './controller-answers.ts'
import { EqualityCheck } from './equality.ts'
import { GroupCommitsCheck } from './group-commits.ts'
import { GroupGenerationsCheck } from './group-generations.ts'
import { GroupReplayCheck } from './group-replay.ts'
import { HighWatermarkCheck } from './high-watermark.ts'
import { IsrCompletenessCheck } from './isr-completeness.ts'
import { IsrSanityCheck } from './isr-sanity.ts'
import { LeadershipCheck } from './leadership.ts'
import { LogStartCheck } from './log-start.ts'
import { MetadataImagesCheck } from './metadata-images.ts'
import { MetadataWatch } from './metadata-watch.ts'
import { ProducerReplayCheck } from './producer-replay.ts'
import { ProducerSessionsCheck } from './producer-sessions.ts'
import { QuorumCommitsCheck } from './quorum-commits.ts'
import { QuorumElectionsCheck } from './quorum-elections.ts'
import { RebuiltStateCheck } from './rebuilt-state.ts'
import { ReplicaWatch } from './replica-watch.ts'
import { ReplicationFencingCheck } from './replication-fencing.ts'
import type { ClusterState, StateCheck, StateReport } from './state-check.ts'
import { TruncationCheck } from './truncation.ts'

/**
 * Every invariant on the state of brokers, with ghosts of its own: one set a run. Hooks are to be called in this
 * order, all of them for one thing that happened before any for the next: the watches learn what has changed
 * before the others look, the metadata's before the replicas'.
 */
export function createStateChecks(state: ClusterState, report: StateReport): StateCheck[] {
  const elections = new QuorumElectionsCheck(state, report)
  const metadata = new MetadataWatch(state, report)
  const replicas = new ReplicaWatch(state, report)
  // These hear of changes through the watches, in the order in which they are made.
  const isr = new IsrSanityCheck(metadata, replicas)
  const highWatermarks = new HighWatermarkCheck(replicas, metadata)
  const truncation = new TruncationCheck(replicas)
  const leadership = new LeadershipCheck(replicas)
  const sessions = new ProducerSessionsCheck(replicas)
  return [
    elections,
    metadata,
    // Before the watch of replicas: at a high watermark's event the ghost still has the one before.
    highWatermarks,
    replicas,
    new QuorumCommitsCheck(metadata, elections),
    new ControllerAnswersCheck(replicas, metadata),
    isr,
    new IsrCompletenessCheck(metadata, replicas),
    new BrokerEpochsCheck(metadata),
    new MetadataImagesCheck(metadata),
    leadership,
    truncation,
    new LogStartCheck(replicas),
    new ReplicationFencingCheck(replicas),
    new CommittedPrefixCheck(replicas),
    sessions,
    new ProducerReplayCheck(replicas),
    new AcknowledgementsCheck(replicas, highWatermarks),
    new GroupGenerationsCheck(replicas, metadata),
    new GroupCommitsCheck(state, report),
    new GroupReplayCheck(replicas),
    new EqualityCheck(replicas, metadata),
    new RebuiltStateCheck(replicas),
  ]
}
