import { type Directory, type Entry, FileTree, type NameChange } from '../base/file-tree.ts'
import type { SimFile } from './sim-file.ts'
import type { SimRandom } from './sim-random.ts'

type SimDirectory = Directory<SimFile>

/** One step on names that is not yet durable: it survives a power cut as a whole or not at all. */
interface NameOperation {
  readonly seq: number
  readonly changes: readonly NameChange<SimFile>[]
}

/**
 * The names of a simulated disk: what programs see, what is durable, and the steps in between. As on a
 * journaling file system the steps of one directory become durable in their order, those of different
 * directories independently, and a rename as a whole. A step is made durable by a sync of a directory
 * that it touches. The removal of a tree is a step for each name in it.
 */
export class SimNamespace {
  readonly tree: FileTree<SimFile>
  /** Durable entries of each directory; a directory that is missing here has none. */
  readonly #durable = new Map<SimDirectory, Map<string, Entry<SimFile>>>()
  #pending: NameOperation[] = []
  #operationCount = 0
  #adopted: SimFile | null = null

  constructor(createFile: () => SimFile) {
    this.tree = new FileTree(
      () => this.#adopted ?? createFile(),
      (changes) => this.#note(changes),
    )
  }

  /** Steps so far; a mark for `settle`. */
  get operationCount(): number {
    return this.#operationCount
  }

  get pendingCount(): number {
    return this.#pending.length
  }

  /** Makes the steps before the mark that touch `directory` durable, and what they rest on. */
  settle(directory: SimDirectory, mark: number): void {
    const touched = new Set([directory])
    const settled = new Set<NameOperation>()
    for (const operation of this.#pending.toReversed()) {
      if (operation.seq >= mark) continue
      if (!operation.changes.some((change) => isUnder(change, touched))) continue
      settled.add(operation)
      for (const change of operation.changes) touched.add(change.directory)
    }
    for (const operation of this.#pending) if (settled.has(operation)) this.#makeDurable(operation)
    this.#pending = this.#pending.filter((operation) => !settled.has(operation))
  }

  /** Gives a file that exists a name. */
  adopt(path: string, file: SimFile): void {
    this.#adopted = file
    this.tree.open(path)
    this.#adopted = null
  }

  settleAll(): void {
    for (const operation of this.#pending) this.#makeDurable(operation)
    this.#pending = []
  }

  /** A power cut: of each directory's pending steps a seeded number of the first survives. Says how many went. */
  cutPower(random: SimRandom): number {
    const kept = this.#drawKept(random)
    let lost = 0
    for (const operation of this.#pending) {
      const directories = operation.changes.map(({ directory }) => directory)
      const survives = directories.every((directory) => (kept.get(directory) ?? 0) > 0)
      for (const directory of new Set(directories)) {
        kept.set(directory, survives ? (kept.get(directory) ?? 0) - 1 : 0)
      }
      if (survives) this.#makeDurable(operation)
      else lost += 1
    }
    this.#pending = []
    this.#restoreDurable(this.tree.root)
    return lost
  }

  /** Forgets all names. */
  clear(): void {
    this.tree.root.entries.clear()
    this.#durable.clear()
    this.#pending = []
  }

  #drawKept(random: SimRandom): Map<SimDirectory, number> {
    const counts = new Map<SimDirectory, number>()
    for (const { changes } of this.#pending) {
      for (const directory of new Set(changes.map((change) => change.directory))) {
        counts.set(directory, (counts.get(directory) ?? 0) + 1)
      }
    }
    for (const [directory, count] of counts) counts.set(directory, random.below(count + 1))
    return counts
  }

  #note(changes: readonly NameChange<SimFile>[]): void {
    const [change] = changes
    if (changes.length === 1 && change?.entry === null) this.#noteRemovalBelow(change)
    this.#pending.push({ seq: this.#operationCount, changes })
    this.#operationCount += 1
  }

  // The tree itself forgets a directory with all that is in it at once; a file system goes through it.
  #noteRemovalBelow({ directory, name }: NameChange<SimFile>): void {
    const removed = this.#lastKnown(directory, name)
    if (removed?.kind !== 'directory') return
    for (const below of [...removed.entries.keys()].sort()) {
      const change = { directory: removed, name: below, entry: null }
      this.#noteRemovalBelow(change)
      this.#pending.push({ seq: this.#operationCount, changes: [change] })
      this.#operationCount += 1
    }
  }

  /** What a name meant before its removal, which the tree has already done. */
  #lastKnown(directory: SimDirectory, name: string): Entry<SimFile> | undefined {
    const present = directory.entries.get(name)
    if (present !== undefined) return present
    for (const { changes } of this.#pending.toReversed()) {
      const change = changes.findLast((c) => c.directory === directory && c.name === name)
      if (change !== undefined) return change.entry ?? undefined
    }
    return this.#durable.get(directory)?.get(name)
  }

  #makeDurable({ changes }: NameOperation): void {
    for (const { directory, name, entry } of changes) {
      let entries = this.#durable.get(directory)
      if (entries === undefined) {
        entries = new Map()
        this.#durable.set(directory, entries)
      }
      if (entry === null) entries.delete(name)
      else entries.set(name, entry)
    }
  }

  #restoreDurable(directory: SimDirectory): void {
    directory.entries.clear()
    for (const [name, entry] of this.#durable.get(directory) ?? []) {
      directory.entries.set(name, entry)
      if (entry.kind === 'directory') this.#restoreDurable(entry)
    }
  }
}

/** A step rests on those before it in its directory, and on the one that made or moved the directory itself. */
function isUnder(
  { directory, entry }: NameChange<SimFile>,
  touched: ReadonlySet<SimDirectory>,
): boolean {
  return touched.has(directory) || (entry?.kind === 'directory' && touched.has(entry))
}
