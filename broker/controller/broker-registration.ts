import type { BrokerId, Offset } from '../../src/base/ids.ts'
import { uuidToBytes, type Uuid } from '../../src/base/uuid.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { metadataRecord } from '../../src/wire/metadata-record.ts'
import type {
  BrokerRegistrationRequest,
  BrokerRegistrationResponse,
} from '../../src/wire/messages/62-broker-registration.ts'
import type {
  UnregisterBrokerRequest,
  UnregisterBrokerResponse,
} from '../../src/wire/messages/64-unregister-broker.ts'
import type { MetadataRecord } from '../../src/wire/records/metadata.ts'
import type { BrokerRegistration } from '../metadata/cluster-image.ts'
import { METADATA_VERSION, OLDEST_METADATA_VERSION_LEVEL } from '../metadata/features.ts'
import type { BrokerSessions } from './broker-sessions.ts'
import type { ControlContext } from './control-context.ts'
import { apiError, type ApiError, type Outcome } from './outcome.ts'
import { fenceRecords, unregisterRecords } from './replica-changes.ts'

/** What Kafka 4.3 writes. */
const REGISTER_BROKER_VERSION = 4

/**
 * Answers BrokerRegistration. A new incarnation starts fenced; its broker epoch is the offset of its registration.
 * The same incarnation may come again and keeps its epoch and its state. While another incarnation of the same id
 * is alive the answer is DUPLICATE_BROKER_REGISTRATION, unless the new one names its epoch (KIP-966): the mark
 * of its clean shutdown, in a directory that one node uses at a time, proves that it has ended. Kafka waits for
 * the session there too, which makes the second start of a stopped cluster slow. `nextOffset` is where the first record will be appended.
 */
export function registerBroker(
  context: ControlContext,
  sessions: BrokerSessions,
  request: BrokerRegistrationRequest,
  nextOffset: Offset,
): Outcome<BrokerRegistrationResponse> {
  const refusal = problemWith(context, sessions, request)
  if (refusal !== null) {
    const fields = { broker: request.brokerId, reason: refusal.errorMessage }
    return {
      records: [],
      response: { errorCode: refusal.errorCode },
      events: [{ kind: 'controller.registration-refused', fields }],
    }
  }
  const existing = context.image.brokers.get(request.brokerId)
  const isSame = existing?.incarnationId === request.incarnationId
  // The session ran out at this very moment: what fencing does must come before the new incarnation.
  const fencing =
    existing === undefined || isSame || existing.isFenced ? [] : fenceRecords(context, existing)
  const epoch = isSame ? existing.epoch : nextOffset + fencing.length
  const fields = { broker: request.brokerId, epoch, incarnation: request.incarnationId }
  return {
    records: [...fencing, registrationRecord(request, epoch, isSame ? existing : null)],
    response: { errorCode: ErrorCode.NONE, brokerEpoch: epoch },
    events: [{ kind: 'controller.broker-registered', fields }],
    onAppended: () => {
      sessions.follow(request.brokerId, epoch)
    },
  }
}

/** Answers UnregisterBroker: the broker leaves every ISR and the cluster. */
export function unregisterBroker(
  context: ControlContext,
  sessions: BrokerSessions,
  request: UnregisterBrokerRequest,
): Outcome<UnregisterBrokerResponse> {
  const broker = context.image.brokers.get(request.brokerId)
  if (broker === undefined) {
    const message = `Broker ID ${request.brokerId} is not currently registered`
    return { records: [], response: apiError(ErrorCode.BROKER_ID_NOT_REGISTERED, message) }
  }
  return {
    records: unregisterRecords(context, broker),
    response: { errorCode: ErrorCode.NONE, errorMessage: null },
    events: [{ kind: 'controller.broker-unregistered', fields: { broker: broker.id } }],
    onAppended: () => {
      sessions.forget(broker.id)
    },
  }
}

function registrationRecord(
  request: BrokerRegistrationRequest,
  epoch: Offset,
  same: BrokerRegistration | null,
): MetadataRecord {
  return metadataRecord(
    'RegisterBrokerRecord',
    {
      brokerId: request.brokerId,
      incarnationId: request.incarnationId,
      brokerEpoch: epoch,
      endPoints: request.listeners,
      features: request.features,
      rack: request.rack,
      fenced: same?.isFenced ?? true,
      inControlledShutdown: same?.isInControlledShutdown ?? false,
      logDirs: request.logDirs,
    },
    REGISTER_BROKER_VERSION,
  )
}

function problemWith(
  context: ControlContext,
  sessions: BrokerSessions,
  request: BrokerRegistrationRequest,
): ApiError | null {
  if (request.clusterId !== context.clusterId) {
    const message = `Expected cluster ID ${context.clusterId}, but got cluster ID ${request.clusterId}`
    return apiError(ErrorCode.INCONSISTENT_CLUSTER_ID, message)
  }
  const existing = context.image.brokers.get(request.brokerId)
  if (
    existing !== undefined &&
    existing.incarnationId !== request.incarnationId &&
    existing.epoch !== request.previousBrokerEpoch &&
    sessions.isAlive(existing.id, existing.epoch)
  ) {
    const message = `Another broker is registered with broker id ${request.brokerId}.`
    return apiError(ErrorCode.DUPLICATE_BROKER_REGISTRATION, message)
  }
  if (request.isMigratingZkBroker) {
    const message = 'The controller does not register brokers that migrate from ZooKeeper.'
    return apiError(ErrorCode.BROKER_ID_NOT_REGISTERED, message)
  }
  return problemWithDirectories(context, request) ?? problemWithFeatures(context, request)
}

function problemWithDirectories(
  context: ControlContext,
  request: BrokerRegistrationRequest,
): ApiError | null {
  const { logDirs } = request
  const invalid = (message: string): ApiError => apiError(ErrorCode.INVALID_REGISTRATION, message)
  if (logDirs.length === 0) return invalid('No directories specified in request')
  if (logDirs.some(isReserved)) return invalid('Reserved directory ID in request')
  if (new Set(logDirs).size !== logDirs.length) return invalid('Duplicate directory ID in request')
  for (const [directory, id] of ownersOfDirectories(context)) {
    if (id !== request.brokerId && logDirs.includes(directory)) {
      return invalid(`Broker ${id} is already registered with directory ${directory}`)
    }
  }
  return null
}

function* ownersOfDirectories(context: ControlContext): Iterable<readonly [Uuid, BrokerId]> {
  for (const broker of context.image.brokers.values()) {
    for (const directory of broker.logDirs) yield [directory, broker.id]
  }
}

/** Every finalized feature level must be within what the broker can do. */
function problemWithFeatures(
  context: ControlContext,
  request: BrokerRegistrationRequest,
): ApiError | null {
  const supported = new Map(request.features.map((feature) => [feature.name, feature]))
  for (const [name, level] of context.image.features) {
    const oldest = name === METADATA_VERSION ? OLDEST_METADATA_VERSION_LEVEL : 0
    const min = supported.get(name)?.minSupportedVersion ?? oldest
    const max = supported.get(name)?.maxSupportedVersion ?? oldest
    if (level < min || level > max) {
      const message =
        `Unable to register because the broker does not support finalized version ${level} of ${name}. ` +
        `The broker wants a version between ${min} and ${max}, inclusive.`
      return apiError(ErrorCode.UNSUPPORTED_VERSION, message)
    }
  }
  return null
}

/** Kafka keeps the first hundred ids for directories that are lost, unassigned or being migrated. */
function isReserved(directory: Uuid): boolean {
  const bytes = uuidToBytes(directory)
  return bytes.subarray(0, 15).every((byte) => byte === 0) && (bytes[15] ?? 0) < 100
}
