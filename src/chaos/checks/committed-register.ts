import type { HistoryEntry } from '../history/history.ts'
import {
  PROBE_OFFSET,
  type CommitOperation,
  type CommittedOperation,
} from '../history/operation.ts'
import type { Finding } from './finding.ts'
import { Greatest } from './greatest.ts'
import { NEVER, type HistoryIndex } from './history-index.ts'
import type { HistoryRule } from './history-rule.ts'

/**
 * G3 as clients see it: once any member was given its partitions in a newer generation, a commit of an older one
 * is refused, and so is one of a membership that was lost. A commit without a generation (-1) belongs to no member.
 */
export const staleCommits: HistoryRule = {
  invariant: 'G3',
  judge(history, finding) {
    if (!history.isDurable) return
    const newest = newestGenerations(history)
    for (const { operation, invokedIndex, endedIndex, kind, atMs } of commitsOf(history)) {
      const { group, generation, member, expects } = operation
      if (generation < 0 || endedIndex === NEVER) continue
      const current = newest.get(group)?.before(invokedIndex) ?? -1
      if (current <= generation && expects === undefined) continue
      finding.look()
      if (kind !== 'ok') continue
      const now =
        current > generation ? `which was in ${current}` : 'when it was no member any more'
      finding.violated(atMs, `${member} committed in generation ${generation} of ${group}, ${now}`)
    }
    checkProbes(history, finding)
  },
}

/**
 * G4: the committed offset is a register. An answer is wrong when every commit of that offset was overwritten
 * by one that began later and was acknowledged before the question, or when an earlier answer had already
 * shown such a later commit. A commit without an answer may take effect at any later time. Members ask the
 * coordinator that let them in; who asks from outside may be answered by one that was replaced and does not know.
 */
export const committedRegister: HistoryRule = {
  invariant: 'G4',
  judge(history, finding) {
    if (!history.isDurable) return
    const registers = new Map<string, Register>()
    for (const commit of commitsOf(history)) registerOf(registers, commit.operation).add(commit)
    for (const entry of history.others) {
      const { operation } = entry
      if (operation.op === 'list-offsets' || !history.isLasting(operation.topic)) continue
      const register = registerOf(registers, operation)
      const isMember = history.facts.groupOf(entry.process) !== null
      const mayJudge = isMember || history.seesNoZombies(entry.atMs)
      register.see(entry, operation, mayJudge ? finding : null)
    }
  },
}

/** No offset that only refused commits carry is ever seen. */
function checkProbes(history: HistoryIndex, finding: Finding): void {
  for (const { operation, kind, atMs } of history.others) {
    if (operation.op !== 'committed' || kind !== 'ok') continue
    if ((operation.offset ?? -1) < PROBE_OFFSET) continue
    const { group, topic, partition } = operation
    finding.violated(
      atMs,
      `a commit to ${group} that had to be refused took effect on ${topic}-${partition}`,
    )
  }
}

interface Commit {
  readonly operation: CommitOperation
  readonly invokedIndex: number
  endedIndex: number
  kind: 'ok' | 'fail' | 'info'
  atMs: number
}

function commitsOf(history: HistoryIndex): readonly Commit[] {
  const commits = new Map<number, Commit>()
  for (const { operation, kind, index, of, atMs } of history.others) {
    if (operation.op !== 'commit') continue
    let commit = commits.get(of)
    if (commit === undefined) {
      commit = { operation, invokedIndex: of, endedIndex: NEVER, kind: 'info', atMs }
      commits.set(of, commit)
    }
    if (kind === 'invoke') continue
    commit.endedIndex = kind === 'info' ? NEVER : index
    commit.kind = kind
    commit.atMs = atMs
  }
  return [...commits.values()]
}

/** The greatest generation in which any member had been given partitions, by place in the history. */
class Generations {
  readonly #indexes: number[] = []
  readonly #generations: number[] = []

  add(index: number, generation: number): void {
    if (generation <= (this.#generations.at(-1) ?? -1)) return
    this.#indexes.push(index)
    this.#generations.push(generation)
  }

  before(index: number): number {
    let low = 0
    let high = this.#indexes.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#indexes[middle] ?? NEVER) < index) low = middle + 1
      else high = middle
    }
    return this.#generations[low - 1] ?? -1
  }
}

function newestGenerations(history: HistoryIndex): ReadonlyMap<string, Generations> {
  const newest = new Map<string, Generations>()
  for (const { operation, index } of history.ownerships) {
    if (operation.op !== 'assigned') continue
    let generations = newest.get(operation.group)
    if (generations === undefined) newest.set(operation.group, (generations = new Generations()))
    generations.add(index, operation.generation)
  }
  return newest
}

function registerOf(
  registers: Map<string, Register>,
  { group, topic, partition }: CommitOperation | CommittedOperation,
): Register {
  const key = `${group} ${topic}-${partition}`
  let register = registers.get(key)
  if (register === undefined) registers.set(key, (register = new Register()))
  return register
}

/** When an offset was written: from the first commit of it to the end of the last. */
interface Written {
  firstInvoked: number
  lastEnded: number
}

/** One group's committed offset of one partition. */
class Register {
  readonly #written = new Map<number, Written>([[-1, { firstInvoked: -1, lastEnded: -1 }]])
  readonly #commits = new Map<number, Commit>()
  /** Of all that must have taken effect by now, the latest invocation. */
  readonly #latest = new Greatest()
  readonly #atInvoke = new Map<number, number>()

  add(commit: Commit): void {
    this.#commits.set(commit.invokedIndex, commit)
  }

  see(
    { kind, index, of, atMs }: HistoryEntry,
    operation: CommitOperation | CommittedOperation,
    finding: Finding | null,
  ): void {
    if (operation.op === 'commit') {
      if (of === index) this.#begin(index)
      if (kind === 'ok') this.#latest.raise(of)
      return
    }
    if (kind === 'invoke') this.#atInvoke.set(index, this.#latest.value)
    if (kind !== 'ok' || operation.offset === undefined) return
    const latest = this.#atInvoke.get(of) ?? this.#latest.value
    this.#atInvoke.delete(of)
    this.#checkAnswer(operation, operation.offset, latest, atMs, finding)
  }

  #begin(index: number): void {
    const commit = this.#commits.get(index)
    if (commit === undefined || commit.kind === 'fail') return
    const { operation, endedIndex } = commit
    const known = this.#written.get(operation.offset)
    if (known === undefined) {
      this.#written.set(operation.offset, { firstInvoked: index, lastEnded: endedIndex })
    } else known.lastEnded = Math.max(known.lastEnded, endedIndex)
  }

  #checkAnswer(
    { group, topic, partition }: CommittedOperation,
    offset: number,
    latest: number,
    atMs: number,
    finding: Finding | null,
  ): void {
    if (this.#commits.size === 0) return
    finding?.look()
    const where = `committed offset of ${group} for ${topic}-${partition}`
    const written = this.#written.get(offset)
    if (written === undefined) {
      return finding?.violated(atMs, `the ${where} is ${offset}, which nobody committed`)
    }
    this.#latest.raise(written.firstInvoked)
    if (written.lastEnded >= latest) return
    const newer = this.#commits.get(latest)?.operation.offset ?? offset
    finding?.violated(atMs, `the ${where} is ${offset}, after ${newer} was committed later`)
  }
}
