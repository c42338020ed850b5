import type { GroupPlan } from '../plan/workload-plan.ts'
import type { Finding } from './finding.ts'
import type { HistoryIndex, Poll } from './history-index.ts'
import type { HistoryRule } from './history-rule.ts'
import type { PartitionHistory } from './partition-history.ts'

/**
 * G6. With commits after processing, every record of the final log up to the group's furthest position was given
 * to a member at least once; how far it must get is L4. With commits before processing, what is recorded is what was
 * processed after its commit was acknowledged: no record is processed twice.
 */
export const groupDelivery: HistoryRule = {
  invariant: 'G6',
  judge(history, finding) {
    if (!history.isDurable) return
    const polls = pollsByGroup(history)
    for (const [group, plan] of history.facts.groups) {
      if (!history.isLasting(plan.topic)) continue
      const given = polls.get(group) ?? []
      if (plan.commit === 'before-processing') checkAtMostOnce(plan, given, finding)
      else checkAtLeastOnce(history, plan, given, finding)
    }
  },
}

function pollsByGroup(history: HistoryIndex): ReadonlyMap<string, readonly Poll[]> {
  const polls = new Map<string, Poll[]>()
  for (const poll of history.polls) {
    if (poll.operation.purpose !== 'group' || poll.isRefused) continue
    const group = history.facts.groupOf(poll.process)
    if (group === null || group.topic !== poll.operation.topic) continue
    const list = polls.get(group.groupId) ?? []
    list.push(poll)
    polls.set(group.groupId, list)
  }
  return polls
}

function checkAtLeastOnce(
  history: HistoryIndex,
  plan: GroupPlan,
  polls: readonly Poll[],
  finding: Finding,
): void {
  const seen = new Map<number, Set<number>>()
  const reached = new Map<number, number>()
  for (const { operation } of polls) {
    const { partition, records = [] } = operation
    const offsets = seen.get(partition) ?? new Set<number>()
    seen.set(partition, offsets)
    for (const { offset } of records) {
      offsets.add(offset)
      reached.set(partition, Math.max(offset, reached.get(partition) ?? -1))
    }
  }
  for (const [partition, offsets] of seen) {
    const log = history.partitions.get(`${plan.topic}-${partition}`)
    if (log === undefined) continue
    if (!history.evidence.isFinalReadComplete || !log.hasFinalRead) {
      finding.unknown()
      continue
    }
    checkSeen(history, plan, { log, offsets, reached: reached.get(partition) ?? -1 }, finding)
  }
}

function checkSeen(
  history: HistoryIndex,
  { groupId, topic }: GroupPlan,
  given: {
    readonly log: PartitionHistory
    readonly offsets: Set<number>
    readonly reached: number
  },
  finding: Finding,
): void {
  const { log, offsets, reached } = given
  if (history.facts.isCompacted(topic)) return
  const start = history.facts.mayExpire(topic) ? log.logStart : 0
  for (const [offset, { value }] of log.finalLog) {
    if (offset > reached || offset < start) continue
    finding.look()
    if (offsets.has(offset)) continue
    finding.violated(
      log.polls.at(-1)?.atMs ?? 0,
      `${value} at offset ${offset} of ${log.name} was never given to ${groupId}, which went on to ${reached}`,
    )
  }
}

function checkAtMostOnce(plan: GroupPlan, polls: readonly Poll[], finding: Finding): void {
  const processed = new Map<string, string>()
  for (const { operation, process, atMs } of polls) {
    for (const { offset } of operation.records ?? []) {
      const record = `offset ${offset} of ${plan.topic}-${operation.partition}`
      const other = processed.get(record)
      processed.set(record, process)
      finding.look()
      if (other === undefined) continue
      finding.violated(
        atMs,
        `${record} was processed by ${other} and again by ${process} of ${plan.groupId}`,
      )
    }
  }
}
