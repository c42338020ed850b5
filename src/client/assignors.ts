import { present } from '../base/assert.ts'
import { ConfigError } from '../base/errors.ts'
import type { TopicPartition } from '../base/topic-partition.ts'

export interface AssignorMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly topics: readonly string[]
}

export type Assignment = ReadonlyMap<string, readonly TopicPartition[]>

/** How a group leader shares partitions out. Every member is in the result, if only with none. */
export interface Assignor {
  /** As in JoinGroup's list of protocols. */
  readonly name: string
  /** Topics that are not in `partitionCounts` are left out. */
  assign(
    partitionCounts: ReadonlyMap<string, number>,
    members: readonly AssignorMember[],
  ): Assignment
}

/** Topic by topic, consecutive partitions to each member in order (RangeAssignor without racks). */
export const rangeAssignor: Assignor = {
  name: 'range',
  assign(partitionCounts, members) {
    const result = emptyAssignment(members)
    for (const topic of topicsOf(members)) {
      const count = partitionCounts.get(topic) ?? 0
      const takers = inOrder(members.filter((member) => member.topics.includes(topic)))
      const each = Math.floor(count / takers.length)
      const extra = count % takers.length
      let next = 0
      for (const [index, taker] of takers.entries()) {
        const share = each + (index < extra ? 1 : 0)
        const own = present(result.get(taker.memberId), taker.memberId)
        for (const end = next + share; next < end; next += 1) own.push({ topic, partition: next })
      }
    }
    return result
  },
}

/** All partitions of all topics in turn to the members that want them (RoundRobinAssignor). */
export const roundRobinAssignor: Assignor = {
  name: 'roundrobin',
  assign(partitionCounts, members) {
    const result = emptyAssignment(members)
    const circle = inOrder(members)
    let turn = 0
    for (const topic of topicsOf(members)) {
      for (let partition = 0; partition < (partitionCounts.get(topic) ?? 0); partition += 1) {
        let taker = present(circle[turn % circle.length], 'a member')
        while (!taker.topics.includes(topic)) {
          turn += 1
          taker = present(circle[turn % circle.length], 'a member')
        }
        present(result.get(taker.memberId), taker.memberId).push({ topic, partition })
        turn += 1
      }
    }
    return result
  },
}

const BY_NAME: Readonly<Record<string, Assignor>> = {
  range: rangeAssignor,
  roundrobin: roundRobinAssignor,
  RangeAssignor: rangeAssignor,
  RoundRobinAssignor: roundRobinAssignor,
}

/**
 * The assignors of `partition.assignment.strategy`, by Java class name or short name. Those that are not served
 * are left out; `ConfigError` when none is left.
 */
export function assignorsOf(names: readonly string[]): readonly Assignor[] {
  const found = names
    .map((name) => BY_NAME[name.replace('org.apache.kafka.clients.consumer.', '')])
    .filter((assignor) => assignor !== undefined)
  if (found.length > 0) return [...new Set(found)]
  throw new ConfigError(
    `partition.assignment.strategy is ${names.join(', ')}, expected range or roundrobin`,
  )
}

function emptyAssignment(members: readonly AssignorMember[]): Map<string, TopicPartition[]> {
  return new Map(members.map((member) => [member.memberId, []]))
}

function topicsOf(members: readonly AssignorMember[]): readonly string[] {
  return [...new Set(members.flatMap((member) => member.topics))].sort()
}

/** Static members first, by instance id, then the others by member id (AbstractPartitionAssignor.MemberInfo). */
function inOrder(members: readonly AssignorMember[]): readonly AssignorMember[] {
  return [...members].sort((a, b) => {
    if (a.groupInstanceId !== null && b.groupInstanceId !== null) {
      return compare(a.groupInstanceId, b.groupInstanceId)
    }
    if (a.groupInstanceId !== null) return -1
    if (b.groupInstanceId !== null) return 1
    return compare(a.memberId, b.memberId)
  })
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
