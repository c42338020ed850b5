import { present } from '../../base/assert.ts'
import type { HistoryEntry } from '../history/history.ts'
import type {
  CommitOperation,
  CommittedOperation,
  LineOperation,
  ListOffsetsOperation,
  OwnershipOperation,
  PollOperation,
  SendOperation,
  TaskFailureOperation,
} from '../history/operation.ts'
import type { HistoryEvidence } from './history-check.ts'
import { PartitionHistory } from './partition-history.ts'
import { PlanFacts } from './plan-facts.ts'
import { withoutGarble } from './unchecked-reads.ts'

/** Later than every entry: the end of what never ended. */
export const NEVER = Number.MAX_SAFE_INTEGER

/** A send from its invocation to its end. */
export interface Send {
  readonly process: string
  operation: SendOperation
  readonly invokedIndex: number
  readonly invokedMs: number
  /** `NEVER` when it has no end. */
  endedIndex: number
  endedMs: number
  /** `info` too when it has no end. */
  kind: 'ok' | 'fail' | 'info'
  /** Of an `ok`; -1 otherwise. */
  offset: number
}

export interface Poll {
  readonly operation: PollOperation
  readonly process: string
  /** Its place in the history: where it ended. */
  readonly index: number
  readonly atMs: number
  readonly isRefused: boolean
}

/** An entry whose operation is known to be of some kind. */
export type EntryOf<T> = HistoryEntry & { readonly operation: T }

/** A history taken apart once, by partition, for all rules. */
export class HistoryIndex {
  readonly evidence: HistoryEvidence
  readonly facts: PlanFacts
  /** In the order of invocation. */
  readonly sends: Send[] = []
  /** Answered and refused ones, in the order of their ends. */
  readonly polls: Poll[] = []
  /** Of list-offsets, commit and committed: every entry. */
  readonly others: EntryOf<ListOffsetsOperation | CommitOperation | CommittedOperation>[] = []
  readonly ownerships: EntryOf<OwnershipOperation>[] = []
  readonly lines: EntryOf<LineOperation>[] = []
  readonly taskFailures: EntryOf<TaskFailureOperation>[] = []
  readonly partitions = new Map<string, PartitionHistory>()
  /** First send of each value. */
  readonly sendOf = new Map<string, Send>()
  /** Invocations that have no end. */
  readonly unended: readonly HistoryEntry[]
  readonly #deleted = new Set<string>()

  constructor(evidence: HistoryEvidence) {
    this.evidence = evidence
    this.facts = new PlanFacts(evidence.plan)
    const open = new Map<number, HistoryEntry>()
    const openSends = new Map<number, Send>()
    for (const entry of evidence.entries) {
      if (entry.kind === 'invoke') open.set(entry.index, entry)
      else open.delete(entry.of)
      this.#add(entry, openSends)
    }
    this.unended = [...open.values()]
    if (this.facts.bitFlips > 0) this.#mendUncheckedReads()
  }

  /** What was committed stays committed: no fault goes over the budget, no election was unclean. */
  get isDurable(): boolean {
    const { budget } = this.evidence
    return budget.holdsDurability && !budget.isUnclean
  }

  /** What is asked now is answered by the leader or coordinator that is one, not by one that was replaced. */
  seesNoZombies(atMs: number): boolean {
    return this.facts.hasNoZombies || atMs >= (this.evidence.healedAtMs ?? Infinity)
  }

  /** Partitions whose offsets mean the same throughout the run. */
  *lastingPartitions(): Iterable<PartitionHistory> {
    for (const partition of this.partitions.values()) {
      if (this.isLasting(partition.topic)) yield partition
    }
  }

  isLasting(topic: string): boolean {
    return !this.#deleted.has(topic) && !this.facts.isRecreated(topic)
  }

  #add(entry: HistoryEntry, openSends: Map<number, Send>): void {
    const { operation } = entry
    switch (operation.op) {
      case 'send':
        return this.#addSend(entry, operation, openSends)
      case 'poll':
        return this.#addPoll(entry, operation)
      case 'assigned':
      case 'revoked':
      case 'lost':
        this.ownerships.push({ ...entry, operation })
        return
      case 'line-committed':
      case 'line-sunk':
        this.lines.push({ ...entry, operation })
        return
      case 'task-failed':
        this.taskFailures.push({ ...entry, operation })
        return
      case 'delete-topic':
        if (entry.kind !== 'fail') this.#deleted.add(operation.topic)
        return
      case 'list-offsets':
      case 'commit':
      case 'committed':
        this.others.push({ ...entry, operation })
        return
      default:
    }
  }

  #addSend(entry: HistoryEntry, operation: SendOperation, openSends: Map<number, Send>): void {
    if (entry.kind === 'invoke') {
      const send: Send = {
        process: entry.process,
        operation,
        invokedIndex: entry.index,
        invokedMs: entry.atMs,
        endedIndex: NEVER,
        endedMs: entry.atMs,
        kind: 'info',
        offset: -1,
      }
      this.sends.push(send)
      openSends.set(entry.index, send)
      if (operation.expects !== 'duplicate') this.sendOf.set(operation.value, send)
      this.#partition(operation.topic, operation.partition).sends.push(send)
      return
    }
    const send = present(openSends.get(entry.of), 'the invocation of a send that ended')
    openSends.delete(entry.of)
    send.endedIndex = entry.index
    send.endedMs = entry.atMs
    send.kind = entry.kind
    send.offset = operation.offset ?? -1
    send.operation = operation
  }

  #addPoll(entry: HistoryEntry, operation: PollOperation): void {
    if (entry.kind !== 'ok' && entry.kind !== 'fail') return
    const { process, index, atMs } = entry
    const poll: Poll = { operation, process, index, atMs, isRefused: entry.kind === 'fail' }
    this.polls.push(poll)
    this.#partition(operation.topic, operation.partition).addPoll(poll)
  }

  #mendUncheckedReads(): void {
    const garbled = new Map<string, number>()
    for (const [at, poll] of this.polls.entries()) {
      const { process } = poll
      if (!this.facts.skipsCrc(process)) continue
      const partition = this.#partition(poll.operation.topic, poll.operation.partition)
      const mended = partition.mend(poll)
      this.polls[at] = mended
      const sound = withoutGarble(mended)
      const count = garbled.get(process) ?? 0
      // Each flipped bit is in one batch, which a process may read once more than another did.
      if (sound === null || count >= this.facts.misleadingFlips(process)) continue
      garbled.set(process, count + 1)
      partition.replace(mended, sound)
      this.polls[at] = sound
    }
  }

  #partition(topic: string, partition: number): PartitionHistory {
    const key = `${topic}-${partition}`
    let found = this.partitions.get(key)
    if (found === undefined) {
      found = new PartitionHistory(topic, partition)
      this.partitions.set(key, found)
    }
    return found
  }
}
