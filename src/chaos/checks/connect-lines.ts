import type { Finding } from './finding.ts'
import type { HistoryIndex } from './history-index.ts'
import type { HistoryRule } from './history-rule.ts'

/** C1: every line whose source offset was committed is in Kafka, as `task:sequence`. */
export const committedLines: HistoryRule = {
  invariant: 'C1',
  judge(history, finding) {
    if (!history.isDurable) return
    const committed = linesOf(history, 'line-committed')
    if (committed.size === 0) return
    const written = writtenLines(history)
    if (written === null) return finding.unknown()
    for (const [line, atMs] of committed) {
      finding.look()
      if (!written.has(line))
        finding.violated(atMs, `line ${line} was committed and is not in Kafka`)
    }
  },
}

/** C2 as a history shows it: the committed offset of a source never goes back. */
export const sourceOffsets: HistoryRule = {
  invariant: 'C2',
  judge(history, finding) {
    const last = new Map<string, number>()
    for (const { operation, atMs } of history.lines) {
      if (operation.op !== 'line-committed') continue
      const { task, sequence } = operation
      const before = last.get(task)
      last.set(task, Math.max(sequence, before ?? -1))
      if (before === undefined) continue
      finding.look()
      if (sequence >= before) continue
      finding.violated(atMs, `the source offset of ${task} went from ${before} back to ${sequence}`)
    }
  },
}

/** C4: a sink gets every line of a source up to the furthest, in an order without holes. */
export const sunkLines: HistoryRule = {
  invariant: 'C4',
  judge(history, finding) {
    if (!history.isDurable) return
    const furthest = new Map<string, number>()
    for (const { operation, atMs } of history.lines) {
      if (operation.op !== 'line-sunk') continue
      const { task, sequence } = operation
      const before = furthest.get(task) ?? -1
      finding.look()
      if (sequence > before + 1) {
        finding.violated(atMs, `${task} was sunk up to ${before}, then ${sequence}: it skipped`)
      }
      furthest.set(task, Math.max(before, sequence))
    }
    checkAllSunk(history, furthest, finding)
  },
}

/** When all is healed, what was committed was sunk too. */
function checkAllSunk(
  history: HistoryIndex,
  furthest: ReadonlyMap<string, number>,
  finding: Finding,
): void {
  if (!history.evidence.isFinalReadComplete) return
  const committed = new Map<string, { readonly sequence: number; readonly atMs: number }>()
  for (const { operation, atMs } of history.lines) {
    if (operation.op !== 'line-committed') continue
    const { task, sequence } = operation
    if (sequence > (committed.get(task)?.sequence ?? -1)) committed.set(task, { sequence, atMs })
  }
  for (const [task, { sequence, atMs }] of committed) {
    finding.look()
    const sunk = furthest.get(task) ?? -1
    if (sunk < sequence) {
      finding.violated(atMs, `line ${sequence} of ${task} was committed, and sunk was only ${sunk}`)
    }
  }
}

function linesOf(
  history: HistoryIndex,
  op: 'line-committed' | 'line-sunk',
): ReadonlyMap<string, number> {
  const lines = new Map<string, number>()
  for (const { operation, atMs } of history.lines) {
    if (operation.op !== op) continue
    const line = `${operation.task}:${operation.sequence}`
    if (!lines.has(line)) lines.set(line, atMs)
  }
  return lines
}

/** Values of the final logs of the topics that Connect writes; null when one was not read. */
function writtenLines(history: HistoryIndex): ReadonlySet<string> | null {
  if (!history.evidence.isFinalReadComplete) return null
  const values = new Set<string>()
  let isRead = false
  for (const partition of history.lastingPartitions()) {
    if (!history.facts.foreignTopics.has(partition.topic)) continue
    isRead ||= partition.hasFinalRead
    for (const { value } of partition.finalLog.values()) values.add(value)
  }
  return isRead ? values : null
}
