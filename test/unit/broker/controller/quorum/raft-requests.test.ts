import { describe, expect, it } from 'vitest'
import { METADATA_TOPIC_ID } from '../../../../../src/base/uuid.ts'
import { ErrorCode } from '../../../../../src/wire/error-codes.ts'
import {
  fetchApi,
  type FetchRequest,
  type FetchResponse,
} from '../../../../../src/wire/messages/01-fetch.ts'
import {
  voteApi,
  type VoteRequest,
  type VoteResponse,
} from '../../../../../src/wire/messages/52-vote.ts'
import {
  beginQuorumEpochApi,
  type BeginQuorumEpochRequest,
  type BeginQuorumEpochResponse,
} from '../../../../../src/wire/messages/53-begin-quorum-epoch.ts'
import {
  endQuorumEpochApi,
  type EndQuorumEpochRequest,
  type EndQuorumEpochResponse,
} from '../../../../../src/wire/messages/54-end-quorum-epoch.ts'
import { ZERO_UUID } from '../../../../../src/base/uuid.ts'
import { describeQuorumApi } from '../../../../../src/wire/messages/55-describe-quorum.ts'
import {
  decodeFromBuffer,
  encodeToBuffer,
  type Input,
  type MessageSchema,
} from '../../../../../src/wire/schema.ts'
import { RaftCluster } from '../../../../support/raft-cluster.ts'
import { CLUSTER_ID, type RaftNode } from '../../../../support/raft-node.ts'

const TOPIC = '__cluster_metadata'

/** A cluster of three led by node 1 in epoch 1, with a log of five records. */
function quorum() {
  const cluster = new RaftCluster({ seed: 5, voters: 3, observers: 1 })
  cluster.startAll()
  const leader = cluster.runUntilLeader()
  for (let count = 0; count < 4; count += 1) cluster.proposeTo(leader)
  cluster.runUntilConverged()
  return { cluster, leader, follower: cluster.node(2) }
}

/** Through the codec and back, as it would travel. */
function travel<T>(schema: MessageSchema<T>, version: number, value: Input<T>): T {
  return decodeFromBuffer(
    schema,
    version,
    encodeToBuffer(schema, version, value as Input<NoInfer<T>>),
  )
}

function ask<Req, Res>(
  cluster: RaftCluster,
  schemas: { readonly request: MessageSchema<Req>; readonly response: MessageSchema<Res> },
  version: number,
  body: Input<Req>,
  handle: (request: Req, respond: (response: Input<Res>) => void) => void,
): Res {
  const answers: Input<Res>[] = []
  handle(travel(schemas.request, version, body), (response) => answers.push(response))
  cluster.world.runUntil(() => answers.length > 0, 500)
  expect(answers).toHaveLength(1)
  return travel(schemas.response, version, answers[0]!)
}

interface VoteFields {
  readonly clusterId?: string | null
  readonly topicName?: string
  readonly voterId?: number
  readonly partitionIndex?: number
  readonly replicaEpoch?: number
  readonly replicaId?: number
  readonly voterDirectoryId?: string
  readonly lastOffsetEpoch?: number
  readonly lastOffset?: number
  readonly preVote?: boolean
}

function vote(cluster: RaftCluster, node: RaftNode, fields: VoteFields, version = 2): VoteResponse {
  const { clusterId = CLUSTER_ID, topicName = TOPIC, voterId = node.id, ...partition } = fields
  const body = {
    clusterId,
    ...(version === 0 ? {} : { voterId }),
    topics: [
      {
        topicName,
        partitions: [
          { replicaEpoch: 2, replicaId: 3, lastOffsetEpoch: 1, lastOffset: 5, ...partition },
        ],
      },
    ],
  }
  return ask<VoteRequest, VoteResponse>(cluster, voteApi, version, body, (request, respond) =>
    node.raft.handleVote(request, respond),
  )
}

describe('a Vote request', () => {
  it.each([
    ['another cluster', { clusterId: 'another' }, ErrorCode.INCONSISTENT_CLUSTER_ID],
    ['another topic', { topicName: 'orders' }, ErrorCode.INVALID_REQUEST],
    ['another partition', { partitionIndex: 1 }, ErrorCode.INVALID_REQUEST],
  ])('of %s is refused as a whole', (_what, fields, errorCode) => {
    const { cluster, follower } = quorum()
    expect(vote(cluster, follower, fields)).toMatchObject({ errorCode, topics: [] })
  })

  it.each([
    [
      'an old epoch',
      { replicaEpoch: 0, lastOffsetEpoch: 0, preVote: true },
      ErrorCode.FENCED_LEADER_EPOCH,
    ],
    ['a log newer than its epoch', { lastOffsetEpoch: 2 }, ErrorCode.INVALID_REQUEST],
    ['a negative offset', { lastOffset: -1 }, ErrorCode.INVALID_REQUEST],
    ['a negative log epoch', { lastOffsetEpoch: -1 }, ErrorCode.INVALID_REQUEST],
    ['a negative id', { replicaId: -1 }, ErrorCode.INVALID_REQUEST],
    ['a node that is no voter', { replicaId: 9 }, ErrorCode.INCONSISTENT_VOTER_SET],
    ['the asked node itself', { replicaId: 2 }, ErrorCode.INCONSISTENT_VOTER_SET],
  ])('with %s is refused and changes nothing', (_what, fields, errorCode) => {
    const { cluster, follower } = quorum()
    const answer = vote(cluster, follower, fields).topics[0]!.partitions[0]
    expect(answer).toMatchObject({ errorCode, voteGranted: false, leaderId: 1, leaderEpoch: 1 })
    expect(follower.raft.roleKind).toBe('follower')
  })

  it('meant for another node or directory gets INVALID_VOTER_KEY', () => {
    const { cluster, follower } = quorum()
    const wrong = [{ voterId: 3 }, { voterDirectoryId: 'AAAAAAAAAAAAAAAAAAAABQ' }]
    for (const fields of wrong) {
      const answer = vote(cluster, follower, fields).topics[0]!.partitions[0]
      expect(answer).toMatchObject({ errorCode: ErrorCode.INVALID_VOTER_KEY, voteGranted: false })
    }
  })

  it('is granted once per epoch, again to the same candidate, and only to a log as long', () => {
    const { cluster, follower } = quorum()
    const granted = (fields: VoteFields) =>
      vote(cluster, follower, fields).topics[0]!.partitions[0]!.voteGranted
    expect(granted({ lastOffset: 4 })).toBe(false)
    expect(follower.raft.epoch).toBe(2)
    expect(granted({ lastOffset: 5 })).toBe(true)
    expect(granted({ replicaId: 1, lastOffset: 9 })).toBe(false)
    expect(granted({ lastOffset: 5 })).toBe(true)
  })

  it('is answered at version 0, without endpoints', () => {
    const { cluster, follower } = quorum()
    const answer = vote(cluster, follower, { replicaEpoch: 1, lastOffsetEpoch: 0 }, 0)
    expect(answer.topics[0]!.partitions[0]).toMatchObject({ voteGranted: false, leaderId: 1 })
    expect(vote(cluster, follower, { replicaEpoch: 1, lastOffsetEpoch: 0 }).nodeEndpoints).toEqual([
      { nodeId: 1, host: 'node-1', port: 9093 },
    ])
  })

  it('for a pre-vote is refused while the leader answers, and does not raise the epoch', () => {
    const { cluster, leader, follower } = quorum()
    const preVote = { replicaEpoch: 1, preVote: true }
    const answer = vote(cluster, follower, preVote).topics[0]!.partitions[0]
    expect(answer).toMatchObject({ errorCode: ErrorCode.NONE, voteGranted: false, leaderEpoch: 1 })
    expect(vote(cluster, leader, preVote).topics[0]!.partitions[0]!.voteGranted).toBe(false)
  })

  it('is answered only when the vote is durable', () => {
    const { cluster, follower } = quorum()
    const answers: unknown[] = []
    const body = {
      clusterId: CLUSTER_ID,
      voterId: 2,
      topics: [
        {
          topicName: TOPIC,
          partitions: [{ replicaEpoch: 7, replicaId: 3, lastOffsetEpoch: 1, lastOffset: 50 }],
        },
      ],
    }
    follower.raft.handleVote(travel(voteApi.request, 2, body), (answer) => answers.push(answer))
    expect([follower.raft.epoch, answers.length]).toEqual([7, 0])
    cluster.world.runFor(50)
    expect(answers).toHaveLength(1)
  })
})

function begin(
  cluster: RaftCluster,
  node: RaftNode,
  leaderId: number,
  leaderEpoch: number,
  head: {
    readonly clusterId?: string
    readonly voterId?: number
    readonly topicName?: string
  } = {},
): BeginQuorumEpochResponse {
  const { clusterId = CLUSTER_ID, voterId = node.id, topicName = TOPIC } = head
  const topics = [{ topicName, partitions: [{ leaderId, leaderEpoch }] }]
  return ask<BeginQuorumEpochRequest, BeginQuorumEpochResponse>(
    cluster,
    beginQuorumEpochApi,
    1,
    { clusterId, voterId, topics },
    (request, respond) => node.raft.handleBeginQuorumEpoch(request, respond),
  )
}

describe('a BeginQuorumEpoch request', () => {
  it('of a newer epoch is followed', () => {
    const { cluster, follower } = quorum()
    const answer = begin(cluster, follower, 3, 4).topics[0]!.partitions[0]
    expect(answer).toMatchObject({ errorCode: ErrorCode.NONE, leaderId: 3, leaderEpoch: 4 })
    expect(follower.calls.at(-1)).toBe('leader 3 @4')
  })

  it.each([
    ['an old epoch', 3, 0, ErrorCode.FENCED_LEADER_EPOCH],
    ['a second leader of the epoch', 3, 1, ErrorCode.INVALID_REQUEST],
    ['a leader that is no voter', 9, 2, ErrorCode.INCONSISTENT_VOTER_SET],
    ['the node itself as the leader of a newer epoch', 2, 5, ErrorCode.INVALID_REQUEST],
    ['no leader', -1, 2, ErrorCode.INVALID_REQUEST],
    ['a negative epoch', 3, -1, ErrorCode.INVALID_REQUEST],
  ])('with %s is refused and changes nothing', (_what, leaderId, epoch, errorCode) => {
    const { cluster, follower } = quorum()
    const answer = begin(cluster, follower, leaderId, epoch).topics[0]!.partitions[0]
    expect(answer).toMatchObject({ errorCode, leaderId: 1, leaderEpoch: 1 })
    expect(follower.raft.leaderId).toBe(1)
  })

  it('to the wrong place is refused', () => {
    const { cluster, follower } = quorum()
    expect(begin(cluster, follower, 3, 2, { clusterId: 'x' }).errorCode).toBe(
      ErrorCode.INCONSISTENT_CLUSTER_ID,
    )
    expect(begin(cluster, follower, 3, 2, { topicName: 'orders' }).errorCode).toBe(
      ErrorCode.INVALID_REQUEST,
    )
    const stray = begin(cluster, follower, 1, 1, { voterId: 3 }).topics[0]!.partitions[0]
    expect(stray!.errorCode).toBe(ErrorCode.INVALID_VOTER_KEY)
  })

  it('of another leader of its own epoch does not move a leader', () => {
    const { cluster, leader } = quorum()
    const answer = begin(cluster, leader, 3, 1).topics[0]!.partitions[0]
    expect(answer!.errorCode).toBe(ErrorCode.INVALID_REQUEST)
    expect(leader.raft.isLeader).toBe(true)
  })
})

function end(
  cluster: RaftCluster,
  node: RaftNode,
  version: number,
  leaderEpoch: number,
  successors: readonly number[],
): EndQuorumEpochResponse {
  const named =
    version === 0
      ? { preferredSuccessors: successors }
      : { preferredCandidates: successors.map((candidateId) => ({ candidateId })) }
  const topics = [{ topicName: TOPIC, partitions: [{ leaderId: 1, leaderEpoch, ...named }] }]
  return ask<EndQuorumEpochRequest, EndQuorumEpochResponse>(
    cluster,
    endQuorumEpochApi,
    version,
    { clusterId: CLUSTER_ID, topics },
    (request, respond) => node.raft.handleEndQuorumEpoch(request, respond),
  )
}

describe('an EndQuorumEpoch request', () => {
  it.each([0, 1])('at version %i makes the first successor stand at once', (version) => {
    const { cluster, follower } = quorum()
    const answer = end(cluster, follower, version, 1, [2, 3]).topics[0]!.partitions[0]
    expect(answer!.errorCode).toBe(ErrorCode.NONE)
    expect(follower.raft.roleKind).toBe('prospective')
  })

  it('lets the next successor wait a little, and fences old epochs', () => {
    const { cluster, follower } = quorum()
    const old = end(cluster, follower, 1, 0, [2]).topics[0]!.partitions[0]
    expect(old!.errorCode).toBe(ErrorCode.FENCED_LEADER_EPOCH)
    end(cluster, follower, 1, 1, [3, 2])
    expect(follower.raft.roleKind).toBe('follower')
  })
})

interface FetchFields {
  readonly replicaId?: number
  readonly clusterId?: string
  readonly topicId?: string
  readonly partition?: number
  readonly currentLeaderEpoch?: number
  readonly fetchOffset?: number
  readonly lastFetchedEpoch?: number
  readonly highWatermark?: number
  readonly maxWaitMs?: number
  readonly partitionMaxBytes?: number
}

function fetch(
  cluster: RaftCluster,
  node: RaftNode,
  fields: FetchFields,
  version = 18,
): FetchResponse {
  const { replicaId = 102, clusterId = CLUSTER_ID, topicId = METADATA_TOPIC_ID, ...rest } = fields
  const { maxWaitMs = 0, highWatermark, ...partition } = rest
  const base = {
    currentLeaderEpoch: 1,
    fetchOffset: 5,
    lastFetchedEpoch: 1,
    partitionMaxBytes: 1_000_000,
  }
  const known = version >= 18 && highWatermark !== undefined ? { highWatermark } : {}
  const replica = version >= 15 ? { replicaState: { replicaId } } : { replicaId }
  const topic = version >= 13 ? { topicId } : { topic: TOPIC }
  const body = {
    clusterId,
    ...replica,
    maxWaitMs,
    topics: [{ ...topic, partitions: [{ ...base, ...partition, ...known }] }],
  }
  return ask<FetchRequest, FetchResponse>(cluster, fetchApi, version, body, (request, respond) =>
    node.raft.handleFetch(version, request, respond),
  )
}

function fetched(cluster: RaftCluster, node: RaftNode, fields: FetchFields, version = 18) {
  return fetch(cluster, node, fields, version).responses[0]!.partitions[0]!
}

describe('a Fetch request', () => {
  it.each([
    ['another cluster', { clusterId: 'another' }, ErrorCode.INCONSISTENT_CLUSTER_ID],
    ['another topic', { topicId: 'AAAAAAAAAAAAAAAAAAAABQ' }, ErrorCode.INVALID_REQUEST],
    ['another partition', { partition: 1 }, ErrorCode.INVALID_REQUEST],
  ])('of %s is refused as a whole', (_what, fields, errorCode) => {
    const { cluster, leader } = quorum()
    expect(fetch(cluster, leader, fields).errorCode).toBe(errorCode)
  })

  it.each([
    ['an old epoch', { currentLeaderEpoch: 0 }, ErrorCode.FENCED_LEADER_EPOCH],
    ['an epoch to come', { currentLeaderEpoch: 2 }, ErrorCode.UNKNOWN_LEADER_EPOCH],
    ['a negative offset', { fetchOffset: -1 }, ErrorCode.INVALID_REQUEST],
    ['a negative epoch', { lastFetchedEpoch: -1 }, ErrorCode.INVALID_REQUEST],
    ['a negative wait', { maxWaitMs: -1 }, ErrorCode.INVALID_REQUEST],
    ['the id of the leader', { replicaId: 1 }, ErrorCode.INVALID_REQUEST],
  ])('with %s is refused with the leader', (_what, fields, errorCode) => {
    const { cluster, leader } = quorum()
    const answer = fetched(cluster, leader, fields)
    expect(answer).toMatchObject({ errorCode, currentLeader: { leaderId: 1, leaderEpoch: 1 } })
    expect(answer.records).toHaveLength(0)
  })

  it('to a follower names the leader and where it is', () => {
    const { cluster, follower } = quorum()
    const answer = fetch(cluster, follower, {})
    expect(answer.responses[0]!.partitions[0]).toMatchObject({
      errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: 1, leaderEpoch: 1 },
    })
    expect(answer.nodeEndpoints).toMatchObject([{ nodeId: 1, host: 'node-1', port: 9093 }])
  })

  it('of a log that the leader does not have is told where the two part', () => {
    const { cluster, leader } = quorum()
    const ahead = fetched(cluster, leader, { fetchOffset: 9 })
    expect(ahead.divergingEpoch).toEqual({ epoch: 1, endOffset: 5 })
    const alien = fetched(cluster, leader, { fetchOffset: 3, lastFetchedEpoch: 4 })
    expect(alien.divergingEpoch).toEqual({ epoch: 1, endOffset: 5 })
    expect([ahead.records, alien.records]).toEqual([Buffer.alloc(0), Buffer.alloc(0)])
  })

  it('gets whole batches from the start, bounded but never none', () => {
    const { cluster, leader } = quorum()
    const all = fetched(cluster, leader, { fetchOffset: 0, lastFetchedEpoch: 0 })
    const one = fetched(cluster, leader, {
      fetchOffset: 0,
      lastFetchedEpoch: 0,
      partitionMaxBytes: 1,
    })
    expect(all.highWatermark).toBe(5)
    expect(one.records!.length).toBeGreaterThan(0)
    expect(all.records!.length).toBeGreaterThan(one.records!.length)
  })

  it('is held until there is a record, a higher high watermark or the time is over', () => {
    const { cluster, leader } = quorum()
    const { scheduler } = cluster.world
    const before = scheduler.nowMs
    const idle = fetched(cluster, leader, { maxWaitMs: 70, highWatermark: 5 })
    expect(idle.records).toHaveLength(0)
    expect(Math.round(scheduler.nowMs - before)).toBe(70)
    const behind = scheduler.nowMs
    expect(fetched(cluster, leader, { maxWaitMs: 70, highWatermark: 4 }).highWatermark).toBe(5)
    expect(scheduler.nowMs).toBe(behind)
    leader.ports.clock.after(10, 'append', () => void cluster.proposeTo(leader))
    const woken = fetched(cluster, leader, { maxWaitMs: 70, highWatermark: 5 })
    expect(woken.records!.length).toBeGreaterThan(0)
    expect(Math.round(scheduler.nowMs - behind)).toBe(10)
  })

  it('is answered when the leader resigns, and when the replica asks again', () => {
    const { cluster, leader } = quorum()
    const errors: (number | undefined)[] = []
    const body = {
      replicaState: { replicaId: 102 },
      maxWaitMs: 400,
      topics: [
        {
          topicId: METADATA_TOPIC_ID,
          partitions: [{ currentLeaderEpoch: 1, fetchOffset: 5, lastFetchedEpoch: 1 }],
        },
      ],
    }
    const send = (): void =>
      leader.raft.handleFetch(18, travel(fetchApi.request, 18, body), (answer) => {
        errors.push(answer.responses?.[0]?.partitions?.[0]?.errorCode)
      })
    send()
    expect(errors).toEqual([])
    send()
    expect(errors).toEqual([ErrorCode.NONE])
    leader.raft.stop()
    expect(errors).toEqual([ErrorCode.NONE, ErrorCode.NOT_LEADER_OR_FOLLOWER])
    cluster.runUntilLeader()
  })

  it.each([12, 13, 16])('is understood at version %i', (version) => {
    const { cluster, leader } = quorum()
    const answer = fetched(cluster, leader, { fetchOffset: 1 }, version)
    expect(answer).toMatchObject({ errorCode: ErrorCode.NONE, highWatermark: 5 })
  })

  it('without a replica id sees only what is committed, and is not held', () => {
    const { cluster, leader } = quorum()
    cluster.isolate(1)
    cluster.proposeTo(leader)
    const consumer = { replicaId: -1, maxWaitMs: 400, fetchOffset: 5 }
    expect(fetched(cluster, leader, consumer).records).toHaveLength(0)
    expect(fetched(cluster, leader, { fetchOffset: 5 }).records!.length).toBeGreaterThan(0)
  })
})

describe('a DescribeQuorum request', () => {
  const request = { topics: [{ topicName: TOPIC, partitions: [{ partitionIndex: 0 }] }] }

  it.each([0, 1, 2])('at version %i shows voters and observers on the leader', (version) => {
    const { cluster, leader } = quorum()
    cluster.world.runFor(300)
    const answer = travel(
      describeQuorumApi.response,
      version,
      leader.raft.describe(travel(describeQuorumApi.request, version, request), version),
    )
    const partition = answer.topics[0]!.partitions[0]!
    expect(partition).toMatchObject({ errorCode: 0, leaderId: 1, leaderEpoch: 1, highWatermark: 5 })
    expect(partition.currentVoters.map((voter) => [voter.replicaId, voter.logEndOffset])).toEqual([
      [1, 5],
      [2, 5],
      [3, 5],
    ])
    expect(partition.observers.map((observer) => observer.replicaId)).toEqual([101])
    // Voters that the configuration names have no directory id, as in Kafka with kraft.version 0.
    const directories = partition.currentVoters.map((voter) => voter.replicaDirectoryId)
    expect(new Set(directories)).toEqual(new Set([ZERO_UUID]))
    expect(answer.nodes).toHaveLength(version < 2 ? 0 : 3)
  })

  it('is refused by a follower and for other topics', () => {
    const { leader, follower } = quorum()
    const there = follower.raft.describe(travel(describeQuorumApi.request, 2, request), 2)
    expect(there.topics?.[0]?.partitions?.[0]).toMatchObject({
      errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
      leaderId: 1,
    })
    const other = { topics: [{ topicName: 'orders', partitions: [{ partitionIndex: 3 }] }] }
    const unknown = leader.raft.describe(travel(describeQuorumApi.request, 2, other), 2)
    expect(unknown.topics?.[0]?.partitions?.[0]).toMatchObject({
      partitionIndex: 3,
      errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      errorMessage: 'This server does not host this topic-partition.',
    })
    expect(unknown.nodes).toBeUndefined()
    const both = { topics: [...request.topics, ...other.topics] }
    const refused = leader.raft.describe(travel(describeQuorumApi.request, 2, both), 2)
    expect(refused.topics?.map(({ partitions }) => partitions?.[0]?.errorCode)).toEqual([3, 3])
  })
})

describe('a node that has stopped', () => {
  it('answers BROKER_NOT_AVAILABLE', () => {
    const { cluster, follower } = quorum()
    follower.raft.stop()
    expect(fetch(cluster, follower, {}).errorCode).toBe(ErrorCode.BROKER_NOT_AVAILABLE)
    expect(vote(cluster, follower, {}).errorCode).toBe(ErrorCode.BROKER_NOT_AVAILABLE)
  })
})
