import type { Finding } from './finding.ts'
import type { HistoryIndex, Poll } from './history-index.ts'
import type { HistoryRule } from './history-rule.ts'
import { isCommitted, type PartitionHistory } from './partition-history.ts'
import { countUpTo } from './read-ranges.ts'

/**
 * D5: within an assignment a reader's offsets increase and no visible record is skipped; a new assignment begins
 * at the committed offset, or with the first record. Visible is what anyone read, and what was acknowledged with
 * acks=all. Gaps without such a record are no skips: a log may have offsets that no reader is shown.
 */
export const readOrder: HistoryRule = {
  invariant: 'D5',
  judge(history, finding) {
    const starts = new CommittedStarts(history)
    for (const partition of history.lastingPartitions()) {
      new OrderCheck(history, partition, starts, finding).run()
    }
  },
}

/** What each process was told of a partition's committed offset, by the place in the history. */
class CommittedStarts {
  readonly #answers = new Map<string, { readonly indexes: number[]; readonly offsets: number[] }>()

  constructor(history: HistoryIndex) {
    for (const { operation, kind, process, index } of history.others) {
      if (operation.op !== 'committed' || kind !== 'ok' || operation.offset === undefined) continue
      const key = `${process} ${operation.topic}-${operation.partition}`
      let answers = this.#answers.get(key)
      if (answers === undefined) this.#answers.set(key, (answers = { indexes: [], offsets: [] }))
      answers.indexes.push(index)
      answers.offsets.push(operation.offset)
    }
  }

  /** The newest answer between two places of the history; null when there is none. */
  between(process: string, name: string, after: number, before: number): number | null {
    const answers = this.#answers.get(`${process} ${name}`)
    if (answers === undefined) return null
    const place = countUpTo(answers.indexes, before) - 1
    return (answers.indexes[place] ?? -1) < after ? null : (answers.offsets[place] ?? null)
  }
}

interface Cursor {
  /** The offset to go on at; null after a refusal that resets the position. */
  next: number | null
  lastIndex: number
  /** How often the reader may still be misled: once by each flipped bit, if it does not look at CRCs. */
  excuses: number
}

class OrderCheck {
  readonly #history: HistoryIndex
  readonly #partition: PartitionHistory
  readonly #starts: CommittedStarts
  readonly #finding: Finding
  readonly #visible: Record<'all' | 'committed', readonly number[]>
  readonly #cursors = new Map<string, Cursor>()

  constructor(
    history: HistoryIndex,
    partition: PartitionHistory,
    starts: CommittedStarts,
    finding: Finding,
  ) {
    this.#history = history
    this.#partition = partition
    this.#starts = starts
    this.#finding = finding
    const maySkip = !history.isDurable || history.facts.isCompacted(partition.topic)
    this.#visible = {
      all: maySkip ? [] : visibleOffsets(partition, () => true),
      committed: maySkip
        ? []
        : visibleOffsets(partition, ({ operation }) => operation.isolation === 'read_committed'),
    }
  }

  run(): void {
    for (const poll of this.#partition.polls) {
      const key = `${poll.process} ${poll.operation.purpose}`
      let cursor = this.#cursors.get(key)
      if (cursor === undefined) {
        const excuses = this.#history.facts.misleadingFlips(poll.process)
        this.#cursors.set(key, (cursor = { next: null, lastIndex: -1, excuses }))
      }
      if (!poll.isRefused) this.#checkPoll(poll, cursor)
      else if (poll.operation.error === 'OFFSET_OUT_OF_RANGE') this.#reset(poll, cursor)
    }
  }

  /**
   * The refused position is given up. Where the log may have been lost it was the committed one too: an
   * answer from before the refusal says no more where to begin.
   */
  #reset({ index }: Poll, cursor: Cursor): void {
    cursor.next = null
    if (!this.#history.isDurable) cursor.lastIndex = index
  }

  #checkPoll(poll: Poll, cursor: Cursor): void {
    const { position, isFirst, records = [] } = poll.operation
    if (isFirst) this.#checkStart(poll, cursor)
    else if (cursor.next !== null) {
      this.#finding.look()
      if (position < cursor.next) {
        this.#violated(poll, cursor, `went back from ${cursor.next} to ${position}`)
      } else this.#checkGap(poll, cursor, cursor.next, position)
    }
    let next = position
    for (const { offset } of records) {
      this.#finding.look()
      if (offset < next) this.#violated(poll, cursor, `read offset ${offset} when ${next} was due`)
      else this.#checkGap(poll, cursor, next, offset)
      next = Math.max(next, offset + 1)
    }
    cursor.next = next
    cursor.lastIndex = poll.index
  }

  #checkStart(poll: Poll, cursor: Cursor): void {
    const { operation, process, index } = poll
    const { position } = operation
    if (operation.purpose !== 'group') {
      this.#finding.look()
      return this.#checkGap(poll, cursor, 0, position)
    }
    const committed = this.#starts.between(process, this.#partition.name, cursor.lastIndex, index)
    if (committed === null) return
    this.#finding.look()
    if (committed < 0) return this.#checkGap(poll, cursor, 0, position)
    if (position === committed || this.#history.facts.mayExpire(this.#partition.topic)) return
    this.#violated(poll, cursor, `began at ${position}, committed was ${committed}`)
  }

  /** No visible record lies in [from, to). */
  #checkGap(poll: Poll, cursor: Cursor, from: number, to: number): void {
    if (to <= from) return
    const { topic, logStart } = this.#partition
    const isCommittedOnly = poll.operation.isolation === 'read_committed'
    const visible = isCommittedOnly ? this.#visible.committed : this.#visible.all
    const begin = this.#history.facts.mayExpire(topic) ? Math.max(from, logStart) : from
    const first = visible[countUpTo(visible, begin - 1)]
    if (first === undefined || first >= to) return
    this.#violated(poll, cursor, `went on from ${from} to ${to} and skipped the record at ${first}`)
  }

  #violated(poll: Poll, cursor: Cursor, what: string): void {
    cursor.excuses -= 1
    if (cursor.excuses >= 0) return
    this.#finding.violated(poll.atMs, `${poll.process} on ${this.#partition.name} ${what}`)
  }
}

function visibleOffsets(
  partition: PartitionHistory,
  counts: (poll: Poll) => boolean,
): readonly number[] {
  const offsets = new Set<number>()
  for (const poll of partition.polls) {
    if (!counts(poll)) continue
    for (const { offset } of poll.operation.records ?? []) offsets.add(offset)
  }
  for (const send of partition.sends) if (isCommitted(send)) offsets.add(send.offset)
  return [...offsets].sort((a, b) => a - b)
}
