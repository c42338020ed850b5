import { unreachable } from '../../src/base/assert.ts'
import { CorruptionError } from '../../src/base/errors.ts'
import type { BrokerId, LeaderEpoch, Offset, ProducerId } from '../../src/base/ids.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import type { MetadataRecord } from '../../src/wire/records/metadata.ts'
import {
  brokerRegistrationOf,
  changedRegistration,
  controllerRegistrationOf,
  registrationFor,
  type BrokerRegistration,
  type ControllerRegistration,
} from './cluster-image.ts'
import { ClientQuotasImage } from './client-quotas-image.ts'
import { ConfigsImage, ResourceType } from './configs-image.ts'
import type { PartitionState } from './partition-state.ts'
import { TopicsImage, type TopicImage } from './topics-image.ts'

export type { BrokerRegistration } from './cluster-image.ts'
export type { PartitionState } from './partition-state.ts'
export type { TopicImage } from './topics-image.ts'

/** Told of each change at the moment it is applied. */
export interface ImageObserver {
  onPartition(state: PartitionState): void
  onTopicRemoved(topic: TopicImage): void
  onBroker(id: BrokerId): void
  onConfig(resourceType: number, resourceName: string): void
  onFeature(name: string): void
}

interface HeldRecord {
  readonly record: MetadataRecord
  readonly offset: Offset
}

/**
 * The cluster as a prefix of the metadata log describes it: the fold of its records.
 * Records between BeginTransaction and EndTransaction (KIP-868) take effect together at the end, or never.
 * A record that contradicts the state throws `CorruptionError`.
 */
export class MetadataImage {
  readonly brokers = new Map<BrokerId, BrokerRegistration>()
  readonly controllers = new Map<BrokerId, ControllerRegistration>()
  /** Finalized level by feature name; a level of 0 is not kept. */
  readonly features = new Map<string, number>()
  nextProducerId: ProducerId = 0
  /** Offset and epoch of the newest record seen; -1 before the first. */
  lastOffset: Offset = -1
  lastEpoch: LeaderEpoch = -1
  #topics = new TopicsImage()
  #configs = new ConfigsImage()
  #clientQuotas = new ClientQuotasImage()
  #held: HeldRecord[] | null = null

  get topicsById(): ReadonlyMap<Uuid, TopicImage> {
    return this.#topics.byId
  }

  get topicsByName(): ReadonlyMap<string, TopicImage> {
    return this.#topics.byName
  }

  get configs(): ConfigsImage {
    return this.#configs
  }

  get clientQuotas(): ClientQuotasImage {
    return this.#clientQuotas
  }

  /** Whether a metadata transaction has begun and not ended; its records are held back. */
  get isInTransaction(): boolean {
    return this.#held !== null
  }

  partition(topic: string, index: number): PartitionState | null {
    return this.#topics.byName.get(topic)?.partitions.get(index) ?? null
  }

  topicConfig(name: string): ReadonlyMap<string, string> {
    return this.#configs.of(ResourceType.TOPIC, name)
  }

  /** An independent copy. Takes time by topics and partitions; registrations, partition states and configs are shared. */
  clone(): MetadataImage {
    const copy = new MetadataImage()
    for (const [id, broker] of this.brokers) copy.brokers.set(id, broker)
    for (const [id, controller] of this.controllers) copy.controllers.set(id, controller)
    for (const [name, level] of this.features) copy.features.set(name, level)
    copy.nextProducerId = this.nextProducerId
    copy.lastOffset = this.lastOffset
    copy.lastEpoch = this.lastEpoch
    copy.#topics = this.#topics.clone()
    copy.#configs = this.#configs.clone()
    copy.#clientQuotas = this.#clientQuotas.clone()
    copy.#held = this.#held === null ? null : [...this.#held]
    return copy
  }

  /** Applies one record. Without `offset` it is taken to follow the last one. */
  apply(
    record: MetadataRecord,
    offset: Offset = this.lastOffset + 1,
    epoch: LeaderEpoch = this.lastEpoch,
    observer: ImageObserver | null = null,
  ): void {
    this.lastOffset = offset
    this.lastEpoch = epoch
    if (record.type === 'BeginTransactionRecord') this.#begin()
    else if (record.type === 'EndTransactionRecord') this.#end(observer)
    else if (record.type === 'AbortTransactionRecord') this.#abort()
    else if (this.#held !== null) this.#held.push({ record, offset })
    else this.#replay(record, offset, observer)
  }

  #begin(): void {
    if (this.#held !== null) throw new CorruptionError('a metadata transaction begins within one')
    this.#held = []
  }

  #end(observer: ImageObserver | null): void {
    const held = this.#held
    if (held === null) throw new CorruptionError('a metadata transaction ends that did not begin')
    this.#held = null
    for (const { record, offset } of held) this.#replay(record, offset, observer)
  }

  #abort(): void {
    if (this.#held === null) {
      throw new CorruptionError('a metadata transaction is aborted that did not begin')
    }
    this.#held = null
  }

  #replay(record: MetadataRecord, offset: Offset, observer: ImageObserver | null): void {
    switch (record.type) {
      case 'RegisterBrokerRecord':
      case 'UnregisterBrokerRecord':
      case 'FenceBrokerRecord':
      case 'UnfenceBrokerRecord':
      case 'BrokerRegistrationChangeRecord': {
        const id = this.#replayBroker(record, offset)
        observer?.onBroker(id)
        return
      }
      case 'TopicRecord':
        this.#topics.addTopic(record.data)
        return
      case 'RemoveTopicRecord':
        this.#removeTopic(record.data.topicId, observer)
        return
      case 'PartitionRecord': {
        const state = this.#topics.addPartition(record.data)
        observer?.onPartition(state)
        return
      }
      case 'PartitionChangeRecord': {
        const state = this.#topics.changePartition(record.data)
        observer?.onPartition(state)
        return
      }
      case 'ConfigRecord':
        this.#configs.apply(record.data)
        observer?.onConfig(record.data.resourceType, record.data.resourceName)
        return
      case 'FeatureLevelRecord':
        this.#setFeature(record.data.name, record.data.featureLevel)
        observer?.onFeature(record.data.name)
        return
      default:
        this.#replayOther(record)
    }
  }

  #replayBroker(record: BrokerRecord, offset: Offset): BrokerId {
    switch (record.type) {
      case 'RegisterBrokerRecord':
        this.brokers.set(record.data.brokerId, brokerRegistrationOf(record.data, offset))
        return record.data.brokerId
      case 'UnregisterBrokerRecord': {
        const { brokerId, brokerEpoch } = record.data
        registrationFor(this.brokers, brokerId, brokerEpoch, record.type)
        this.brokers.delete(brokerId)
        return brokerId
      }
      case 'FenceBrokerRecord':
      case 'UnfenceBrokerRecord': {
        const { id, epoch } = record.data
        const broker = registrationFor(this.brokers, id, epoch, record.type)
        this.brokers.set(id, { ...broker, isFenced: record.type === 'FenceBrokerRecord' })
        return id
      }
      case 'BrokerRegistrationChangeRecord': {
        const { brokerId, brokerEpoch } = record.data
        const broker = registrationFor(this.brokers, brokerId, brokerEpoch, record.type)
        this.brokers.set(brokerId, changedRegistration(broker, record.data))
        return brokerId
      }
      default:
        return unreachable(record)
    }
  }

  #removeTopic(id: Uuid, observer: ImageObserver | null): void {
    const topic = this.#topics.removeTopic(id)
    this.#configs.remove(ResourceType.TOPIC, topic.name)
    observer?.onTopicRemoved(topic)
  }

  #setFeature(name: string, level: number): void {
    if (level === 0) this.features.delete(name)
    else this.features.set(name, level)
  }

  #replayOther(record: MetadataRecord): void {
    switch (record.type) {
      case 'ProducerIdsRecord':
        this.nextProducerId = record.data.nextProducerId
        return
      case 'RegisterControllerRecord':
        this.controllers.set(record.data.controllerId, controllerRegistrationOf(record.data))
        return
      case 'UnregisterControllerRecord':
        this.controllers.delete(record.data.controllerId)
        return
      case 'NoOpRecord':
        return
      case 'ClientQuotaRecord':
        this.#clientQuotas.apply(record.data)
        return
      // Not used yet: security and ELR are not served, and nothing in this image depends on them.
      case 'AccessControlEntryRecord':
      case 'RemoveAccessControlEntryRecord':
      case 'UserScramCredentialRecord':
      case 'RemoveUserScramCredentialRecord':
      case 'DelegationTokenRecord':
      case 'RemoveDelegationTokenRecord':
      case 'ZkMigrationStateRecord':
      case 'ClearElrRecord':
        return
      default:
        throw new CorruptionError(`metadata record of type ${record.type} cannot be replayed`)
    }
  }
}

type BrokerRecord = Extract<
  MetadataRecord,
  {
    type:
      | 'RegisterBrokerRecord'
      | 'UnregisterBrokerRecord'
      | 'FenceBrokerRecord'
      | 'UnfenceBrokerRecord'
      | 'BrokerRegistrationChangeRecord'
  }
>
