import { decodeCoordinatorValue } from '../../src/wire/coordinator-record.ts'
import { groupMetadataValue } from '../../src/wire/records/group-coordinator.ts'
import { ClassicGroup } from './classic-group.ts'
import type { GroupShard } from './group-shard.ts'
import type { Member } from './member.ts'
import type { CommittedOffset, TopicOffsets } from './offset-store.ts'

/**
 * Canonical text of all in a shard that a replay of its log determines: groups with members, generation,
 * protocol, leader and assignments, offsets with their metadata. A line each, sorted; equal states give equal
 * text (invariant G5). A rebalance under way, timers, pending joins and heartbeats are memory of the moment.
 */
export function dumpOfGroups(shard: GroupShard): string {
  const { groups: values, offsets } = shard.persisted()
  const lines: string[] = []
  for (const groupId of sorted(values.keys())) {
    const group = settledGroup(shard, groupId, values.get(groupId) ?? null)
    lines.push(...groupLines(group))
  }
  for (const groupId of sorted(offsets.keys())) {
    lines.push(...offsetLines(`offset ${text(groupId)}`, offsets.get(groupId)))
  }
  const pending = shard.offsetStore.pending().toSorted(([a], [b]) => a - b)
  for (const [producerId, byGroup] of pending) {
    for (const groupId of sorted(byGroup.keys())) {
      const head = `pending offset of producer ${producerId} ${text(groupId)}`
      lines.push(...offsetLines(head, byGroup.get(groupId)))
    }
  }
  // A group in memory that no record tells of would be gone after a change of coordinator.
  for (const groupId of sorted(shard.groups.keys())) {
    if (!values.has(groupId)) lines.push(`unrecorded group ${text(groupId)}`)
  }
  return lines.map((line) => `${line}\n`).join('')
}

/** A stable group is what its record says; any other counts as what its last record said. */
function settledGroup(shard: GroupShard, groupId: string, value: Buffer | null): ClassicGroup {
  const live = shard.groups.get(groupId)
  if (live?.state === 'Stable') return live
  const group = new ClassicGroup(groupId, () => undefined)
  if (value !== null) group.apply(decodeCoordinatorValue(groupMetadataValue, value))
  return group
}

function groupLines(group: ClassicGroup): readonly string[] {
  const { groupId, state, generation, protocolType, protocolName, leaderId, members } = group
  const fields = [protocolType, protocolName, leaderId].map(text).join(' ')
  const at = group.stateTimestampMs
  const head = `group ${text(groupId)} ${state} ${generation} ${fields} at ${at}`
  const ofMembers = sorted(members.keys()).flatMap((id) => {
    const member = members.get(id)
    return member === undefined ? [] : [memberLine(group, member)]
  })
  return [head, ...ofMembers]
}

function memberLine({ groupId, protocolName }: ClassicGroup, member: Member): string {
  const { memberId, groupInstanceId, clientId, clientHost, assignment } = member
  const names = [groupId, memberId, groupInstanceId, clientId, clientHost].map(text).join(' ')
  const timeouts = `${member.rebalanceTimeoutMs} ${member.sessionTimeoutMs}`
  const subscription = protocolName === null ? null : member.protocol(protocolName)
  const bytes = `${subscription?.metadata.toString('hex') ?? '-'} ${assignment.toString('hex')}`
  return `member ${names} ${timeouts} ${bytes}`
}

function offsetLines(head: string, topics: TopicOffsets | undefined): readonly string[] {
  return sorted(topics?.keys() ?? []).flatMap((topic) => {
    const partitions = [...(topics?.get(topic) ?? [])].toSorted(([a], [b]) => a - b)
    return partitions.map(
      ([partition, committed]) => `${head} ${text(topic)} ${partition} ${offsetText(committed)}`,
    )
  })
}

function offsetText(committed: CommittedOffset): string {
  const { offset, leaderEpoch, metadata, commitTimestampMs, expireTimestampMs } = committed
  const times = `at ${commitTimestampMs} until ${expireTimestampMs}`
  const where = `${committed.topicId} record ${committed.recordOffset}`
  return `${offset} epoch ${leaderEpoch} ${text(metadata)} ${times} ${where}`
}

/** Quoted, so that no name can look like two. */
function text(value: string | null): string {
  return JSON.stringify(value)
}

function sorted(names: Iterable<string>): readonly string[] {
  return [...names].sort()
}
