import type { HistoryEntry } from '../history/history.ts'
import type { CommitOperation } from '../history/operation.ts'
import type { ClusterState, StateCheck, StateReport } from './state-check.ts'

/** The commits of one partition by one group. */
interface Commits {
  /** How many commits with this offset may have taken effect. */
  readonly possible: Map<number, number>
  /** Offsets that a refused commit had. */
  readonly refused: Set<number>
}

/**
 * G3 Stale commits fenced. A commit that was acknowledged had a generation that nobody had outlived: no member
 * was told a later one before the commit began. A refused commit changes nothing: what a coordinator holds is
 * never an offset that only refused commits had.
 */
export class GroupCommitsCheck implements StateCheck {
  readonly invariants = ['G3'] as const
  readonly #state: ClusterState
  readonly #report: StateReport
  readonly #groups = new Map<string, Map<string, Commits>>()
  readonly #told = new Map<string, number>()
  /** What was told when a commit began, by the index of its invocation. */
  readonly #toldAt = new Map<number, number>()

  constructor(state: ClusterState, report: StateReport) {
    this.#state = state
    this.#report = report
  }

  onHistory(entry: HistoryEntry): void {
    const { operation } = entry
    if (operation.op === 'assigned') {
      const told = this.#told.get(operation.group) ?? -1
      this.#told.set(operation.group, Math.max(told, operation.generation))
    }
    if (operation.op === 'commit') this.#onCommit(entry, operation)
  }

  atBarrier(): void {
    this.#checkHeld()
  }

  atEnd(): void {
    this.#checkHeld()
  }

  #onCommit({ kind, index, of }: HistoryEntry, commit: CommitOperation): void {
    const { possible, refused } = this.#commitsOf(commit)
    const { offset } = commit
    const count = possible.get(offset) ?? 0
    if (kind === 'invoke') {
      possible.set(offset, count + 1)
      this.#toldAt.set(index, this.#told.get(commit.group) ?? -1)
      return
    }
    const told = this.#toldAt.get(of)
    this.#toldAt.delete(of)
    if (kind === 'fail') {
      refused.add(offset)
      possible.set(offset, count - 1)
    }
    if (kind !== 'ok' || told === undefined || commit.generation < 0) return
    if (!this.#state.budget.holdsDurability) return
    this.#report.evaluated('G3')
    if (commit.generation >= told) return
    const what = `${commit.member} committed ${offset} of ${commit.topic}-${commit.partition}`
    const when = `in generation ${commit.generation} of ${commit.group}`
    this.#report.violated('G3', `${what} ${when}, after generation ${told} had begun`)
  }

  #checkHeld(): void {
    if (this.#groups.size === 0) return
    for (const node of this.#state.nodes.values()) {
      for (const shard of node.groupShards()) {
        if (!shard.isActive) continue
        for (const { groupId, offsets } of shard.groups()) {
          const commits = this.#groups.get(groupId)
          if (commits === undefined) continue
          for (const [key, offset] of offsets) this.#checkOffset(groupId, key, offset, commits)
        }
      }
    }
  }

  #checkOffset(
    groupId: string,
    key: string,
    offset: number,
    commits: ReadonlyMap<string, Commits>,
  ): void {
    const known = commits.get(key)
    if (known === undefined || known.refused.size === 0) return
    this.#report.evaluated('G3')
    if (!known.refused.has(offset) || (known.possible.get(offset) ?? 0) > 0) return
    const message = `group ${groupId} holds ${offset} for ${key}, which only refused commits had`
    this.#report.violated('G3', message)
  }

  #commitsOf({ group, topic, partition }: CommitOperation): Commits {
    const partitions = this.#groups.get(group) ?? new Map<string, Commits>()
    this.#groups.set(group, partitions)
    const key = `${topic}-${partition}`
    const commits = partitions.get(key) ?? { possible: new Map(), refused: new Set() }
    partitions.set(key, commits)
    return commits
  }
}
