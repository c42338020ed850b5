import { assert } from '../base/assert.ts'
import { totalBytes } from '../base/chunked-bytes.ts'
import { DiskError, type DiskErrorCode } from '../base/errors.ts'
import type { Directory, FileTree } from '../base/file-tree.ts'
import type { Lifetime } from '../base/lifetime.ts'
import type { Disk } from '../ports/disk.ts'
import type { EventSink } from '../ports/events.ts'
import type { Damage } from './damage-overlay.ts'
import { drawLatencyUs, type Latency } from './latency.ts'
import { MountedDisk } from './mounted-disk.ts'
import type { PowerCutMode } from './power-cut.ts'
import type { Scheduler } from './scheduler.ts'
import { SimFile } from './sim-file.ts'
import { SimNamespace } from './sim-namespace.ts'
import type { SimProcessor } from './sim-processor.ts'
import type { SimRandom } from './sim-random.ts'

export type DiskOperation =
  | 'open'
  | 'append'
  | 'read'
  | 'truncate'
  | 'fsync'
  | 'rename'
  | 'remove'
  | 'make-directory'
  | 'sync-directory'

export interface SimDiskOptions {
  readonly scheduler: Scheduler
  readonly random: SimRandom
  readonly fsyncLatency: Latency
  /** Takes every fault that is set, planted or undone. */
  readonly note: EventSink['emit']
  /** How power cuts treat bytes that were not synced; drawn at each cut when it is left out. */
  readonly powerCut?: PowerCutMode
}

/** A file that came out of a power cut other than it went in. */
export interface LostTail {
  readonly path: string
  readonly lostBytes: number
}

/** What a power cut took. */
export interface DiskLoss {
  readonly files: readonly LostTail[]
  /** Creations, renames and removals that are undone. */
  readonly names: number
}

/** Where damage lies. */
export interface DiskDamage extends Damage {
  readonly path: string
}

/** All files as they were at one time; good for any number of restores. */
export interface DiskBackup {
  readonly directories: readonly string[]
  readonly files: readonly { readonly path: string; readonly file: SimFile }[]
}

/**
 * The disk of a simulated node; it outlives the node's crashes. Bytes are durable after an fsync, names
 * after a sync of their directory. Each fault is a switch or a planted one-off.
 */
export class SimDisk {
  readonly #options: SimDiskOptions
  readonly #names = new SimNamespace(() => new SimFile())
  readonly #faults = new Map<DiskOperation, DiskErrorCode[]>()
  readonly #appendFates: ('lost' | 'misdirected')[] = []
  readonly #failedFolders = new Set<string>()
  #capacityBytes = Infinity
  #isLying = false
  #extraFsyncUs = 0
  #operationsRun = 0
  #powerCycle = 0
  #crashPoint: { readonly at: number; readonly fn: () => void } | null = null

  constructor(options: SimDiskOptions) {
    this.#options = options
  }

  get tree(): FileTree<SimFile> {
    return this.#names.tree
  }

  /** All files together; an append beyond it fails with ENOSPC. */
  get capacityBytes(): number {
    return this.#capacityBytes
  }

  set capacityBytes(bytes: number) {
    if (bytes !== this.#capacityBytes) this.#note('disk.capacity-changed', { bytes })
    this.#capacityBytes = bytes
  }

  /** Syncs answer and make nothing durable; what they left out, a later honest sync makes up for. */
  get isLying(): boolean {
    return this.#isLying
  }

  set isLying(isLying: boolean) {
    if (isLying !== this.#isLying) this.#note('disk.honesty-changed', { isLying })
    this.#isLying = isLying
  }

  /** Every sync takes so much longer. */
  get extraFsyncUs(): number {
    return this.#extraFsyncUs
  }

  set extraFsyncUs(extraUs: number) {
    if (extraUs !== this.#extraFsyncUs) this.#note('disk.slowness-changed', { extraUs })
    this.#extraFsyncUs = extraUs
  }

  /** Operations so far that have changed the disk: appends, changes of names, completed syncs. */
  get operationsRun(): number {
    return this.#operationsRun
  }

  /** The disk as one life of the node uses it. */
  mount(lifetime: Lifetime, processor: SimProcessor): Disk {
    return new MountedDisk(this, lifetime, processor)
  }

  /** Calls `fn`, once, right after the `at`-th operation that changes the disk (see `operationsRun`). */
  crashAfterOperation(at: number, fn: () => void): void {
    assert(at > this.#operationsRun, `a crash after operation ${at} of ${this.#operationsRun}`)
    this.#crashPoint = { at, fn }
  }

  /** The next operation of this kind fails with `code`; further calls queue up. */
  failNext(operation: DiskOperation, code: DiskErrorCode): void {
    this.#note('disk.fault-planted', { operation, code })
    const codes = this.#faults.get(operation) ?? []
    codes.push(code)
    this.#faults.set(operation, codes)
  }

  /** What `failNext` has set for this operation; it is used up by the question. */
  takeFault(operation: DiskOperation): DiskErrorCode | null {
    if (this.#faults.size === 0) return null
    return this.#faults.get(operation)?.shift() ?? null
  }

  /** Everything in the folder fails with EIO, until it is mended: one of several log directories is lost. */
  failFolder(folder: string): void {
    this.#note('disk.folder-failed', { folder })
    this.#failedFolders.add(folder)
  }

  mendFolder(folder: string): void {
    if (this.#failedFolders.delete(folder)) this.#note('disk.folder-mended', { folder })
  }

  isFailed(path: string): boolean {
    if (this.#failedFolders.size === 0) return false
    for (const folder of this.#failedFolders) {
      if (path === folder || path.startsWith(`${folder}/`)) return true
    }
    return false
  }

  /** Nothing that was planted and has not happened yet will happen. */
  clearFaults(): void {
    this.#faults.clear()
    this.#appendFates.length = 0
  }

  /** The next append is acknowledged and does not happen: its place reads as zeros. */
  loseNextAppend(): void {
    this.#note('disk.fault-planted', { operation: 'append', code: 'lost' })
    this.#appendFates.push('lost')
  }

  /** The next append lands on earlier bytes of its file; its own place reads as zeros. */
  misdirectNextAppend(): void {
    this.#note('disk.fault-planted', { operation: 'append', code: 'misdirected' })
    this.#appendFates.push('misdirected')
  }

  /** Flips a bit (0 to 7) of a byte. Says whether there is such a byte. */
  flipBit(path: string, byte: number, bit: number): boolean {
    if (!this.tree.exists(path) || this.tree.isDirectory(path)) return false
    const file = this.tree.open(path)
    if (byte < 0 || byte >= file.size) return false
    file.flipBit(byte, bit & 7)
    this.#note('disk.bit-flipped', { path, byte, bit: bit & 7 })
    return true
  }

  damages(): readonly DiskDamage[] {
    return [...this.tree.files()].flatMap(([path, file]) =>
      file.damages.map((damage) => ({ path, ...damage })),
    )
  }

  /** All bytes read again as they were written. */
  repairAll(): void {
    const damages = this.damages().length
    if (damages === 0) return
    for (const [, file] of this.tree.files()) file.repair()
    this.#note('disk.repaired', { damages })
  }

  /** Bytes of a file as they were written, past damage and planted errors; fewer at its end, none without it. */
  written(path: string, position: number, length: number): Buffer {
    return this.tree.file(path)?.written(position, length) ?? Buffer.alloc(0)
  }

  /** Paths of all files, sorted. */
  paths(): readonly string[] {
    return [...this.tree.files()].map(([path]) => path)
  }

  /** The node died. With its process only, all written bytes stay; with its power, unsynced ones may go. */
  crash(losesUnsynced: boolean, tear?: PowerCutMode): DiskLoss {
    this.clearFaults()
    if (!losesUnsynced) return { files: [], names: 0 }
    this.#powerCycle += 1
    const { random, powerCut } = this.#options
    const mode = tear ?? powerCut ?? (random.chance(500) ? 'any' : 'ordered')
    const names = this.#names.cutPower(random)
    const files: LostTail[] = []
    for (const [path, file] of this.tree.files()) {
      const lostBytes = file.cutPower(random, mode)
      if (lostBytes !== 0) files.push({ path, lostBytes })
    }
    return { files, names }
  }

  wipe(): void {
    this.#powerCycle += 1
    this.#names.clear()
  }

  backup(): DiskBackup {
    return {
      directories: [...directoriesIn(this.tree.root, '')],
      files: [...this.tree.files()].map(([path, file]) => ({ path, file: file.image() })),
    }
  }

  /** The disk is as it was, all of it durable. */
  restoreBackup(backup: DiskBackup): void {
    this.wipe()
    for (const path of backup.directories) this.tree.makeDirectory(path)
    for (const { path, file } of backup.files) this.#names.adopt(path, file.image())
    this.#names.settleAll()
  }

  usedBytes(): number {
    let used = 0
    for (const [, file] of this.tree.files()) used += file.size
    return used
  }

  append(path: string, file: SimFile, chunks: readonly Uint8Array[]): number {
    const capacityBytes = this.#capacityBytes
    if (capacityBytes !== Infinity && this.usedBytes() + totalBytes(chunks) > capacityBytes) {
      throw new DiskError('ENOSPC', `${path}: the simulated disk is full`)
    }
    const fate = totalBytes(chunks) === 0 ? undefined : this.#appendFates.shift()
    if (fate === undefined) return file.append(chunks)
    if (fate === 'lost') return file.appendLost(chunks)
    return file.appendMisdirected(chunks, this.#options.random)
  }

  /** Runs `change`, which may change names, and counts it if it did. */
  changeNames<T>(change: () => T): T {
    const before = this.#names.operationCount
    const result = change()
    if (this.#names.operationCount > before) this.countOperation()
    return result
  }

  /** Makes durable what is known of `directory` now, later, and answers. */
  syncNames(directory: string, tag: string, done: (error: DiskErrorCode | null) => void): void {
    const found: Directory<SimFile> | null = this.tree.directory(directory)
    const refusal = this.isFailed(directory) ? 'EIO' : this.takeFault('sync-directory')
    const error = refusal ?? (found === null ? 'ENOENT' : null)
    const mark = this.#names.operationCount
    this.afterFsyncLatency(tag, () => {
      if (error === null && found !== null && !this.isLying) this.#names.settle(found, mark)
      this.countOperation()
      done(error)
    })
  }

  /** To be called right after an operation that has changed the disk. */
  countOperation(): void {
    this.#operationsRun += 1
    const point = this.#crashPoint
    if (point === null || point.at !== this.#operationsRun) return
    this.#crashPoint = null
    point.fn()
  }

  #note(kind: string, fields: Parameters<EventSink['emit']>[1]): void {
    this.#options.note(kind, fields)
  }

  /** Runs `fn` after the time that an fsync takes, unless the power goes before. */
  afterFsyncLatency(tag: string, fn: () => void): void {
    const { scheduler, random, fsyncLatency } = this.#options
    const powerCycle = this.#powerCycle
    scheduler.after(drawLatencyUs(fsyncLatency, random) + this.extraFsyncUs, tag, () => {
      if (powerCycle === this.#powerCycle) fn()
    })
  }
}

function* directoriesIn(directory: Directory<SimFile>, prefix: string): Generator<string> {
  for (const [name, entry] of [...directory.entries].sort(([left], [right]) =>
    left < right ? -1 : 1,
  )) {
    if (entry.kind !== 'directory') continue
    yield prefix + name
    yield* directoriesIn(entry, `${prefix}${name}/`)
  }
}
