import { ClientConnection } from '../../client/connection.ts'
import type { NodeEvent } from '../../ports/events.ts'
import { NodeClock } from '../../real/node-clock.ts'
import { NodeNetwork } from '../../real/node-network.ts'
import { ErrorCode } from '../../wire/error-codes.ts'
import { metadataApi, type MetadataResponse } from '../../wire/messages/03-metadata.ts'
import { findCoordinatorApi } from '../../wire/messages/10-find-coordinator.ts'
import {
  describeQuorumApi,
  type DescribeQuorumResponse,
} from '../../wire/messages/55-describe-quorum.ts'
import type { Api, Input } from '../../wire/schema.ts'
import type { StageNode } from './stage-node.ts'

const METADATA_VERSION = 9
const QUORUM_VERSION = 1
const COORDINATOR_VERSION = 4
const EVERY_MS = 100
const TIMEOUT_MS = 1000
const CLIENT_ID = 'watch'

export interface WatchedPartition {
  readonly topic: string
  readonly partition: number
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

/** What all nodes that answered say, put together. */
export interface ClusterPicture {
  /** `performance.now()` before the first question was asked. */
  readonly askedMs: number
  /** Node id; -1 when nobody says that it is the active controller. */
  readonly controller: number
  /** By `topic-partition`. */
  readonly partitions: ReadonlyMap<string, WatchedPartition>
  /** Ids of nodes that answered. */
  readonly answering: readonly number[]
  readonly unfenced: readonly number[]
}

const NOTHING: ClusterPicture = {
  askedMs: 0,
  controller: -1,
  partitions: new Map(),
  answering: [],
  unfenced: [],
}

/**
 * Follows a cluster from outside, by Metadata and DescribeQuorum of every node: who leads, who is in sync, who is the
 * active controller. It dials the nodes themselves, so what is cut for everybody else is open to it.
 */
export class ClusterWatch {
  readonly #nodes: readonly StageNode[]
  readonly #onEvent: (event: NodeEvent) => void
  readonly #network = new NodeNetwork()
  readonly #clock = new NodeClock()
  readonly #connections = new Map<string, ClientConnection>()
  #picture = NOTHING
  #isClosed = false
  #timer: NodeJS.Timeout | null = null

  /** `onEvent` hears `watch.partition` and `watch.controller` whenever they change. */
  constructor(nodes: readonly StageNode[], onEvent: (event: NodeEvent) => void) {
    this.#nodes = nodes
    this.#onEvent = onEvent
  }

  /** The last complete look. */
  get picture(): ClusterPicture {
    return this.#picture
  }

  /** Looks again and again until `close`. */
  start(): void {
    const look = async (): Promise<void> => {
      await this.look()
      if (!this.#isClosed) this.#timer = setTimeout(() => void look(), EVERY_MS)
    }
    void look()
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    for (const connection of this.#connections.values()) connection.close()
    this.#connections.clear()
  }

  /** One look at all nodes that run. */
  async look(): Promise<ClusterPicture> {
    const askedMs = performance.now()
    const running = this.#nodes.filter(({ isUp, isPaused }) => isUp && !isPaused)
    const [quorums, metadata] = await Promise.all([
      Promise.all(running.map((node) => this.#quorum(node))),
      Promise.all(running.map((node) => this.#metadata(node))),
    ])
    if (this.#isClosed) return this.#picture
    const controller = activeController(quorums)
    const answers = running.flatMap(({ id }, index) => {
      const answer = metadata[index] ?? null
      return answer === null ? [] : [{ id, answer }]
    })
    // What the active controller's own node says is newest; the others only fill in.
    answers.sort((a, b) => Number(b.id === controller) - Number(a.id === controller))
    const next: ClusterPicture = {
      askedMs,
      controller,
      partitions: newestPartitions(answers.map(({ answer }) => answer)),
      answering: answers.map(({ id }) => id).sort((a, b) => a - b),
      unfenced: (answers[0]?.answer.brokers ?? [])
        .map(({ nodeId }) => nodeId)
        .sort((a, b) => a - b),
    }
    this.#tell(next)
    this.#picture = next
    return next
  }

  /** Node id of the group's coordinator; -1 when nobody knows. */
  async coordinatorOf(groupId: string): Promise<number> {
    const body = { keyType: 0, coordinatorKeys: [groupId] }
    for (const node of this.#nodes.filter(({ isUp, isPaused }) => isUp && !isPaused)) {
      const { port } = node.addresses.client
      const answer = await this.#ask(node, port, findCoordinatorApi, COORDINATOR_VERSION, body)
      const [found] = answer?.coordinators ?? []
      if (found !== undefined && found.errorCode === ErrorCode.NONE) return found.nodeId
    }
    return -1
  }

  #quorum(node: StageNode): Promise<DescribeQuorumResponse | null> {
    const { controller } = node.addresses
    if (controller === null) return Promise.resolve(null)
    const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
    return this.#ask(node, controller.port, describeQuorumApi, QUORUM_VERSION, { topics })
  }

  #metadata(node: StageNode): Promise<MetadataResponse | null> {
    const { client } = node.addresses
    const body = { topics: null, allowAutoTopicCreation: false }
    return this.#ask(node, client.port, metadataApi, METADATA_VERSION, body)
  }

  #ask<Req, Res>(
    node: StageNode,
    port: number,
    api: Api<Req, Res>,
    version: number,
    body: NoInfer<Input<Req>>,
  ): Promise<Res | null> {
    const connection = this.#connection(node, port)
    return new Promise((resolve) => {
      connection.request(api, version, body, TIMEOUT_MS, (_, response) => {
        resolve(response)
      })
    })
  }

  #connection(node: StageNode, port: number): ClientConnection {
    const key = `${node.name}:${port}`
    const open = this.#connections.get(key)
    if (open !== undefined) return open
    const connection = new ClientConnection({
      network: this.#network,
      clock: this.#clock,
      address: { host: node.addresses.host, port },
      clientId: CLIENT_ID,
      onClosed: () => {
        if (this.#connections.get(key) === connection) this.#connections.delete(key)
      },
    })
    this.#connections.set(key, connection)
    return connection
  }

  #tell(next: ClusterPicture): void {
    for (const [key, found] of next.partitions) {
      const before = this.#picture.partitions.get(key)
      if (before !== undefined && stateOf(before) === stateOf(found)) continue
      const { topic, partition, leader, leaderEpoch, isr } = found
      this.#emit('watch.partition', { topic, partition, leader, leaderEpoch, isr })
    }
    const { controller } = next
    if (controller !== -1 && controller !== this.#lastController) {
      this.#lastController = controller
      this.#emit('watch.controller', { controller })
    }
  }

  #lastController = -1

  #emit(kind: string, fields: NodeEvent['fields']): void {
    this.#onEvent({ atMs: this.#clock.monoMs(), node: CLIENT_ID, kind, fields })
  }
}

/** Of those that say they lead the quorum, the one in the highest epoch. */
function activeController(answers: readonly (DescribeQuorumResponse | null)[]): number {
  let leader = -1
  let highest = -1
  for (const answer of answers) {
    const state = answer?.topics[0]?.partitions[0]
    if (state === undefined || state.errorCode !== ErrorCode.NONE) continue
    if (state.leaderEpoch <= highest) continue
    highest = state.leaderEpoch
    leader = state.leaderId
  }
  return leader
}

/** Of each partition the state in the highest leader epoch; of equal ones the first that was given. */
function newestPartitions(
  answers: readonly MetadataResponse[],
): ReadonlyMap<string, WatchedPartition> {
  const newest = new Map<string, WatchedPartition>()
  for (const { topics } of answers) {
    for (const { name, partitions } of topics) {
      for (const each of partitions) {
        const key = `${name ?? ''}-${each.partitionIndex}`
        const known = newest.get(key)
        if (known !== undefined && known.leaderEpoch >= each.leaderEpoch) continue
        newest.set(key, {
          topic: name ?? '',
          partition: each.partitionIndex,
          leader: each.leaderId,
          leaderEpoch: each.leaderEpoch,
          replicas: each.replicaNodes,
          isr: each.isrNodes,
        })
      }
    }
  }
  return newest
}

function stateOf({ leader, leaderEpoch, isr }: WatchedPartition): string {
  return `${leader} ${leaderEpoch} ${[...isr].sort((a, b) => a - b).join(',')}`
}
