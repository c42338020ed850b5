import type { TopicPartition } from '../../base/topic-partition.ts'
import { parseInteger } from '../java-values.ts'
import { ToolError } from '../tool-errors.ts'
import { isInternalTopic, topicFilter } from '../topic-filter.ts'

const RULE = /^([^:,]*)(?::(?:([0-9]*)|(?:([0-9]*)-([0-9]*))))?$/

/** Which partitions are meant. */
export interface PartitionFilter {
  readonly isTopicWanted: (topic: string) => boolean
  readonly isWanted: (partition: TopicPartition) => boolean
}

/**
 * `topic1:1,topic2:0-3,topic3,:5-`: a regular expression for the topic, any when it is left out, and a partition or a
 * range without its end; a partition that one of the rules means is meant. Throws `ToolError`.
 */
export function filterByRules(rules: string): PartitionFilter {
  const filters = rules.split(',').map(parseRule)
  return {
    isTopicWanted: (topic) => filters.some((filter) => filter.isTopicWanted(topic)),
    isWanted: (partition) => filters.some((filter) => filter.isWanted(partition)),
  }
}

/** A regular expression for topics and a list of partitions, null for all. Throws `ToolError`. */
export function filterByLists(topics: string | null, partitions: string | null): PartitionFilter {
  const isTopicWanted = topicFilterOf(topics ?? '.*')
  const ids = partitionsOf(partitions ?? '')
  return {
    isTopicWanted,
    isWanted: ({ topic, partition }) =>
      isTopicWanted(topic) && (ids.size === 0 || ids.has(partition)),
  }
}

/** Leaves out internal topics when that is asked for. */
export function withoutInternal(filter: PartitionFilter): PartitionFilter {
  return {
    isTopicWanted: (topic) => !isInternalTopic(topic) && filter.isTopicWanted(topic),
    isWanted: filter.isWanted,
  }
}

function parseRule(rule: string): PartitionFilter {
  const [whole, topics = '', exact, from, to] = RULE.exec(rule) ?? []
  if (whole === undefined) {
    const problem = `org.apache.kafka.tools.TerseException: Invalid rule specification: ${rule}`
    throw new ToolError(problem, 'java.lang.RuntimeException')
  }
  const isTopicWanted = topicFilterOf(topics === '' ? '.*' : topics)
  const id = exact === undefined || exact === '' ? null : parseInteger(exact)
  const first = from === undefined || from === '' ? 0 : parseInteger(from)
  const end = to === undefined || to === '' ? Infinity : parseInteger(to)
  const isPartitionWanted = (partition: number): boolean =>
    id === null ? partition >= first && partition < end : partition === id
  return {
    isTopicWanted,
    isWanted: ({ topic, partition }) => isTopicWanted(topic) && isPartitionWanted(partition),
  }
}

function topicFilterOf(list: string): (topic: string) => boolean {
  const isAllowed = topicFilter(list)
  return (topic) => isAllowed(topic, false)
}

function partitionsOf(list: string): ReadonlySet<number> {
  if (list === '') return new Set()
  const ids = list.split(',')
  if (ids.every((id) => /^[+-]?\d+$/.test(id))) return new Set(ids.map(Number))
  throw new ToolError(
    `--partitions expects a comma separated list of numeric partition ids, but received: ${list}`,
  )
}
