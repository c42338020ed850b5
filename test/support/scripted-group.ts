import { ErrorCode } from '../../src/wire/error-codes.ts'
import { offsetCommitApi } from '../../src/wire/messages/08-offset-commit.ts'
import { offsetFetchApi } from '../../src/wire/messages/09-offset-fetch.ts'
import {
  joinGroupApi,
  type JoinGroupRequest,
  type JoinGroupResponse,
} from '../../src/wire/messages/11-join-group.ts'
import { heartbeatApi } from '../../src/wire/messages/12-heartbeat.ts'
import { leaveGroupApi } from '../../src/wire/messages/13-leave-group.ts'
import {
  syncGroupApi,
  type SyncGroupRequest,
  type SyncGroupResponse,
} from '../../src/wire/messages/14-sync-group.ts'
import type { Reply } from './scripted-broker.ts'
import type { ScriptedCluster } from './scripted-cluster.ts'

interface Member {
  readonly id: string
  request: JoinGroupRequest | null
  join: Reply<JoinGroupResponse> | null
  sync: Reply<SyncGroupResponse> | null
}

/**
 * The least of a group coordinator: a round ends when every member has joined again. Sessions do not expire by
 * themselves, `kick` does that.
 */
export class ScriptedGroup {
  readonly members = new Map<string, Member>()
  readonly offsets = new Map<string, number>()
  /** Leader epochs of the committed offsets, -1 where none is set. */
  readonly offsetEpochs = new Map<string, number>()
  generation = 0
  state: 'empty' | 'preparing' | 'completing' | 'stable' = 'empty'
  readonly #promised = new Set<string>()
  readonly #assignments = new Map<string, Buffer>()
  #nextId = 1

  /** Serves every group of the cluster, on each of its brokers that is the coordinator at the time. */
  constructor(cluster: ScriptedCluster) {
    for (const [id, broker] of cluster.brokers) {
      const isElsewhere = (): boolean => cluster.coordinator !== id
      const errorCode = ErrorCode.NOT_COORDINATOR
      broker.on(joinGroupApi, ({ body, version }, reply) => {
        if (isElsewhere()) reply({ errorCode })
        else this.#join(body, version, reply)
      })
      broker.on(syncGroupApi, ({ body }, reply) => {
        if (isElsewhere()) reply({ errorCode })
        else this.#sync(body, reply)
      })
      broker.on(heartbeatApi, ({ body }, reply) => {
        const code = isElsewhere() ? errorCode : this.#check(body.memberId, body.generationId)
        reply({
          errorCode:
            code === ErrorCode.NONE && this.state === 'preparing'
              ? ErrorCode.REBALANCE_IN_PROGRESS
              : code,
        })
      })
      broker.on(leaveGroupApi, ({ body }, reply) => {
        for (const { memberId } of body.members) this.kick(memberId)
        reply({ errorCode: isElsewhere() ? errorCode : ErrorCode.NONE })
      })
      broker.on(offsetCommitApi, ({ body }, reply) => {
        const code = isElsewhere()
          ? errorCode
          : this.#check(body.memberId, body.generationIdOrMemberEpoch)
        reply({
          topics: body.topics.map((topic) => ({
            name: topic.name,
            topicId: topic.topicId,
            partitions: topic.partitions.map(({ partitionIndex, committedOffset }) => {
              const name = cluster.topicNamed(topic, topic.name)
              if (code === 0) this.offsets.set(`${name}-${partitionIndex}`, committedOffset)
              return { partitionIndex, errorCode: code }
            }),
          })),
        })
      })
      broker.on(offsetFetchApi, ({ body }, reply) =>
        reply({
          groups: body.groups.map(({ groupId, topics }) => ({
            groupId,
            errorCode: isElsewhere() ? errorCode : ErrorCode.NONE,
            topics: (topics ?? []).map((topic) => ({
              name: topic.name,
              topicId: topic.topicId,
              partitions: topic.partitionIndexes.map((partitionIndex) => {
                const name = cluster.topicNamed(topic, topic.name)
                const committedOffset = this.offsets.get(`${name}-${partitionIndex}`) ?? -1
                const committedLeaderEpoch =
                  this.offsetEpochs.get(`${name}-${partitionIndex}`) ?? -1
                return { partitionIndex, committedOffset, committedLeaderEpoch, metadata: '' }
              }),
            })),
          })),
        }),
      )
    }
  }

  /** The member's session is over. */
  kick(memberId: string): void {
    if (!this.members.delete(memberId)) return
    this.#prepare()
  }

  #join(request: JoinGroupRequest, version: number, reply: Reply<JoinGroupResponse>): void {
    if (request.memberId === '') {
      const memberId = `member-${this.#nextId++}`
      this.#promised.add(memberId)
      if (version >= 4) return reply({ errorCode: ErrorCode.MEMBER_ID_REQUIRED, memberId })
      request.memberId = memberId
    }
    const id = request.memberId
    if (!this.members.has(id) && !this.#promised.delete(id)) {
      return reply({ errorCode: ErrorCode.UNKNOWN_MEMBER_ID })
    }
    const member = this.members.get(id) ?? { id, request, join: null, sync: null }
    this.members.set(id, { ...member, request, join: reply })
    this.#prepare()
  }

  #prepare(): void {
    this.state = this.members.size === 0 ? 'empty' : 'preparing'
    const all = [...this.members.values()]
    for (const member of all) {
      member.sync?.({ errorCode: ErrorCode.REBALANCE_IN_PROGRESS })
      member.sync = null
    }
    if (all.length > 0 && all.every(({ join }) => join !== null)) this.#complete(all)
  }

  #complete(all: readonly Member[]): void {
    this.generation += 1
    this.state = 'completing'
    const leader = all[0]!.id
    for (const member of all) {
      const reply = member.join!
      member.join = null
      reply({
        generationId: this.generation,
        protocolType: member.request!.protocolType,
        protocolName: member.request!.protocols[0]!.name,
        leader,
        memberId: member.id,
        members:
          member.id === leader
            ? all.map((each) => ({
                memberId: each.id,
                metadata: each.request!.protocols[0]!.metadata,
              }))
            : [],
      })
    }
  }

  #sync(request: SyncGroupRequest, reply: Reply<SyncGroupResponse>): void {
    const code = this.#check(request.memberId, request.generationId)
    if (code !== ErrorCode.NONE) return reply({ errorCode: code })
    if (this.state === 'preparing') {
      return reply({ errorCode: ErrorCode.REBALANCE_IN_PROGRESS })
    }
    this.members.get(request.memberId)!.sync = reply
    for (const { memberId, assignment } of request.assignments) {
      this.#assignments.set(memberId, assignment)
    }
    if (request.assignments.length > 0) this.state = 'stable'
    if (this.state !== 'stable') return
    for (const member of this.members.values()) {
      member.sync?.({ assignment: this.#assignments.get(member.id) ?? Buffer.alloc(0) })
      member.sync = null
    }
  }

  #check(memberId: string, generation: number): number {
    if (memberId === '' && generation < 0) return ErrorCode.NONE
    if (!this.members.has(memberId)) return ErrorCode.UNKNOWN_MEMBER_ID
    return generation === this.generation ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION
  }
}
