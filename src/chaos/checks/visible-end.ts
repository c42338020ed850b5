import type { Finding } from './finding.ts'
import type { HistoryRule } from './history-rule.ts'
import type { HistoryIndex } from './history-index.ts'
import { Greatest } from './greatest.ts'

/**
 * R11 as clients see it: answers to ListOffsets(latest) never decrease in real time, and a reader that only
 * went forward is not told that its position is out of range while nothing was deleted. A replaced leader that
 * does not know it yet answers from its old state, in Apache Kafka too; a client that named the newer leader
 * epoch before is safe from it. So answers to different clients are compared only where no fault makes one.
 */
export const visibleEnd: HistoryRule = {
  invariant: 'R11',
  judge(history, finding) {
    if (!history.isDurable) return
    checkLatest(history, finding)
    checkRanges(history, finding)
  },
}

function checkLatest(history: HistoryIndex, finding: Finding): void {
  const bySource = new Map<string, Greatest>()
  const floors = new Map<number, number>()
  const seenBy = (key: string): Greatest => {
    const seen = bySource.get(key) ?? new Greatest()
    bySource.set(key, seen)
    return seen
  }
  for (const { operation, process, kind, index, of, atMs } of history.others) {
    if (operation.op !== 'list-offsets' || operation.which !== 'latest') continue
    if (!history.isLasting(operation.topic)) continue
    const name = `${operation.topic}-${operation.partition}`
    const own = seenBy(`${process} ${name}`)
    const all = seenBy(name)
    const greatest = history.seesNoZombies(atMs) ? all.value : own.value
    if (kind === 'invoke') floors.set(index, greatest)
    if (kind !== 'ok' || operation.offset === undefined) continue
    const floor = floors.get(of) ?? greatest
    floors.delete(of)
    own.raise(operation.offset)
    all.raise(operation.offset)
    if (floor < 0) continue
    finding.look()
    if (operation.offset >= floor) continue
    finding.violated(atMs, `the latest offset of ${name} was ${floor}, later ${operation.offset}`)
  }
}

function checkRanges(history: HistoryIndex, finding: Finding): void {
  for (const partition of history.lastingPartitions()) {
    if (history.facts.mayExpire(partition.topic)) continue
    for (const { operation, isRefused, atMs } of partition.polls) {
      // Where a member of a group begins was told by a commit, not by what it has read.
      if (operation.isFirst && operation.purpose === 'group') continue
      finding.look()
      if (!isRefused || operation.error !== 'OFFSET_OUT_OF_RANGE') continue
      finding.violated(
        atMs,
        `position ${operation.position} of ${partition.name} was refused as out of range, and nothing was deleted`,
      )
    }
  }
}
