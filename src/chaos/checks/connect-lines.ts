import type { LineOperation } from '../history/operation.ts'
import type { Finding } from './finding.ts'
import type { HistoryIndex } from './history-index.ts'
import type { HistoryRule } from './history-rule.ts'

/** C1: every line up to the source offset that was committed is in Kafka, as `task#sequence`. */
export const committedLines: HistoryRule = {
  invariant: 'C1',
  judge(history, finding) {
    if (!keepsLines(history)) return
    const furthest = furthestOf(history, ['line-committed'])
    if (furthest.size === 0) return
    const written = writtenLines(history)
    if (written === null) return finding.unknown()
    checkAll(furthest, (line) => written.has(line), 'is not in Kafka', finding)
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

/** C4: when all is healed, a sink was given every line up to the furthest that was committed or sunk. */
export const sunkLines: HistoryRule = {
  invariant: 'C4',
  judge(history, finding) {
    if (!keepsLines(history)) return
    const furthest = furthestOf(history, ['line-committed', 'line-sunk'])
    if (furthest.size === 0) return
    if (!history.evidence.isFinalReadComplete) return finding.unknown()
    const sunk = new Set<string>()
    for (const { operation } of history.lines) {
      if (operation.op === 'line-sunk') sunk.add(`${operation.task}#${operation.sequence}`)
    }
    checkAll(furthest, (line) => sunk.has(line), 'was never sunk', finding)
  },
}

/**
 * L5 of Connect: no fault that brokers survive makes a task fail. One that the cluster loses records of may: an
 * idempotent producer is told then that there is a gap before what it sends.
 */
export const runningTasks: HistoryRule = {
  invariant: 'L5',
  judge(history, finding) {
    if (!history.isDurable) return
    finding.look(new Set(history.lines.map(({ operation }) => operation.task)).size)
    for (const { operation, atMs } of history.taskFailures) {
      finding.violated(atMs, `task ${operation.task} failed: ${operation.error}`)
    }
  },
}

/** Every line that was stored is there to be read, now and at the end. */
function keepsLines(history: HistoryIndex): boolean {
  const { facts, isDurable } = history
  const isKept = (topic: string): boolean =>
    !facts.mayExpire(topic) && !facts.isCompacted(topic) && history.isLasting(topic)
  return isDurable && [...facts.foreignTopics].every(isKept)
}

interface Furthest {
  readonly sequence: number
  readonly atMs: number
}

/** The greatest sequence of each task. */
function furthestOf(
  history: HistoryIndex,
  ops: readonly LineOperation['op'][],
): ReadonlyMap<string, Furthest> {
  const furthest = new Map<string, Furthest>()
  for (const { operation, atMs } of history.lines) {
    const { op, task, sequence } = operation
    const known = furthest.get(task)?.sequence ?? -1
    if (ops.includes(op) && sequence > known) furthest.set(task, { sequence, atMs })
  }
  return furthest
}

function checkAll(
  furthest: ReadonlyMap<string, Furthest>,
  has: (line: string) => boolean,
  problem: string,
  finding: Finding,
): void {
  for (const [task, { sequence, atMs }] of furthest) {
    for (let each = 0; each <= sequence; each += 1) {
      finding.look()
      if (has(`${task}#${each}`)) continue
      finding.violated(atMs, `line ${each} of ${task} ${problem}; it had got to ${sequence}`)
    }
  }
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
