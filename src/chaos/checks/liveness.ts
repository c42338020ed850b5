import type { HistoryIndex } from './history-index.ts'
import type { HistoryRule } from './history-rule.ts'
import type { PartitionHistory } from './partition-history.ts'
import { actorOf } from './plan-facts.ts'

/** L3 as clients see it: when all is healed and stopped, every operation of a client that lives has ended. */
export const answered: HistoryRule = {
  invariant: 'L3',
  judge(history, finding) {
    if (!history.evidence.isFinalReadComplete) return finding.unknown()
    finding.look(history.sends.length)
    const lastLives = lastLivesOf(history.evidence.entries.map(({ process }) => process))
    for (const { process, operation, atMs } of history.unended) {
      if (lastLives.get(actorOf(process)) !== process) continue
      finding.violated(atMs, `${operation.op} of ${process} was never answered`)
    }
  },
}

/** L4: when all is healed, every reader in its last life and every group got to the end of the log. */
export const reachedEnd: HistoryRule = {
  invariant: 'L4',
  judge(history, finding) {
    if (!history.isDurable) return
    if (!history.evidence.isFinalReadComplete) return finding.unknown()
    const { facts } = history
    const reached = furthest(history)
    const check = (who: string, topic: string, partition: number): void => {
      const log = history.partitions.get(`${topic}-${partition}`)
      if (log === undefined || !history.isLasting(topic)) return
      const end = workloadEnd(history, log)
      if (end === 0) return
      finding.look()
      const next = reached.get(`${who} ${log.name}`) ?? 0
      if (next >= end) return
      finding.violated(
        log.polls.at(-1)?.atMs ?? 0,
        `${who} got to ${next} of ${log.name}, which ends at ${end}`,
      )
    }
    for (const { name, topic, partitions } of facts.readers) {
      for (const partition of partitions) check(`reader ${name}`, topic, partition)
    }
    for (const { groupId, topic } of facts.groups.values()) {
      for (let at = 0; at < facts.partitionsOf(topic); at += 1) check(`group ${groupId}`, topic, at)
    }
  },
}

/** After the last record of the workload: what the harness sends when readers have stopped is not for them. */
function workloadEnd(history: HistoryIndex, { topic, finalLog }: PartitionHistory): number {
  const isForeign = history.facts.foreignTopics.has(topic)
  let end = 0
  for (const [offset, { value }] of finalLog) {
    const sender = history.sendOf.get(value)?.process
    const counts = sender === undefined ? isForeign : history.facts.isWorkload(sender)
    if (counts) end = Math.max(end, offset + 1)
  }
  return end
}

/** How far each reader in its last life, and each group, has got in each partition. */
function furthest(history: HistoryIndex): ReadonlyMap<string, number> {
  const lastLives = lastLivesOf(history.polls.map(({ process }) => process))
  const reached = new Map<string, number>()
  for (const { operation, process, isRefused } of history.polls) {
    const { topic, partition, purpose, position, records = [] } = operation
    if (isRefused || purpose === 'final') continue
    const actor = actorOf(process)
    if (purpose === 'reader' && lastLives.get(actor) !== process) continue
    const group = purpose === 'group' ? history.facts.groupOf(process)?.groupId : undefined
    const who = group === undefined ? `reader ${actor}` : `group ${group}`
    const key = `${who} ${topic}-${partition}`
    const next = Math.max((records.at(-1)?.offset ?? -1) + 1, position)
    reached.set(key, Math.max(next, reached.get(key) ?? 0))
  }
  return reached
}

/** The newest process of each actor. */
function lastLivesOf(processes: readonly string[]): ReadonlyMap<string, string> {
  const last = new Map<string, string>()
  for (const process of processes) last.set(actorOf(process), process)
  return last
}
