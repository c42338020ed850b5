import type { TopicPartition } from '../../src/base/topic-partition.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { JoinGroupResponse } from '../../src/wire/messages/11-join-group.ts'
import { type CoordinatorRecord, type Outcome, type Reply } from '../coordinator/outcome.ts'
import {
  type CoordinatorShard,
  type ReplayedRecord,
  type ShardPorts,
} from '../coordinator/shard.ts'
import { ClassicGroup } from './classic-group.ts'
import type { GroupConfig } from './group-config.ts'
import { JoinHandler, type Join } from './join.ts'
import { MembershipHandler } from './membership.ts'
import { committedOffsetOf, OffsetStore, type TopicOffsets } from './offset-store.ts'
import { OffsetHandler } from './offsets.ts'
import { Rebalance } from './rebalance.ts'
import { decodeGroupRecord, groupTombstone } from './records.ts'

const EXPIRY_TIMER = 'group-expiry'

/** What outlives the coordinator: the fold of one partition of `__consumer_offsets`. */
export interface PersistedGroups {
  /** Bytes of the last `GroupMetadataValue` by group; null for groups that have offsets only. */
  readonly groups: ReadonlyMap<string, Buffer | null>
  readonly offsets: ReadonlyMap<string, TopicOffsets>
}

/** All groups and offsets of one partition of `__consumer_offsets`. */
export class GroupShard implements CoordinatorShard {
  readonly groups = new Map<string, ClassicGroup>()
  readonly offsetStore = new OffsetStore()
  readonly membership: MembershipHandler
  readonly offsets: OffsetHandler
  readonly #ports: ShardPorts
  readonly #config: GroupConfig
  readonly #rebalance: Rebalance
  readonly #joins: JoinHandler
  /** Last value by group as it stands in the log. */
  readonly #values = new Map<string, Buffer | null>()
  #isLoaded = false

  constructor(ports: ShardPorts, config: GroupConfig) {
    const { clock, events, random, timers } = ports
    const findGroup = (groupId: string): ClassicGroup | null => this.groups.get(groupId) ?? null
    this.#ports = ports
    this.#config = config
    this.#rebalance = new Rebalance({ config, clock, events, timers, findGroup })
    const rebalance = this.#rebalance
    this.#joins = new JoinHandler({ config, clock, random, rebalance, findGroup })
    this.membership = new MembershipHandler({ clock, events, rebalance, findGroup })
    const store = this.offsetStore
    this.offsets = new OffsetHandler({ config, clock, rebalance, store, findGroup })
  }

  replay({ offset, producerId, key, value }: ReplayedRecord): void {
    const record = decodeGroupRecord({ key, value })
    switch (record.kind) {
      case 'group':
        if (record.value === null || value === null) {
          this.#dropGroup(record.groupId)
          return
        }
        this.#groupFor(record.groupId).apply(record.value)
        this.#values.set(record.groupId, Buffer.from(value))
        return
      case 'offset': {
        const { groupId, topic, partition } = record
        if (record.value === null) {
          this.offsetStore.replayDelete(groupId, topic, partition)
          return
        }
        // A commit makes its group: those of consumers outside of group management have no other record.
        this.#groupFor(groupId)
        const committed = committedOffsetOf(record.value, offset)
        this.offsetStore.replayCommit(groupId, topic, partition, committed, producerId)
        return
      }
      case 'unknown':
        this.#ports.events.emit('coordinator.record-skipped', {
          partition: this.#ports.partition,
          offset,
          recordType: record.type,
        })
    }
  }

  replayTransactionEnd(producerId: number, isCommitted: boolean): void {
    this.offsetStore.replayTransactionEnd(producerId, isCommitted)
  }

  onLoaded(): Outcome<never> {
    this.#isLoaded = true
    this.#scheduleExpiry()
    return this.#rebalance.onLoaded(this.groups.values())
  }

  join(join: Join, reply: Reply<JoinGroupResponse>): Outcome<JoinGroupResponse> {
    return this.#joins.handle(join, reply)
  }

  /** Deletes an empty group with all its offsets. */
  deleteGroup(groupId: string): Outcome<ErrorCode> {
    const group = this.groups.get(groupId)
    if (group === undefined) return { records: [], answer: ErrorCode.GROUP_ID_NOT_FOUND }
    if (group.state !== 'Empty') return { records: [], answer: ErrorCode.NON_EMPTY_GROUP }
    const records = [...this.offsets.tombstonesOf(groupId), groupTombstone(groupId)]
    return { records, answer: ErrorCode.NONE }
  }

  /** Topics were deleted: nobody will need these offsets. */
  dropPartitions(dropped: readonly TopicPartition[]): Outcome<never> {
    return { records: this.offsets.dropPartitions(dropped), isAtomic: false }
  }

  /** The state that a replay of the log must give too (invariant G5). */
  persisted(): PersistedGroups {
    const offsets = [...this.offsetStore.groupIds].map(
      (groupId) => [groupId, this.offsetStore.topicsOf(groupId)] as const,
    )
    return { groups: new Map(this.#values), offsets: new Map(offsets) }
  }

  #groupFor(groupId: string): ClassicGroup {
    const known = this.groups.get(groupId)
    if (known !== undefined) return known
    const group = new ClassicGroup(groupId, (changed) => this.#tell(changed))
    this.groups.set(groupId, group)
    this.#values.set(groupId, null)
    return group
  }

  #dropGroup(groupId: string): void {
    const group = this.groups.get(groupId)
    this.groups.delete(groupId)
    this.#values.delete(groupId)
    group?.transitionTo('Dead', this.#ports.clock.wallMs())
  }

  #scheduleExpiry(): void {
    const delayMs = this.#config.offsetsRetentionCheckIntervalMs
    this.#ports.timers.schedule(EXPIRY_TIMER, delayMs, () => {
      this.#scheduleExpiry()
      return this.#expire()
    })
  }

  /** Expired offsets go; so does a group that is empty and has none left. */
  #expire(): Outcome<never> {
    const records: CoordinatorRecord[] = []
    for (const group of this.groups.values()) {
      const isNothingLeft = this.offsets.expire(group, records)
      if (isNothingLeft && group.state === 'Empty') records.push(groupTombstone(group.groupId))
    }
    return { records, isAtomic: false }
  }

  /** While loading the past goes by, which is no news. */
  #tell(group: ClassicGroup): void {
    if (!this.#isLoaded) return
    this.#ports.events.emit('group.state-changed', {
      group: group.groupId,
      state: group.state,
      generation: group.generation,
      members: group.members.size,
    })
  }
}
