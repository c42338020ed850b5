import { assert, present } from '../../src/base/assert.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { OffsetCommitResponse } from '../../src/wire/messages/08-offset-commit.ts'
import type { OffsetFetchResponse } from '../../src/wire/messages/09-offset-fetch.ts'
import type { JoinGroupResponse } from '../../src/wire/messages/11-join-group.ts'
import type { HeartbeatResponse } from '../../src/wire/messages/12-heartbeat.ts'
import type { SyncGroupResponse } from '../../src/wire/messages/14-sync-group.ts'
import { groupMetadataValue } from '../../src/wire/records/group-coordinator.ts'
import { decodeCoordinatorValue } from '../../src/wire/coordinator-record.ts'
import { dumpOfGroups } from '../../broker/group/group-dump.ts'
import { decodeGroupRecord } from '../../broker/group/records.ts'
import type { GroupWorld, Held } from './group-world.ts'

const PARTITION_COUNT = 6
const GROUP = 'g'
/** Errors that promise that a commit has not been taken and never will be. */
const REFUSALS: ReadonlySet<number> = new Set([
  ErrorCode.ILLEGAL_GENERATION,
  ErrorCode.UNKNOWN_MEMBER_ID,
  ErrorCode.FENCED_INSTANCE_ID,
  ErrorCode.REBALANCE_IN_PROGRESS,
  ErrorCode.GROUP_ID_NOT_FOUND,
])
const FORGET_ID: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_MEMBER_ID,
  ErrorCode.FENCED_INSTANCE_ID,
])

/** One consumer as the model drives it: a step at a time, never waiting for an answer. */
class ModelClient {
  readonly instanceId: string | null
  memberId = ''
  generation = -1
  /** Partitions it was assigned in its generation; null outside of one. */
  owned: readonly number[] | null = null
  isIn = true
  join: Held<JoinGroupResponse> | null = null
  sync: Held<SyncGroupResponse> | null = null
  beat: Held<HeartbeatResponse> | null = null

  constructor(instanceId: string | null) {
    this.instanceId = instanceId
  }

  /** Begins to join anew; an id that the coordinator refused is forgotten. */
  restart(error: number): void {
    if (FORGET_ID.has(error)) this.memberId = ''
    this.owned = null
    this.join = null
    this.sync = null
    this.beat = null
  }
}

interface Commit {
  readonly value: number
  readonly held: Held<OffsetCommitResponse>
  /** The coordinator was at another generation, or did not know the member, when it was sent. */
  readonly isStale: boolean
}

interface Generation {
  readonly protocol: string | null
  readonly leader: string
}

/**
 * Drives clients of one group through any order of events and checks the invariants G1 to G5 of
 * reliability/invariants.md after each. Throws at the first that is broken.
 */
export class GroupModel {
  readonly world: GroupWorld
  readonly clients: readonly ModelClient[]
  /** Who is behind a member id: the instance id of a static member. */
  readonly #identities = new Map<string, string>()
  readonly #generations = new Map<string, Generation>()
  /** Who was told to own a partition, by generation and partition. */
  readonly #owners = new Map<string, string>()
  readonly #commits: Commit[] = []
  /** SyncGroups of a generation that had passed when they were sent. */
  readonly #staleSyncs: Held<SyncGroupResponse>[] = []
  readonly #fetches: { readonly atLeast: number; readonly held: Held<OffsetFetchResponse> }[] = []
  #nextValue = 1
  #ackedValue = -1
  #fetchedValue = -1
  #generationSeen = { leaderEpoch: 0, generation: -1 }

  constructor(world: GroupWorld, dynamicCount: number, staticCount: number) {
    this.world = world
    this.clients = [
      ...Array.from({ length: dynamicCount }, () => new ModelClient(null)),
      ...Array.from({ length: staticCount }, (_, index) => new ModelClient(`static-${index}`)),
    ]
  }

  /** The client does the next thing it would do. */
  step(index: number): void {
    const client = this.#client(index)
    if (!client.isIn) client.isIn = true
    this.#read(client)
    if (client.owned !== null) {
      const { memberId, generation, instanceId } = client
      if (client.beat?.isAnswered !== false) {
        client.beat = this.world.heartbeat({
          memberId,
          generationId: generation,
          groupInstanceId: instanceId,
        })
      }
    } else if (client.join === null) {
      const { memberId, instanceId } = client
      client.join = this.world.join({ memberId, groupInstanceId: instanceId })
    }
    this.#read(client)
  }

  /** The client commits under the generation it believes in, or an older one. */
  commit(index: number, generationsAgo: number): void {
    const { memberId, generation } = this.#client(index)
    if (generation < 0) return
    const value = this.#nextValue
    this.#nextValue += 1
    const claimed = generation - generationsAgo
    const isStale = this.#isStale(memberId, claimed)
    const held = this.world.commit(value, { memberId, generation: claimed })
    this.#commits.push({ value, held, isStale })
  }

  /** The client asks again for the assignment of its generation or an older one. */
  syncAgain(index: number, generationsAgo: number): void {
    const { memberId, generation, instanceId } = this.#client(index)
    const claimed = generation - generationsAgo
    const isStale = this.#isStale(memberId, claimed)
    const held = this.world.sync({ memberId, generationId: claimed, groupInstanceId: instanceId })
    if (isStale) this.#staleSyncs.push(held)
  }

  fetch(): void {
    this.#fetches.push({ atLeast: this.#ackedValue, held: this.world.fetch() })
  }

  leave(index: number): void {
    const client = this.#client(index)
    const { memberId, instanceId } = client
    this.world.leave({ members: [{ memberId, groupInstanceId: instanceId }] })
    client.restart(ErrorCode.UNKNOWN_MEMBER_ID)
    client.isIn = false
  }

  /** The process is gone without a word; the next step is that of a new one. */
  crash(index: number): void {
    const client = this.#client(index)
    client.restart(ErrorCode.UNKNOWN_MEMBER_ID)
    client.generation = -1
    client.isIn = false
  }

  /** Looks at all answers that have come and checks everything that must hold now. */
  check(): void {
    for (const client of this.clients) this.#read(client)
    this.#checkCommits()
    this.#checkFetches()
    this.#checkReplay()
  }

  /** Nothing refused was ever written. */
  checkLog(): void {
    const written = new Set<number>()
    for (const { key, value } of this.world.log.records(0)) {
      const record = decodeGroupRecord({ key: present(key, 'a key'), value })
      if (record.kind === 'offset' && record.value !== null) written.add(record.value.offset)
    }
    for (const { value, held } of this.#commits) {
      const error = held.isAnswered ? errorOf(held.response) : null
      const isRefused = error !== null && REFUSALS.has(error)
      assert(!isRefused || !written.has(value), `G3: refused commit ${value} is in the log`)
      assert(error !== ErrorCode.NONE || written.has(value), `G4: acked commit ${value} is lost`)
    }
  }

  /** All clients run on without faults until the group is at rest. */
  settle(): void {
    for (let round = 0; round < 35; round += 1) {
      for (const index of this.clients.keys()) this.step(index)
      this.world.run(3000)
    }
    this.check()
    const group = present(this.world.shard.groups.get(GROUP), 'the group')
    assert(group.state === 'Stable', `G9: the group is ${group.state} in the end`)
    assert(
      group.members.size === this.clients.length,
      `G9: ${group.members.size} members in the end`,
    )
    for (const { generation, owned } of this.clients) {
      assert(generation === group.generation, `G9: a client is at ${generation} in the end`)
      assert(owned !== null, 'G9: a client has no assignment in the end')
    }
  }

  #isStale(memberId: string, generation: number): boolean {
    const group = this.world.coordinator.shardOf(0)?.groups.get(GROUP)
    if (group === undefined || (group.state === 'Empty' && generation < 0)) return false
    return group.generation !== generation || !group.members.has(memberId)
  }

  #client(index: number): ModelClient {
    return present(this.clients[index % this.clients.length], 'a client')
  }

  #read(client: ModelClient): void {
    if (client.join?.isAnswered === true && client.sync === null) this.#onJoined(client)
    if (client.sync?.isAnswered === true && client.owned === null) this.#onSynced(client)
    if (client.beat?.isAnswered === true) {
      const { errorCode } = client.beat.response
      client.beat = null
      const isCoordinators =
        errorCode === ErrorCode.NONE ||
        errorCode === ErrorCode.NOT_COORDINATOR ||
        errorCode === ErrorCode.COORDINATOR_NOT_AVAILABLE
      if (!isCoordinators) client.restart(errorCode)
    }
  }

  #onJoined(client: ModelClient): void {
    const answer = present(client.join, 'a join').response
    if (answer.errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
      client.memberId = answer.memberId
      client.join = this.world.join({ memberId: answer.memberId })
      return
    }
    if (answer.errorCode !== ErrorCode.NONE) {
      client.restart(answer.errorCode)
      return
    }
    client.memberId = answer.memberId
    client.generation = answer.generationId
    this.#identities.set(answer.memberId, client.instanceId ?? answer.memberId)
    this.#noteGeneration(answer)
    const isAssigning = answer.leader === answer.memberId && !answer.skipAssignment
    const assignments = isAssigning ? assign(answer.members.map((each) => each.memberId)) : []
    client.sync = this.world.sync({
      memberId: client.memberId,
      groupInstanceId: client.instanceId,
      generationId: client.generation,
      assignments,
    })
  }

  #onSynced(client: ModelClient): void {
    const { errorCode, assignment } = present(client.sync, 'a sync').response
    if (errorCode !== ErrorCode.NONE) {
      client.restart(errorCode)
      return
    }
    client.owned = [...assignment]
    const identity = present(this.#identities.get(client.memberId), 'an identity')
    for (const partition of client.owned) {
      const key = `${client.generation} ${partition}`
      const owner = this.#owners.get(key) ?? identity
      assert(owner === identity, `G1: ${owner} and ${identity} both own ${partition}`)
      this.#owners.set(key, identity)
    }
  }

  #noteGeneration({ generationId, protocolName, leader }: JoinGroupResponse): void {
    const { leaderEpoch } = this.world
    const seen = this.#generationSeen
    if (seen.leaderEpoch === leaderEpoch) {
      assert(
        generationId >= seen.generation,
        `G2: generation ${generationId} after ${seen.generation}`,
      )
    }
    this.#generationSeen = { leaderEpoch, generation: generationId }
    const key = `${leaderEpoch} ${generationId}`
    const identity = this.#identities.get(leader) ?? leader
    const known = this.#generations.get(key)
    this.#generations.set(key, { protocol: protocolName, leader: identity })
    if (known === undefined) return
    assert(known.protocol === protocolName, `G2: two protocols in generation ${generationId}`)
    const leaderNow = this.#identities.get(known.leader) ?? known.leader
    assert(leaderNow === identity, `G2: ${leaderNow} and ${identity} lead ${generationId}`)
  }

  #checkCommits(): void {
    for (const { value, held, isStale } of this.#commits) {
      if (!held.isAnswered || errorOf(held.response) !== ErrorCode.NONE) continue
      assert(!isStale, `G3: commit ${value} of another generation was taken`)
      this.#ackedValue = Math.max(this.#ackedValue, value)
    }
    for (const held of this.#staleSyncs) {
      const isTaken = held.isAnswered && held.response.errorCode === ErrorCode.NONE
      assert(!isTaken, 'G1: a SyncGroup of another generation was answered')
    }
  }

  #checkFetches(): void {
    for (const { atLeast, held } of this.#fetches.splice(0)) {
      if (!held.isAnswered) {
        this.#fetches.push({ atLeast, held })
        continue
      }
      const [group] = held.response.groups
      if (group?.errorCode !== ErrorCode.NONE) continue
      const value = present(group.topics[0]?.partitions[0], 'a partition').committedOffset
      assert(value >= atLeast, `G4: fetched ${value} after ${atLeast} was acked`)
      assert(value >= this.#fetchedValue, `G4: fetched ${value} after ${this.#fetchedValue}`)
      this.#fetchedValue = value
    }
  }

  #checkReplay(): void {
    const shard = this.world.coordinator.shardOf(0)
    if (shard === null) return
    const live = shard.persisted()
    const replayed = this.world.replayed()
    assert(sameText(live, replayed), 'G5: live state differs from a replay of the log')
    assert(dumpOfGroups(shard) === this.world.replayedDump(), 'G5: the dump differs from a replay')
    const group = shard.groups.get(GROUP)
    const bytes = live.groups.get(GROUP)
    if (group?.state !== 'Stable') return
    const value = decodeCoordinatorValue(groupMetadataValue, present(bytes, 'a value'))
    assert(sameText(group.toValue({}), value), 'G5: a stable group differs from its record')
    const owned = [...group.members.values()]
      .flatMap(({ assignment }) => [...assignment])
      .sort((a, b) => a - b)
    const all = Array.from({ length: PARTITION_COUNT }, (_, partition) => partition)
    assert(sameText(owned, all), `G1: a stable group owns ${owned.join()}`)
  }
}

/** Every partition to one member: byte n of an assignment is a partition. */
function assign(memberIds: readonly string[]): { memberId: string; assignment: Buffer }[] {
  return memberIds.map((memberId, index) => {
    const own = Array.from({ length: PARTITION_COUNT }, (_, partition) => partition)
    return {
      memberId,
      assignment: Buffer.from(own.filter((partition) => partition % memberIds.length === index)),
    }
  })
}

function errorOf(response: OffsetCommitResponse): number {
  return present(response.topics[0]?.partitions[0], 'a partition').errorCode
}

function sameText(a: unknown, b: unknown): boolean {
  return textOf(a) === textOf(b)
}

/** Plain text of nested data; maps in the order of their keys. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    each instanceof Map ? [...(each as Map<string | number, unknown>)].sort(byKey) : each,
  )
}

function byKey(
  [a]: readonly [string | number, unknown],
  [b]: readonly [string | number, unknown],
): number {
  return String(a) < String(b) ? -1 : 1
}
