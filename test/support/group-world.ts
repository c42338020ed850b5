import {
  GroupCoordinator,
  type GroupClient,
  type GroupCoordinatorOptions,
  type Respond,
} from '../../broker/group/group-coordinator.ts'
import { DEFAULT_GROUP_CONFIG, type GroupConfig } from '../../broker/group/group-config.ts'
import { dumpOfGroups } from '../../broker/group/group-dump.ts'
import { GroupShard, type PersistedGroups } from '../../broker/group/group-shard.ts'
import type { TopicDirectory } from '../../broker/group/topic-directory.ts'
import { ShardTimers } from '../../broker/coordinator/timer.ts'
import { assert, present } from '../../src/base/assert.ts'
import type { Uuid } from '../../src/base/uuid.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { NodeEvent } from '../../src/ports/events.ts'
import { SimWorld } from '../../src/sim/sim-world.ts'
import {
  offsetCommitApi,
  type OffsetCommitResponse,
} from '../../src/wire/messages/08-offset-commit.ts'
import {
  offsetFetchApi,
  type OffsetFetchResponse,
} from '../../src/wire/messages/09-offset-fetch.ts'
import {
  joinGroupApi,
  type JoinGroupRequest,
  type JoinGroupResponse,
} from '../../src/wire/messages/11-join-group.ts'
import { heartbeatApi, type HeartbeatRequest } from '../../src/wire/messages/12-heartbeat.ts'
import { leaveGroupApi, type LeaveGroupRequest } from '../../src/wire/messages/13-leave-group.ts'
import { syncGroupApi, type SyncGroupRequest } from '../../src/wire/messages/14-sync-group.ts'
import { decodeFromBuffer, encodeToBuffer, type Api, type Input } from '../../src/wire/schema.ts'
import { MemoryCoordinatorLog } from './memory-coordinator-log.ts'

const CLIENT: GroupClient = { clientId: 'client', clientHost: '/127.0.0.1' }
export const FOO_ID: Uuid = 'Zm9vZm9vZm9vZm9vZm9vZg'
export const BAR_ID: Uuid = 'YmFyYmFyYmFyYmFyYmFyYg'

/** A request that was made, and its answer once it is there. */
export class Held<Response> {
  answers: Response[] = []

  get isAnswered(): boolean {
    return this.answers.length > 0
  }

  get response(): Response {
    assert(this.answers.length === 1, `${this.answers.length} answers to one request`)
    return present(this.answers[0], 'an answer')
  }
}

export interface GroupWorldOptions {
  readonly seed?: number
  readonly config?: Partial<GroupConfig>
  /** Partitions of `__consumer_offsets`, 1. */
  readonly partitionCount?: number
  readonly topics?: TopicDirectory
  /** Leave partition 0 unelected. */
  readonly isIdle?: boolean
}

export const KNOWN_TOPICS: TopicDirectory = {
  hasTopic: (name) => name === 'foo' || name === 'bar',
  hasPartition: (name, partition) =>
    (name === 'foo' || name === 'bar') && partition >= 0 && partition < 10,
  topicName: (id) => (id === FOO_ID ? 'foo' : id === BAR_ID ? 'bar' : null),
  topicId: (name) => (name === 'foo' ? FOO_ID : name === 'bar' ? BAR_ID : null),
}

/** One group coordinator at a time over a log that stays, driven request by request in virtual time. */
export class GroupWorld {
  readonly world: SimWorld
  readonly log: MemoryCoordinatorLog
  readonly events: NodeEvent[] = []
  readonly config: GroupConfig
  coordinator: GroupCoordinator
  leaderEpoch = 1
  /** Stands for the transaction coordinator: says yes. */
  verifyTransaction: GroupCoordinatorOptions['verifyTransaction'] = (_partition, _producer, done) =>
    done(ErrorCode.NONE, null)
  readonly #options: GroupWorldOptions

  constructor(options: GroupWorldOptions = {}) {
    this.#options = options
    this.world = new SimWorld({ seed: options.seed ?? 1 })
    this.world.onEvent((event) => this.events.push(event))
    this.config = { ...DEFAULT_GROUP_CONFIG, initialRebalanceDelayMs: 0, ...options.config }
    this.log = new MemoryCoordinatorLog(this.world.node('broker1').ports.clock)
    this.coordinator = this.newCoordinator()
    if (options.isIdle === true) return
    this.coordinator.onElected(0, this.leaderEpoch)
    this.run(1)
  }

  get nowMs(): number {
    return this.world.scheduler.nowMs
  }

  get shard(): GroupShard {
    return present(this.coordinator.shardOf(0), 'an active shard')
  }

  run(ms: number): void {
    this.world.runFor(ms)
  }

  newCoordinator(): GroupCoordinator {
    const { clock, random, events } = this.world.node(`broker${this.leaderEpoch}`).ports
    return new GroupCoordinator({
      log: this.log,
      clock,
      random,
      events,
      config: this.config,
      topics: this.#options.topics ?? KNOWN_TOPICS,
      verifyTransaction: (partition, producer, done) =>
        this.verifyTransaction(partition, producer, done),
      partitionCount: () => this.#options.partitionCount ?? 1,
    })
  }

  /** Another broker becomes the coordinator; the old one learns of it. */
  failOver(options: { readonly losesTail?: boolean; readonly isLoading?: boolean } = {}): void {
    const old = this.coordinator
    this.leaderEpoch += 1
    this.log.elect(0, this.leaderEpoch, options.losesTail)
    this.coordinator = this.newCoordinator()
    old.onResigned(0)
    assert(old.openCount === 0, 'a coordinator that resigned owes nobody an answer')
    this.coordinator.onElected(0, this.leaderEpoch)
    if (options.isLoading !== true) this.run(1)
  }

  /** What the log says, replayed from its begin into a shard of its own. */
  replayed(): PersistedGroups {
    return this.#replay().persisted()
  }

  /** The same as canonical text. */
  replayedDump(): string {
    return dumpOfGroups(this.#replay())
  }

  #replay(): GroupShard {
    const { clock, random } = this.world.node('replayer').ports
    const timers = new ShardTimers(clock, () => assert(false, 'a replay sets no timers'))
    const ports = { partition: 0, clock, random, timers, events: { emit: () => {} } }
    const shard = new GroupShard(ports, this.config)
    for (const { offset, key, value } of this.log.records(0)) {
      shard.replay({ offset, key: present(key, 'a key'), value, producerId: -1 })
    }
    return shard
  }

  /** Encodes and decodes the request and the answer in `version`, as a client would see them. */
  call<Req, Res>(
    api: Api<Req, Res>,
    version: number,
    request: NoInfer<Input<Req>>,
    handle: (coordinator: GroupCoordinator, request: Req, respond: Respond<Res>) => void,
  ): Held<Res> {
    const held = new Held<Res>()
    const decoded = decodeFromBuffer(
      api.request,
      version,
      encodeToBuffer<Req>(api.request, version, request),
    )
    handle(this.coordinator, decoded, (response) => {
      const bytes = encodeToBuffer<Res>(api.response, version, response)
      held.answers.push(decodeFromBuffer(api.response, version, bytes))
    })
    return held
  }

  join(
    request: Input<JoinGroupRequest> = {},
    version = 9,
    client: GroupClient = CLIENT,
  ): Held<JoinGroupResponse> {
    const full = {
      groupId: 'g',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: version === 0 ? undefined : 30_000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscription(['foo']) }],
      ...request,
    }
    return this.call(joinGroupApi, version, full, (coordinator, decoded, respond) =>
      coordinator.joinGroup(version, client, decoded, respond),
    )
  }

  /** Joins as a new dynamic member would: with the id that the first answer gave. */
  joinNew(request: Input<JoinGroupRequest> = {}, version = 9): Held<JoinGroupResponse> {
    const { memberId } = this.join(request, version).response
    return this.join({ ...request, memberId }, version)
  }

  sync(request: Input<SyncGroupRequest>, version = 3) {
    return this.call(
      syncGroupApi,
      version,
      { groupId: 'g', ...request },
      (coordinator, decoded, respond) => coordinator.syncGroup(version, decoded, respond),
    )
  }

  heartbeat(request: Input<HeartbeatRequest>, version = 4) {
    return this.call(
      heartbeatApi,
      version,
      { groupId: 'g', ...request },
      (coordinator, decoded, respond) => coordinator.heartbeat(version, decoded, respond),
    )
  }

  leave(request: Input<LeaveGroupRequest>, version = 5) {
    return this.call(
      leaveGroupApi,
      version,
      { groupId: 'g', ...request },
      (coordinator, decoded, respond) => coordinator.leaveGroup(version, decoded, respond),
    )
  }

  /** Commits one offset of `foo-0`. */
  commit(
    offset: number,
    from: {
      readonly memberId?: string
      readonly generation?: number
      readonly groupId?: string
    } = {},
    version = 9,
  ): Held<OffsetCommitResponse> {
    const partitions = [{ partitionIndex: 0, committedOffset: offset, committedMetadata: 'm' }]
    const request = {
      groupId: from.groupId ?? 'g',
      memberId: from.memberId,
      generationIdOrMemberEpoch: from.generation,
      topics: [{ name: 'foo', partitions }],
    }
    return this.call(offsetCommitApi, version, request, (coordinator, decoded, respond) =>
      coordinator.offsetCommit(version, decoded, respond),
    )
  }

  /** The committed offset of `foo-0`. */
  fetch(groupId = 'g'): Held<OffsetFetchResponse> {
    const groups = [{ groupId, topics: [{ name: 'foo', partitionIndexes: [0] }] }]
    return this.call(offsetFetchApi, 8, { groups }, (coordinator, decoded, respond) =>
      coordinator.offsetFetch(8, decoded, respond),
    )
  }

  committedOffset(groupId = 'g'): number {
    return this.fetch(groupId).response.groups[0]!.topics[0]!.partitions[0]!.committedOffset
  }

  /** A Stable group of members of the protocol `range`; the leader is first. */
  stableGroup(
    size: number,
    groupId = 'g',
  ): { readonly memberIds: string[]; readonly generation: number } {
    const ids = Array.from({ length: size }, () => this.join({ groupId }).response.memberId)
    const joins = ids.map((memberId) => this.join({ groupId, memberId }))
    this.run(this.config.initialRebalanceDelayMs + 1)
    const { generationId, leader } = joins[0]!.response
    const memberIds = [leader, ...ids.filter((id) => id !== leader)]
    const assignments = memberIds.map((memberId, index) => ({
      memberId,
      assignment: Buffer.from(`part ${index}`),
    }))
    for (const memberId of memberIds.toReversed()) {
      const isLeader = memberId === leader
      this.sync({ groupId, memberId, generationId, assignments: isLeader ? assignments : [] })
    }
    return { memberIds, generation: generationId }
  }
}

/** Metadata of a consumer that subscribes to `topics`. */
export function subscription(topics: readonly string[]): Buffer {
  const parts = topics.map((topic) => {
    const bytes = Buffer.alloc(2 + topic.length)
    bytes.writeInt16BE(topic.length)
    bytes.write(topic, 2)
    return bytes
  })
  const head = Buffer.alloc(6)
  head.writeInt32BE(topics.length, 2)
  return Buffer.concat([head, ...parts, Buffer.from([0xff, 0xff, 0xff, 0xff])])
}
