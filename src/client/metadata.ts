import type { BrokerId, LeaderEpoch } from '../base/ids.ts'
import { ZERO_UUID, type Uuid } from '../base/uuid.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import type { MetadataResponse } from '../wire/messages/03-metadata.ts'

export interface ClusterNode {
  readonly id: BrokerId
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface PartitionMetadata {
  readonly partition: number
  /** -1 when there is none. */
  readonly leader: BrokerId
  /** -1 when the broker is too old to tell. */
  readonly leaderEpoch: LeaderEpoch
  readonly replicas: readonly BrokerId[]
  readonly isr: readonly BrokerId[]
  readonly offlineReplicas: readonly BrokerId[]
  readonly errorCode: number
}

export interface TopicMetadata {
  readonly name: string
  /** `ZERO_UUID` when the broker is too old to tell. */
  readonly id: Uuid
  readonly isInternal: boolean
  /** In order of partition. */
  readonly partitions: readonly PartitionMetadata[]
}

const MAX_REMEMBERED_TOPICS = 10_000

type WireTopic = MetadataResponse['topics'][number]
type WirePartition = WireTopic['partitions'][number]

/**
 * What a client knows of a cluster. A partition's leader epoch never goes back as long as the topic keeps
 * its id: an answer of a broker that lags does not undo a newer one (Metadata.updateLatestMetadata, KIP-320).
 */
export class Metadata {
  clusterId: string | null = null
  controllerId: BrokerId = -1
  #nodes: ReadonlyMap<BrokerId, ClusterNode> = new Map()
  readonly #topics = new Map<string, TopicMetadata>()
  readonly #namesById = new Map<Uuid, string>()
  readonly #errors = new Map<string, number>()
  /** The newest seen of every topic, also of those that an answer denied since: a broker may lag there too. */
  readonly #seen = new Map<string, TopicMetadata>()

  /** Empty until the first answer. */
  get nodes(): ReadonlyMap<BrokerId, ClusterNode> {
    return this.#nodes
  }

  get topics(): ReadonlyMap<string, TopicMetadata> {
    return this.#topics
  }

  topic(name: string): TopicMetadata | null {
    return this.#topics.get(name) ?? null
  }

  /** Also of a topic that an answer has denied since: what is under way by its id is still about it. */
  topicName(id: Uuid): string | null {
    return this.#namesById.get(id) ?? null
  }

  partition(topic: string, partition: number): PartitionMetadata | null {
    const found = this.#topics.get(topic)?.partitions[partition]
    return found?.partition === partition ? found : null
  }

  /** Error code of the newest answer about a topic. */
  errorOf(topic: string): number {
    return this.#errors.get(topic) ?? ErrorCode.NONE
  }

  /** Takes over an answer. `isFull`: topics that are not in it are gone. */
  apply(response: MetadataResponse, isFull: boolean): void {
    this.clusterId = response.clusterId
    this.controllerId = response.controllerId
    this.#nodes = new Map(
      response.brokers.map(({ nodeId, host, port, rack }) => [
        nodeId,
        { id: nodeId, host, port, rack },
      ]),
    )
    if (isFull) this.#retain(new Set(response.topics.map((topic) => topic.name ?? '')))
    for (const topic of response.topics) {
      if (topic.name !== null && topic.name !== '') this.#applyTopic(topic.name, topic)
    }
  }

  /** A newer leader told by a Produce or Fetch answer (KIP-951). False when it is not newer. */
  updateLeader(
    topic: string,
    partition: number,
    leader: BrokerId,
    leaderEpoch: LeaderEpoch,
  ): boolean {
    const known = this.#topics.get(topic)
    const old = this.partition(topic, partition)
    if (known === undefined || old === null) return false
    const isNewer =
      leaderEpoch > old.leaderEpoch || (leaderEpoch === old.leaderEpoch && old.leader < 0)
    if (leader < 0 || !isNewer) return false
    const partitions = known.partitions.map((each) =>
      each === old ? { ...old, leader, leaderEpoch, errorCode: ErrorCode.NONE } : each,
    )
    this.#remember({ ...known, partitions })
    return true
  }

  /**
   * A leader of this epoch exists, as a committed offset tells: the one that is known, if it is older, is asked
   * no more, for it may not know that it was replaced (Metadata.updateLastSeenEpochIfNewer, KIP-320). True when
   * the partition has to be asked for anew.
   */
  updateLastSeenEpoch(topic: string, partition: number, leaderEpoch: LeaderEpoch): boolean {
    const known = this.#topics.get(topic)
    const old = this.partition(topic, partition)
    if (known === undefined || old === null || leaderEpoch <= old.leaderEpoch) return false
    const partitions = known.partitions.map((each) =>
      each === old ? { ...old, leader: -1, leaderEpoch } : each,
    )
    this.#remember({ ...known, partitions })
    return true
  }

  /** Adds brokers told outside a Metadata answer. */
  learnNodes(nodes: readonly ClusterNode[]): void {
    this.#nodes = new Map([...this.#nodes, ...nodes.map((node) => [node.id, node] as const)])
  }

  /** Forgets the brokers, so that the next request goes to a bootstrap server. Topics and epochs stay. */
  forgetNodes(): void {
    this.#nodes = new Map()
    this.controllerId = -1
  }

  #applyTopic(name: string, topic: WireTopic): void {
    this.#errors.set(name, topic.errorCode)
    const isGone =
      topic.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION ||
      topic.errorCode === ErrorCode.UNKNOWN_TOPIC_ID
    if (isGone) {
      this.#topics.delete(name)
      return
    }
    if (topic.errorCode !== ErrorCode.NONE) return
    const old = this.#seen.get(name)
    const isSame = old === undefined || old.id === topic.topicId || old.id === ZERO_UUID
    if (!isSame) {
      this.#topics.delete(name)
      this.#namesById.delete(old.id)
    }
    const partitions = [...topic.partitions]
      .sort((a, b) => a.partitionIndex - b.partitionIndex)
      .map((each) => newer(isSame ? old?.partitions[each.partitionIndex] : undefined, each))
    const { topicId, isInternal } = topic
    this.#remember({ name, id: topicId, isInternal, partitions })
  }

  #remember(topic: TopicMetadata): void {
    this.#topics.set(topic.name, topic)
    this.#seen.delete(topic.name)
    this.#seen.set(topic.name, topic)
    if (topic.id !== ZERO_UUID) this.#namesById.set(topic.id, topic.name)
    for (const { name, id } of this.#seen.values()) {
      if (this.#seen.size <= MAX_REMEMBERED_TOPICS) return
      this.#seen.delete(name)
      this.#namesById.delete(id)
    }
  }

  #retain(names: ReadonlySet<string>): void {
    for (const name of [...this.#topics.keys()]) if (!names.has(name)) this.#topics.delete(name)
    for (const name of [...this.#errors.keys()]) if (!names.has(name)) this.#errors.delete(name)
  }
}

function newer(old: PartitionMetadata | undefined, given: WirePartition): PartitionMetadata {
  if (old !== undefined && given.leaderEpoch >= 0 && given.leaderEpoch < old.leaderEpoch) return old
  return {
    partition: given.partitionIndex,
    leader: given.leaderId,
    leaderEpoch: given.leaderEpoch,
    replicas: given.replicaNodes,
    isr: given.isrNodes,
    offlineReplicas: given.offlineReplicas,
    errorCode: given.errorCode,
  }
}
