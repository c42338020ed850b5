import type { BrokerId, Offset, TimestampMs } from '../base/ids.ts'
import { assert } from '../base/assert.ts'
import type { Uuid } from '../base/uuid.ts'
import { describeQuorumApi } from '../wire/messages/55-describe-quorum.ts'
import { addRaftVoterApi } from '../wire/messages/80-add-raft-voter.ts'
import { removeRaftVoterApi } from '../wire/messages/81-remove-raft-voter.ts'
import type { AdminChannel } from './admin-channel.ts'
import { firstProblem } from './kafka-error.ts'

const METADATA_TOPIC = '__cluster_metadata'

export interface QuorumReplica {
  readonly id: BrokerId
  readonly directoryId: Uuid
  readonly logEndOffset: Offset
  /** -1 when it is not known. */
  readonly lastFetchMs: TimestampMs
  readonly lastCaughtUpMs: TimestampMs
}

export interface QuorumEndpoint {
  /** Of the listener. */
  readonly name: string
  readonly host: string
  readonly port: number
}

export interface QuorumDescription {
  readonly leaderId: BrokerId
  readonly leaderEpoch: number
  readonly highWatermark: Offset
  readonly voters: readonly QuorumReplica[]
  readonly observers: readonly QuorumReplica[]
  /** Listeners of the voters by id; empty when the broker is too old to tell. */
  readonly endpoints: ReadonlyMap<BrokerId, readonly QuorumEndpoint[]>
}

/** The metadata quorum: who votes, how far everybody is, changes of its voters (KIP-853). */
export class AdminQuorum {
  readonly #channel: AdminChannel

  constructor(channel: AdminChannel) {
    this.#channel = channel
  }

  async describe(): Promise<QuorumDescription> {
    const { body } = await this.#channel.request({
      what: 'describe the metadata quorum',
      to: 'controller',
      api: describeQuorumApi,
      body: () => ({
        topics: [{ topicName: METADATA_TOPIC, partitions: [{ partitionIndex: 0 }] }],
      }),
      check: (response) =>
        firstProblem([response, ...response.topics.flatMap(({ partitions }) => partitions)]),
    })
    const partition = body.topics[0]?.partitions[0]
    assert(partition !== undefined, 'DescribeQuorum answers the partition that it was asked for')
    return {
      leaderId: partition.leaderId,
      leaderEpoch: partition.leaderEpoch,
      highWatermark: partition.highWatermark,
      voters: partition.currentVoters.map(quorumReplica),
      observers: partition.observers.map(quorumReplica),
      endpoints: new Map(body.nodes.map(({ nodeId, listeners }) => [nodeId, listeners])),
    }
  }

  async addVoter(
    id: BrokerId,
    directoryId: Uuid,
    endpoints: readonly QuorumEndpoint[],
  ): Promise<void> {
    await this.#channel.request({
      what: `add voter ${id}`,
      to: 'controller',
      api: addRaftVoterApi,
      body: () => ({
        clusterId: null,
        timeoutMs: this.#channel.cluster.requestTimeoutMs,
        voterId: id,
        voterDirectoryId: directoryId,
        listeners: endpoints.map(({ name, host, port }) => ({ name, host, port })),
      }),
      check: (response) => firstProblem([response]),
    })
  }

  async removeVoter(id: BrokerId, directoryId: Uuid): Promise<void> {
    await this.#channel.request({
      what: `remove voter ${id}`,
      to: 'controller',
      api: removeRaftVoterApi,
      body: () => ({ clusterId: null, voterId: id, voterDirectoryId: directoryId }),
      check: (response) => firstProblem([response]),
    })
  }
}

function quorumReplica(replica: {
  readonly replicaId: number
  readonly replicaDirectoryId: string
  readonly logEndOffset: number
  readonly lastFetchTimestamp: number
  readonly lastCaughtUpTimestamp: number
}): QuorumReplica {
  return {
    id: replica.replicaId,
    directoryId: replica.replicaDirectoryId,
    logEndOffset: replica.logEndOffset,
    lastFetchMs: replica.lastFetchTimestamp,
    lastCaughtUpMs: replica.lastCaughtUpTimestamp,
  }
}
