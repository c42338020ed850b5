import { present } from '../../src/base/assert.ts'
import type { BrokerId, Offset } from '../../src/base/ids.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type {
  BrokerHeartbeatRequest,
  BrokerHeartbeatResponse,
} from '../../src/wire/messages/63-broker-heartbeat.ts'
import type { MetadataRecord } from '../../src/wire/records/metadata.ts'
import { isActiveBroker, type BrokerRegistration } from '../metadata/cluster-image.ts'
import type { BrokerSessions } from './broker-sessions.ts'
import type { ControlContext } from './control-context.ts'
import type { Outcome, PendingEvent } from './outcome.ts'
import {
  controlledShutdownRecords,
  fenceRecords,
  hasLeaderships,
  offlineDirectoryRecords,
  unfenceRecords,
} from './replica-changes.ts'

/**
 * Where a broker is in its life. It starts `fenced`, becomes `unfenced` when it has replayed its own registration,
 * `shutting-down` when it wants to leave while it leads partitions, and `left` when it may end its process;
 * one that has left is fenced in the metadata.
 */
type BrokerPhase = 'fenced' | 'unfenced' | 'shutting-down' | 'left'

/** Whether the request comes from the registered incarnation; otherwise the answer is STALE_BROKER_EPOCH. */
export function isCurrentBroker(context: ControlContext, id: BrokerId, epoch: Offset): boolean {
  return context.image.brokers.get(id)?.epoch === epoch
}

/** Answers BrokerHeartbeat: keeps the session alive and takes the broker to its next phase. */
export function heartbeat(
  context: ControlContext,
  sessions: BrokerSessions,
  request: BrokerHeartbeatRequest,
): Outcome<BrokerHeartbeatResponse> {
  const { brokerId, currentMetadataOffset } = request
  if (!isCurrentBroker(context, brokerId, request.brokerEpoch)) {
    return { records: [], response: { errorCode: ErrorCode.STALE_BROKER_EPOCH } }
  }
  const broker = present(context.image.brokers.get(brokerId), 'the broker of this epoch')
  const phase = phaseOf(broker)
  const offline = offlineDirectoryRecords(context, broker, request.offlineLogDirs)
  // What a directory takes with it is decided before the next phase, which is to see it: the next heartbeat's.
  const next = offline.length > 0 ? phase : nextPhase(context, sessions, broker, request)
  if (next === 'left') sessions.end(brokerId)
  else sessions.touch(brokerId, currentMetadataOffset)
  return {
    records: phase === next ? offline : recordsInto(next, context, broker),
    response: {
      errorCode: ErrorCode.NONE,
      isCaughtUp: currentMetadataOffset >= broker.registrationOffset,
      isFenced: next === 'fenced' || next === 'left',
      shouldShutDown: next === 'left',
    },
    events: [
      ...(offline.length > 0 ? [offlineEventOf(broker, request)] : []),
      ...(phase === next ? [] : [eventOf(next, broker)]),
    ],
    onAppended: (lastOffset) => {
      if (next === 'shutting-down') sessions.beginShutdown(brokerId, lastOffset)
    },
  }
}

function phaseOf(broker: BrokerRegistration): BrokerPhase {
  if (broker.isFenced) return 'fenced'
  return broker.isInControlledShutdown ? 'shutting-down' : 'unfenced'
}

function nextPhase(
  context: ControlContext,
  sessions: BrokerSessions,
  broker: BrokerRegistration,
  request: BrokerHeartbeatRequest,
): BrokerPhase {
  const phase = phaseOf(broker)
  if (phase === 'shutting-down') {
    return mayLeave(context, sessions, broker) ? 'left' : 'shutting-down'
  }
  if (phase === 'fenced') {
    if (request.wantShutDown) return 'left'
    // One that began to shut down comes back as a new incarnation only; until then it may not lead.
    if (request.wantFence || broker.isInControlledShutdown) return 'fenced'
    return request.currentMetadataOffset >= broker.registrationOffset ? 'unfenced' : 'fenced'
  }
  if (request.wantFence) return request.wantShutDown ? 'left' : 'fenced'
  if (!request.wantShutDown) return 'unfenced'
  return hasLeaderships(context, broker.id) ? 'shutting-down' : 'left'
}

/** It leads nothing any more, and every active broker has replayed the log up to where the shutdown began. */
function mayLeave(
  context: ControlContext,
  sessions: BrokerSessions,
  broker: BrokerRegistration,
): boolean {
  if (hasLeaderships(context, broker.id)) return false
  const active = [...context.image.brokers.values()].filter(isActiveBroker).map(({ id }) => id)
  return (sessions.shutdownOffset(broker.id) ?? -1) <= sessions.lowestMetadataOffset(active)
}

function recordsInto(
  phase: BrokerPhase,
  context: ControlContext,
  broker: BrokerRegistration,
): readonly MetadataRecord[] {
  if (phase === 'unfenced') return unfenceRecords(context, broker)
  if (phase === 'shutting-down') return controlledShutdownRecords(context, broker)
  return broker.isFenced ? [] : fenceRecords(context, broker)
}

function offlineEventOf(
  broker: BrokerRegistration,
  { offlineLogDirs }: BrokerHeartbeatRequest,
): PendingEvent {
  const directories = broker.logDirs.filter((id) => offlineLogDirs.includes(id))
  return { kind: 'controller.directories-offline', fields: { broker: broker.id, directories } }
}

function eventOf(phase: BrokerPhase, broker: BrokerRegistration): PendingEvent {
  const fields = { broker: broker.id, epoch: broker.epoch }
  return { kind: `controller.broker-${phase}`, fields }
}
