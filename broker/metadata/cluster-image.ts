import { CorruptionError } from '../../src/base/errors.ts'
import type { BrokerId, Offset } from '../../src/base/ids.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import type {
  BrokerRegistrationChangeRecord,
  RegisterBrokerRecord,
  RegisterControllerRecord,
} from '../../src/wire/records/metadata.ts'

/** An address under which a node can be reached. */
export interface Endpoint {
  readonly name: string
  readonly host: string
  readonly port: number
  /** Kafka's code: 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL. */
  readonly securityProtocol: number
}

/** The levels of one feature that a node can work with. */
export interface SupportedFeature {
  readonly name: string
  readonly minSupportedVersion: number
  readonly maxSupportedVersion: number
}

/** The endpoint that `listeners` have under this name; undefined when there is none. */
export function endpointNamed(
  listeners: readonly Endpoint[] | undefined,
  listenerName: string,
): Endpoint | undefined {
  return listeners?.find(({ name }) => name === listenerName)
}

/** One broker as the metadata log has it. Immutable: a change makes a new value. */
export interface BrokerRegistration {
  readonly id: BrokerId
  /** The offset at which this incarnation was first registered; it grows with each incarnation. */
  readonly epoch: Offset
  readonly incarnationId: Uuid
  readonly isFenced: boolean
  readonly isInControlledShutdown: boolean
  readonly rack: string | null
  readonly listeners: readonly Endpoint[]
  readonly features: readonly SupportedFeature[]
  readonly logDirs: readonly Uuid[]
  /** The offset of its newest RegisterBrokerRecord; a broker is caught up once it has replayed it. */
  readonly registrationOffset: Offset
}

/** One controller of the quorum as it registered itself. */
export interface ControllerRegistration {
  readonly id: BrokerId
  readonly incarnationId: Uuid
  readonly listeners: readonly Endpoint[]
  readonly features: readonly SupportedFeature[]
}

/** Whether the broker may lead partitions and be in their ISR: neither fenced nor shutting down. */
export function isActiveBroker(broker: BrokerRegistration | undefined): boolean {
  return broker !== undefined && !broker.isFenced && !broker.isInControlledShutdown
}

export function brokerRegistrationOf(
  record: RegisterBrokerRecord,
  offset: Offset,
): BrokerRegistration {
  return {
    id: record.brokerId,
    epoch: record.brokerEpoch,
    incarnationId: record.incarnationId,
    isFenced: record.fenced,
    isInControlledShutdown: record.inControlledShutdown,
    rack: record.rack,
    listeners: record.endPoints,
    features: record.features,
    logDirs: record.logDirs,
    registrationOffset: offset,
  }
}

export function controllerRegistrationOf(record: RegisterControllerRecord): ControllerRegistration {
  return {
    id: record.controllerId,
    incarnationId: record.incarnationId,
    listeners: record.endPoints,
    features: record.features,
  }
}

/** The broker after a BrokerRegistrationChangeRecord, whose flags are 1 to set, -1 to clear and 0 to keep. */
export function changedRegistration(
  broker: BrokerRegistration,
  change: BrokerRegistrationChangeRecord,
): BrokerRegistration {
  return {
    ...broker,
    isFenced: changedFlag(broker.isFenced, change.fenced),
    isInControlledShutdown: changedFlag(broker.isInControlledShutdown, change.inControlledShutdown),
    logDirs: change.logDirs.length > 0 ? change.logDirs : broker.logDirs,
  }
}

/** The registration that a record speaks of; throws `CorruptionError` unless id and epoch match. */
export function registrationFor(
  brokers: ReadonlyMap<BrokerId, BrokerRegistration>,
  id: BrokerId,
  epoch: Offset,
  recordType: string,
): BrokerRegistration {
  const broker = brokers.get(id)
  if (broker === undefined) {
    throw new CorruptionError(`${recordType} for broker ${id}, which is not registered`)
  }
  if (broker.epoch !== epoch) {
    throw new CorruptionError(
      `${recordType} for broker ${id} has epoch ${epoch}, its registration ${broker.epoch}`,
    )
  }
  return broker
}

function changedFlag(before: boolean, change: number): boolean {
  return change === 0 ? before : change > 0
}
