import type { Finding } from './finding.ts'
import type { HistoryIndex, Send } from './history-index.ts'
import type { HistoryRule } from './history-rule.ts'
import { isCommitted, type PartitionHistory } from './partition-history.ts'
import { ReadRanges } from './read-ranges.ts'

/**
 * D1: a record acknowledged with acks=all is in the final log at its offset. Besides, and without a final read:
 * of a range that any reader went through, every acknowledged record was read by someone. acks=1 and acks=0
 * promise nothing that a history can hold them to.
 */
export const durability: HistoryRule = {
  invariant: 'D1',
  judge(history, finding) {
    if (!history.isDurable) return
    for (const partition of history.lastingPartitions()) {
      const acked = expected(history, partition)
      finding.look(acked.length)
      if (acked.length === 0) continue
      checkRead(partition, acked, finding)
      if (history.evidence.isFinalReadComplete && partition.hasFinalRead) {
        checkFinal(partition, acked, finding)
      } else finding.unknown()
    }
  },
}

/** What no retention and no compaction may have removed. */
function expected(history: HistoryIndex, partition: PartitionHistory): readonly Send[] {
  const { topic } = partition
  const start = history.facts.mayExpire(topic) ? partition.logStart : 0
  const acked = partition.sends.filter((send) => isCommitted(send) && send.offset >= start)
  if (!history.facts.isCompacted(topic)) return acked
  const newest = new Map<string | null, number>()
  for (const [offset, { key }] of partition.finalLog) {
    newest.set(key, Math.max(offset, newest.get(key) ?? -1))
  }
  return acked.filter(({ operation, offset }) => offset >= (newest.get(operation.key) ?? -1))
}

function checkFinal(partition: PartitionHistory, acked: readonly Send[], finding: Finding): void {
  for (const { operation, offset, endedMs } of acked) {
    const found = partition.finalLog.get(offset)
    if (found?.value === operation.value) continue
    const instead = found === undefined ? 'is gone' : `was replaced by ${found.value}`
    finding.violated(
      endedMs,
      `${operation.value} was acknowledged at offset ${offset} of ${partition.name} and ${instead}`,
    )
  }
}

function checkRead(partition: PartitionHistory, acked: readonly Send[], finding: Finding): void {
  const ranges = new ReadRanges(partition.polls)
  for (const { operation, offset, endedMs } of acked) {
    if (!ranges.includes(offset) || ranges.wasRead(offset)) continue
    finding.violated(
      endedMs,
      `${operation.value} was acknowledged at offset ${offset} of ${partition.name}; readers went past it and none saw it`,
    )
  }
}
