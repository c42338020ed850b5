import { crashEverywhere } from './crash-everywhere.ts'
import { asymmetricController } from './asymmetric-controller.ts'
import { voterDiskWiped } from './voter-disk-wiped.ts'
import { metadataLag } from './metadata-lag.ts'
import { controllerMajorityLoss } from './controller-majority-loss.ts'
import { controllerFailover } from './controller-failover.ts'
import { deleteRecreateTopic } from './delete-recreate-topic.ts'
import { retention } from './retention.ts'
import { slowDisk } from './slow-disk.ts'
import { fsyncFails } from './fsync-fails.ts'
import { diskFull } from './disk-full.ts'
import { bitFlip } from './bit-flip.ts'
import { tornWrite } from './torn-write.ts'
import { clockJump } from './clock-jump.ts'
import { failoverClean } from './failover-clean.ts'
import { failover } from './failover.ts'
import { fastDoubleFailover } from './fast-double-failover.ts'
import { idempotenceAcrossFailover } from './idempotence-across-failover.ts'
import { isolatedLeader } from './isolated-leader.ts'
import { isrShrink } from './isr-shrink.ts'
import { kafkajsInTheBox } from './kafkajs-in-the-box.ts'
import type { Scenario } from './lib/scenario.ts'
import { lastReplicaStanding } from './last-replica-standing.ts'
import { lostAck } from './lost-ack.ts'
import { minIsrBlock } from './min-isr-block.ts'
import { powerCutAll } from './power-cut-all.ts'
import { preferredLeaderStorm } from './preferred-leader-storm.ts'
import { reorderAttempt } from './reorder-attempt.ts'
import { rollingRestart } from './rolling-restart.ts'
import { soakSwarm } from './soak-swarm.ts'
import { splitBrainPrevention } from './split-brain-prevention.ts'
import { staleHw } from './stale-hw.ts'
import { uncleanElection } from './unclean-election.ts'
import { zombieLeader } from './zombie-leader.ts'

/** Every scenario that there is; a new one needs a line here. */
export const SCENARIOS: readonly Scenario[] = [
  failover,
  minIsrBlock,
  zombieLeader,
  failoverClean,
  isrShrink,
  uncleanElection,
  lastReplicaStanding,
  isolatedLeader,
  splitBrainPrevention,
  fastDoubleFailover,
  staleHw,
  rollingRestart,
  preferredLeaderStorm,
  lostAck,
  reorderAttempt,
  idempotenceAcrossFailover,
  powerCutAll,
  clockJump,
  soakSwarm,
  kafkajsInTheBox,
  tornWrite,
  bitFlip,
  diskFull,
  fsyncFails,
  slowDisk,
  retention,
  deleteRecreateTopic,
  controllerFailover,
  controllerMajorityLoss,
  metadataLag,
  voterDiskWiped,
  asymmetricController,
  crashEverywhere,
]
