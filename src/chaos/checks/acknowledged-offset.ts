import type { HistoryRule } from './history-rule.ts'
import type { HistoryIndex, Send } from './history-index.ts'
import type { Finding } from './finding.ts'
import { isCommitted } from './partition-history.ts'

/**
 * D6: the offset of an acknowledgement is the real one, and that of a repeated send is the offset of the first.
 * Not of acks=1: a leader that acknowledged alone may lose the record, and another attempt of it may survive.
 */
export const acknowledgedOffset: HistoryRule = {
  invariant: 'D6',
  judge(history, finding) {
    for (const send of history.sends) {
      if (send.kind !== 'ok' || send.operation.acks === 0) continue
      checkNumber(send, finding)
      if (!history.isDurable || !history.isLasting(send.operation.topic)) continue
      if (send.operation.expects === 'duplicate') checkRepeat(send, finding)
      else checkPlace(history, send, finding)
    }
  },
}

function checkNumber({ operation, offset, endedMs }: Send, finding: Finding): void {
  finding.look()
  if (offset >= 0) return
  const { value, topic, partition } = operation
  finding.violated(
    endedMs,
    `${value} was acknowledged by ${topic}-${partition} at offset ${offset}`,
  )
}

function checkRepeat({ operation, offset, endedMs }: Send, finding: Finding): void {
  const { value, topic, partition, originalOffset } = operation
  if (originalOffset === undefined) return
  finding.look()
  if (offset === originalOffset) return
  finding.violated(
    endedMs,
    `${value} is at offset ${originalOffset} of ${topic}-${partition}; a repeat was answered with ${offset}`,
  )
}

/** In the log it is where it was said to be. That it is gone altogether is D1. */
function checkPlace(history: HistoryIndex, send: Send, finding: Finding): void {
  if (!isCommitted(send)) return
  const { value, topic, partition } = send.operation
  const log = history.partitions.get(`${topic}-${partition}`)
  const found = log?.finalOffsets.get(value)
  if (log === undefined || found === undefined) return
  finding.look()
  if (found === send.offset || log.finalLog.get(send.offset)?.value === value) return
  finding.violated(
    send.endedMs,
    `${value} was acknowledged at offset ${send.offset} of ${topic}-${partition} and is at ${found}`,
  )
}
