import type { HistoryRule } from './history-rule.ts'
import type { Send } from './history-index.ts'
import { isCommitted, type PartitionHistory } from './partition-history.ts'
import type { Finding } from './finding.ts'

/**
 * R3 as clients see it: two acknowledged records never share an offset, and what is read at an acknowledged
 * offset is that record. An offset acknowledged by the leader alone may be given again after a failover.
 */
export const offsetAssignment: HistoryRule = {
  invariant: 'R3',
  judge(history, finding) {
    if (!history.isDurable) return
    for (const partition of history.lastingPartitions()) checkOffsets(partition, finding)
  },
}

/**
 * R4: per partition, what is sent after another's acknowledgement lies behind it. Of a send without an answer
 * counts the place at which the final read found it: each of its attempts began after its invocation.
 */
export const realTimeOrder: HistoryRule = {
  invariant: 'R4',
  judge(history, finding) {
    if (!history.isDurable) return
    for (const partition of history.lastingPartitions()) checkOrder(partition, finding)
  },
}

function checkOffsets(partition: PartitionHistory, finding: Finding): void {
  const acked = new Map<number, Send>()
  for (const send of partition.sends) {
    if (!isCommitted(send)) continue
    finding.look()
    const { value } = send.operation
    const other = acked.get(send.offset)
    acked.set(send.offset, send)
    if (other === undefined || other.operation.value === value) continue
    finding.violated(
      send.endedMs,
      `${value} and ${other.operation.value} were both acknowledged at offset ${send.offset} of ${partition.name}`,
    )
  }
  for (const { operation, atMs } of partition.polls) {
    for (const { offset, value } of operation.records ?? []) {
      const send = acked.get(offset)
      if (send === undefined) continue
      finding.look()
      if (send.operation.value === value) continue
      finding.violated(
        atMs,
        `${send.operation.value} was acknowledged at offset ${offset} of ${partition.name}, read there was ${value}`,
      )
    }
  }
}

function checkOrder(partition: PartitionHistory, finding: Finding): void {
  const acked = partition.sends.filter(isCommitted).sort((a, b) => a.endedIndex - b.endedIndex)
  let next = 0
  let last: Send | undefined
  for (const send of partition.sends) {
    for (; next < acked.length; next += 1) {
      const earlier = acked[next]
      if (earlier === undefined || earlier.endedIndex > send.invokedIndex) break
      if (last === undefined || earlier.offset > last.offset) last = earlier
    }
    if (last === undefined || send.operation.expects !== undefined) continue
    const offset = isCommitted(send)
      ? send.offset
      : partition.finalOffsets.get(send.operation.value)
    if (offset === undefined) continue
    finding.look()
    if (offset > last.offset) continue
    const { value } = send.operation
    finding.violated(
      send.endedMs,
      `${value} was sent after ${last.operation.value} was acknowledged at offset ${last.offset} of ${partition.name}, and is at ${offset}`,
    )
  }
}
