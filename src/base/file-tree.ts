import { assert } from './assert.ts'
import { DiskError } from './errors.ts'

const KEPT_PATHS = 1000

/** A directory itself, whatever its path is now. */
export interface Directory<File> {
  readonly kind: 'directory'
  readonly entries: Map<string, Entry<File>>
}

export type Entry<File> = Directory<File> | { readonly kind: 'file'; readonly file: File }

/** A name in a directory that now means something else; null: nothing. */
export interface NameChange<File> {
  readonly directory: Directory<File>
  readonly name: string
  readonly entry: Entry<File> | null
}

/** Names and directories of a disk in memory. What a file is, the owner of the tree decides. */
export class FileTree<File> {
  readonly root: Directory<File> = { kind: 'directory', entries: new Map() }
  readonly #createFile: () => File
  readonly #onChanged: ((changes: readonly NameChange<File>[]) => void) | null
  /** Parts of the paths that were looked up: the same few are, all the time. */
  readonly #parts = new Map<string, readonly string[]>()

  /** `onChanged` hears of every step that changes names, after it; the changes of one call are one step. */
  constructor(
    createFile: () => File,
    onChanged: ((changes: readonly NameChange<File>[]) => void) | null = null,
  ) {
    this.#createFile = createFile
    this.#onChanged = onChanged
  }

  /** The file at `path`, created with its directories when missing. */
  open(path: string): File {
    const { parent, name } = this.#parentOf(path, true)
    const entry = parent.entries.get(name)
    if (entry?.kind === 'directory') throw new DiskError('EIO', `${path} is a directory`)
    if (entry !== undefined) return entry.file
    const file = this.#createFile()
    this.#change([{ directory: parent, name, entry: { kind: 'file', file } }])
    return file
  }

  /** The file at `path`; null when there is none. */
  file(path: string): File | null {
    const entry = this.#find(path)
    return entry?.kind === 'file' ? entry.file : null
  }

  exists(path: string): boolean {
    return this.#find(path) !== null
  }

  isDirectory(path: string): boolean {
    return this.directory(path) !== null
  }

  directory(path: string): Directory<File> | null {
    const entry = this.#find(path)
    return entry?.kind === 'directory' ? entry : null
  }

  list(path: string): readonly string[] {
    const entry = this.#find(path)
    if (entry === null) return []
    if (entry.kind === 'file') throw new DiskError('EIO', `${path} is not a directory`)
    return [...entry.entries.keys()].sort(byCodeUnit)
  }

  makeDirectory(path: string): void {
    this.#directory(pathParts(path), path, true)
  }

  rename(from: string, to: string): void {
    const source = this.#parentOf(from, false)
    const entry = source.parent.entries.get(source.name)
    if (entry === undefined) throw new DiskError('ENOENT', `rename: ${from} does not exist`)
    assert(!`${to}/`.startsWith(`${from}/`) || to === from, `rename of ${from} into itself: ${to}`)
    const target = this.#parentOf(to, false)
    const replaced = target.parent.entries.get(target.name)
    if (replaced !== undefined && !mayReplace(replaced, entry)) {
      throw new DiskError('EIO', `rename: ${to} cannot be replaced by ${from}`)
    }
    this.#change([
      { directory: source.parent, name: source.name, entry: null },
      { directory: target.parent, name: target.name, entry },
    ])
  }

  remove(path: string): void {
    const parts = pathParts(path)
    const name = parts.pop()
    assert(name !== undefined, 'the root cannot be removed')
    const parent = this.#find(parts.join('/'))
    if (parent?.kind !== 'directory' || !parent.entries.has(name)) return
    this.#change([{ directory: parent, name, entry: null }])
  }

  /** All files with their paths, sorted by path segment. */
  *files(): Generator<readonly [path: string, file: File]> {
    yield* filesIn(this.root, '')
  }

  #change(changes: readonly NameChange<File>[]): void {
    for (const { directory, name, entry } of changes) {
      if (entry === null) directory.entries.delete(name)
      else directory.entries.set(name, entry)
    }
    this.#onChanged?.(changes)
  }

  #find(path: string): Entry<File> | null {
    let entry: Entry<File> = this.root
    for (const part of this.#partsOf(path)) {
      const next: Entry<File> | undefined =
        entry.kind === 'directory' ? entry.entries.get(part) : undefined
      if (next === undefined) return null
      entry = next
    }
    return entry
  }

  #parentOf(
    path: string,
    creates: boolean,
  ): { readonly parent: Directory<File>; readonly name: string } {
    const parts = this.#partsOf(path)
    const name = parts.at(-1)
    assert(name !== undefined, 'a path must name a file')
    return { parent: this.#directory(parts.slice(0, -1), path, creates), name }
  }

  #partsOf(path: string): readonly string[] {
    const known = this.#parts.get(path)
    if (known !== undefined) return known
    const parts = pathParts(path)
    if (this.#parts.size >= KEPT_PATHS) this.#parts.clear()
    this.#parts.set(path, parts)
    return parts
  }

  #directory(parts: readonly string[], path: string, creates: boolean): Directory<File> {
    let directory = this.root
    for (const part of parts) {
      let next = directory.entries.get(part)
      if (next === undefined) {
        if (!creates) throw new DiskError('ENOENT', `${path}: no directory ${part}`)
        next = { kind: 'directory', entries: new Map() }
        this.#change([{ directory, name: part, entry: next }])
      }
      if (next.kind === 'file') throw new DiskError('EIO', `${path}: ${part} is a file`)
      directory = next
    }
    return directory
  }
}

/**
 * Segments of a disk path; none for the root (`''` or `'.'`). A path that is absolute or leaves the
 * root is a programmer's error.
 */
export function pathParts(path: string): string[] {
  if (path === '' || path === '.') return []
  const parts = path.split('/')
  for (const part of parts) {
    const isName = part !== '' && part !== '.' && part !== '..'
    if (!isName || part.includes('\\') || part.includes('\0')) {
      assert(false, `illegal disk path '${path}'`)
    }
  }
  return parts
}

function* filesIn<File>(
  directory: Directory<File>,
  prefix: string,
): Generator<readonly [string, File]> {
  for (const name of [...directory.entries.keys()].sort(byCodeUnit)) {
    const entry = directory.entries.get(name)
    if (entry === undefined) continue
    if (entry.kind === 'file') yield [prefix + name, entry.file]
    else yield* filesIn(entry, `${prefix}${name}/`)
  }
}

function mayReplace<File>(replaced: Entry<File>, by: Entry<File>): boolean {
  if (replaced === by) return true
  if (replaced.kind === 'file') return by.kind === 'file'
  return by.kind === 'directory' && replaced.entries.size === 0
}

function byCodeUnit(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
