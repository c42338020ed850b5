import type { BrokerId, LeaderEpoch, Offset } from '../../../src/base/ids.ts'
import { METADATA_TOPIC_ID, type Uuid } from '../../../src/base/uuid.ts'
import { ErrorCode } from '../../../src/wire/error-codes.ts'
import type {
  FetchPartition,
  FetchRequest,
  FetchResponse,
} from '../../../src/wire/messages/01-fetch.ts'
import type { Input } from '../../../src/wire/schema.ts'
import type { Leader } from './leader.ts'
import { METADATA_TOPIC } from '../../metadata/topic-name.ts'
import { METADATA_PARTITION } from './quorum-messages.ts'
import type { RaftContext } from './raft-context.ts'
import type { EpochEnd } from './raft-log.ts'

const TOPIC_ID_VERSION = 13
const REPLICA_STATE_VERSION = 15
const LEADER_HINT_VERSION = 12
const ENDPOINTS_VERSION = 16
/** Fetches that may wait; one more is answered at once. */
const MAX_WAITING = 1000
const EMPTY = Buffer.alloc(0)

type Respond = (response: Input<FetchResponse>) => void

interface Fetch {
  readonly version: number
  readonly replicaId: BrokerId
  readonly directoryId: Uuid
  readonly epoch: LeaderEpoch
  readonly offset: Offset
  readonly lastEpoch: LeaderEpoch
  readonly maxBytes: number
  /** What the replica knows to be committed; `Infinity` when it does not say (before version 18, KIP-1166). */
  readonly highWatermark: Offset
  readonly deadlineMs: number
  readonly respond: Respond
}

/**
 * Serves the log to followers and observers. A fetch that has nothing to return waits until there are
 * records or a higher high watermark, at most one per replica.
 */
export class FetchServer {
  readonly #context: RaftContext
  readonly #waiting = new Map<BrokerId, Fetch>()
  /** The leadership in which the waiting fetches came. */
  #leader: Leader | null = null

  constructor(context: RaftContext) {
    this.#context = context
  }

  handle(version: number, request: FetchRequest, respond: Respond): void {
    const { clusterId } = this.#context
    if (request.clusterId !== null && request.clusterId !== clusterId) {
      return this.#answer(respond, { errorCode: ErrorCode.INCONSISTENT_CLUSTER_ID })
    }
    const partition = metadataPartition(version, request)
    if (partition === null) return this.#answer(respond, { errorCode: ErrorCode.INVALID_REQUEST })
    const fetch = this.#fetchOf(version, request, partition, respond)
    const errorCode = this.#refusal(fetch, request.maxWaitMs)
    if (errorCode !== ErrorCode.NONE) {
      this.#context.events.emit('quorum.fetch-refused', { replica: fetch.replicaId, errorCode })
      return this.#answer(respond, this.#failure(fetch, errorCode))
    }
    this.#serve(fetch)
  }

  /** Answers the fetches that need not wait any longer; returns when to look again. */
  poll(nowMs: number): number {
    const { state, log } = this.#context
    let nextMs = Infinity
    for (const [replicaId, fetch] of this.#waiting) {
      const leader = state.role === this.#leader ? this.#leader : null
      if (leader === null) {
        this.#waiting.delete(replicaId)
        this.#answer(fetch.respond, this.#failure(fetch, ErrorCode.NOT_LEADER_OR_FOLLOWER))
      } else if (
        log.endOffset > fetch.offset ||
        leader.highWatermark > fetch.highWatermark ||
        nowMs >= fetch.deadlineMs
      ) {
        this.#waiting.delete(replicaId)
        this.#answer(fetch.respond, this.#success(fetch, leader))
      } else {
        nextMs = Math.min(nextMs, fetch.deadlineMs)
      }
    }
    return nextMs
  }

  #serve(fetch: Fetch): void {
    const { state, log, clock } = this.#context
    const { role } = state
    if (role.kind !== 'leader') {
      return this.#answer(fetch.respond, this.#failure(fetch, ErrorCode.NOT_LEADER_OR_FOLLOWER))
    }
    const { replicaId, directoryId, offset } = fetch
    const nowMs = clock.monoMs()
    const divergence = log.divergenceFrom(offset, fetch.lastEpoch)
    if (divergence !== null) {
      role.onVoterHeard(replicaId, nowMs)
      this.#context.events.emit('quorum.fetch-diverging', { replica: replicaId, ...divergence })
      return this.#answer(fetch.respond, this.#success(fetch, role, divergence))
    }
    if (replicaId >= 0) {
      const moment = {
        fetchOffset: offset,
        leaderEndOffset: log.endOffset,
        nowMs,
        timestampMs: Math.floor(clock.wallMs()),
      }
      const isAdvanced = role.onFetch({ id: replicaId, directoryId }, moment)
      if (isAdvanced) log.updateHighWatermark(role.highWatermark)
    }
    const hasNews = log.endOffset > offset || role.highWatermark > fetch.highWatermark
    const isRoom = this.#waiting.size < MAX_WAITING || this.#waiting.has(replicaId)
    const mayWait = replicaId >= 0 && fetch.deadlineMs > nowMs && isRoom
    if (hasNews || !mayWait) return this.#answer(fetch.respond, this.#success(fetch, role))
    this.#hold(fetch, role)
  }

  #hold(fetch: Fetch, leader: Leader): void {
    this.#leader = leader
    const replaced = this.#waiting.get(fetch.replicaId)
    this.#waiting.delete(fetch.replicaId)
    this.#waiting.set(fetch.replicaId, fetch)
    if (replaced !== undefined) {
      this.#answer(replaced.respond, this.#success(replaced, leader))
    }
  }

  #fetchOf(
    version: number,
    request: FetchRequest,
    partition: FetchPartition,
    respond: Respond,
  ): Fetch {
    const replicaId =
      version >= REPLICA_STATE_VERSION ? request.replicaState.replicaId : request.replicaId
    return {
      version,
      replicaId,
      directoryId: partition.replicaDirectoryId,
      epoch: partition.currentLeaderEpoch,
      offset: partition.fetchOffset,
      lastEpoch: partition.lastFetchedEpoch,
      maxBytes: Math.max(0, Math.min(request.maxBytes, partition.partitionMaxBytes)),
      highWatermark: partition.highWatermark,
      deadlineMs: this.#context.clock.monoMs() + request.maxWaitMs,
      respond,
    }
  }

  #refusal(fetch: Fetch, maxWaitMs: number): ErrorCode {
    const { state, nodeId } = this.#context
    const isNegative = fetch.offset < 0 || fetch.lastEpoch < 0 || fetch.epoch < 0 || maxWaitMs < 0
    if (isNegative || fetch.replicaId === nodeId) return ErrorCode.INVALID_REQUEST
    if (fetch.epoch < state.epoch) return ErrorCode.FENCED_LEADER_EPOCH
    if (fetch.epoch > state.epoch) return ErrorCode.UNKNOWN_LEADER_EPOCH
    if (state.role.kind !== 'leader') return ErrorCode.NOT_LEADER_OR_FOLLOWER
    return ErrorCode.NONE
  }

  /** Consumers (no replica id) see committed records only. */
  #success(fetch: Fetch, leader: Leader, divergence: EpochEnd | null = null): Input<FetchResponse> {
    const { log } = this.#context
    const limit = fetch.replicaId >= 0 ? log.endOffset : log.highWatermark
    const records = divergence === null ? log.read(fetch.offset, limit, fetch.maxBytes) : EMPTY
    return this.#response(fetch, {
      errorCode: ErrorCode.NONE,
      highWatermark: leader.highWatermark,
      lastStableOffset: leader.highWatermark,
      logStartOffset: log.startOffset,
      ...(divergence === null ? {} : { divergingEpoch: divergence }),
      records,
    })
  }

  #failure(fetch: Fetch, errorCode: ErrorCode): Input<FetchResponse> {
    return this.#response(fetch, {
      errorCode,
      highWatermark: -1,
      lastStableOffset: -1,
      logStartOffset: -1,
      records: EMPTY,
    })
  }

  #response(
    fetch: Fetch,
    result: Input<FetchResponse['responses'][number]['partitions'][number]>,
  ): Input<FetchResponse> {
    const { state, voters } = this.#context
    const { version } = fetch
    const currentLeader = { leaderId: state.leaderId, leaderEpoch: state.epoch }
    const hint = version >= LEADER_HINT_VERSION ? { currentLeader } : {}
    const partition = { partitionIndex: METADATA_PARTITION, ...hint, ...result }
    const topic = { topic: METADATA_TOPIC, topicId: METADATA_TOPIC_ID, partitions: [partition] }
    const leader = voters.get(state.leaderId)
    if (leader === null || version < ENDPOINTS_VERSION) return { responses: [topic] }
    const { nodeId, host, port } = leader
    return { responses: [topic], nodeEndpoints: [{ nodeId, host, port, rack: null }] }
  }

  #answer(respond: Respond, response: Input<FetchResponse>): void {
    this.#context.output(() => respond(response))
  }
}

function metadataPartition(version: number, request: FetchRequest): FetchPartition | null {
  const [topic, ...otherTopics] = request.topics
  if (topic === undefined || otherTopics.length > 0) return null
  const isOurs =
    version >= TOPIC_ID_VERSION
      ? topic.topicId === METADATA_TOPIC_ID
      : topic.topic === METADATA_TOPIC
  const [partition, ...otherPartitions] = topic.partitions
  if (!isOurs || partition === undefined || otherPartitions.length > 0) return null
  return partition.partition === METADATA_PARTITION ? partition : null
}
