import { assert } from '../base/assert.ts'
import type { EventSink } from '../ports/events.ts'
import type { NodePorts } from '../ports/ports.ts'
import { Lifetime } from '../base/lifetime.ts'
import { FolderDisk } from './folder-disk.ts'
import { SimClock } from './sim-clock.ts'
import type { DiskBackup, DiskLoss, SimDisk } from './sim-disk.ts'
import type { PowerCutMode } from './power-cut.ts'
import type { SimNetwork } from './sim-network.ts'
import type { SimProcessor } from './sim-processor.ts'
import type { SimRandom } from './sim-random.ts'
import type { SimStore, StoreBackup } from './sim-store.ts'
import { SimTime } from './sim-time.ts'
import type { Scheduler } from './scheduler.ts'

export interface SimNodeOptions {
  readonly name: string
  readonly scheduler: Scheduler
  readonly network: SimNetwork
  readonly disk: SimDisk
  readonly store: SimStore
  readonly processor: SimProcessor
  readonly random: SimRandom
  /** Takes what happens in and to the node. */
  readonly emit: EventSink['emit']
}

export interface CrashOptions {
  /** A power cut: bytes and store changes that were not synced may be lost. A process crash otherwise. */
  readonly losesUnsynced?: boolean
  /** How a power cut treats what was not synced; else as the world says. */
  readonly tear?: PowerCutMode
  /** The machine itself is off: its peers see no reset until it is restarted. */
  readonly isSilent?: boolean
}

/** Disk and store of a node as they were at one time. */
export interface NodeBackup {
  readonly disk: DiskBackup
  readonly store: StoreBackup
}

/**
 * A machine of a simulated world. It begins up. A crash ends the life of whatever runs on it (no timer,
 * no callback of that life runs again), a restart gives fresh ports over the same disk and store.
 */
export class SimNode {
  readonly name: string
  readonly disk: SimDisk
  readonly store: SimStore
  readonly #options: SimNodeOptions
  #lifetime = new Lifetime()
  readonly #time = new SimTime()
  #wallOffsetMs = 0
  #incarnation = 1
  #clock: SimClock
  #ports: NodePorts

  constructor(options: SimNodeOptions) {
    this.#options = options
    this.name = options.name
    this.disk = options.disk
    this.store = options.store
    this.#clock = this.#createClock()
    this.#ports = this.#createPorts()
  }

  /** The ports of the present life, or of the last one while the node is down. */
  get ports(): NodePorts {
    return this.#ports
  }

  get isUp(): boolean {
    return this.#lifetime.isAlive
  }

  /** Error of the node's wall clock, skew and jumps together. */
  get wallOffsetMs(): number {
    return this.#wallOffsetMs
  }

  set wallOffsetMs(ms: number) {
    if (ms === this.#wallOffsetMs) return
    this.#wallOffsetMs = ms
    this.#options.emit('node.wall-clock-changed', { offsetMs: ms })
  }

  get isPaused(): boolean {
    return this.#options.processor.isPaused
  }

  /** Speed of the monotonic clock and its timers against the world's time, of a thousand. */
  get clockRatePermille(): number {
    return this.#time.ratePermille
  }

  set clockRatePermille(permille: number) {
    if (permille === this.#time.ratePermille) return
    this.#time.setRate(permille, this.#options.scheduler.nowUs)
    this.#clock.rateChanged()
    this.#options.emit('node.clock-rate-changed', { permille })
  }

  /** How many times as long as usual everything takes that runs on the node. */
  get costFactor(): number {
    return this.#options.processor.costFactor
  }

  set costFactor(factor: number) {
    assert(factor >= 0 && factor < Infinity, `a cost factor of ${factor}`)
    if (factor === this.costFactor) return
    this.#options.processor.costFactor = factor
    this.#options.emit('node.cost-changed', { factor })
  }

  /** The node's code uses promises: `SimWorld.runUntilAsync` lets them settle after each of its events. */
  get mayAwait(): boolean {
    return this.#options.processor.mayAwait
  }

  set mayAwait(mayAwait: boolean) {
    this.#options.processor.mayAwait = mayAwait
  }

  crash(options: CrashOptions = {}): void {
    assert(this.isUp, `crash of ${this.name}, which is down`)
    this.#lifetime.end()
    this.#options.processor.reset()
    const { losesUnsynced = false, isSilent = false } = options
    this.#options.emit('node.crashed', { losesUnsynced, isSilent })
    this.#options.network.crash(this.name, isSilent)
    this.#reportLoss(this.disk.crash(losesUnsynced, options.tear), this.store.crash(losesUnsynced))
  }

  restart(): NodePorts {
    assert(!this.isUp, `restart of ${this.name}, which is up`)
    this.#incarnation += 1
    this.#lifetime = new Lifetime()
    this.#clock = this.#createClock()
    this.#ports = this.#createPorts()
    this.#options.emit('node.restarted', { incarnation: this.#incarnation })
    this.#options.network.restart(this.name)
    return this.#ports
  }

  /**
   * Nothing runs on the node, though its clock goes on: timers, data and answers of the disk wait. Its
   * host still accepts connections and takes in bytes, as a kernel does for a stopped process.
   */
  pause(): void {
    assert(this.isUp && !this.isPaused, `pause of ${this.name}, which is down or paused`)
    this.#options.emit('node.paused', {})
    this.#options.processor.pause()
  }

  /** All that waited runs, in the order in which it came. */
  resume(): void {
    assert(this.isPaused, `resume of ${this.name}, which is not paused`)
    this.#options.emit('node.resumed', { backlog: this.#options.processor.backlog })
    this.#options.processor.resume()
  }

  /** Empties disk and store of a node that is down. */
  wipe(): void {
    assert(!this.isUp, `wipe of ${this.name}, which is up`)
    this.disk.wipe()
    this.store.wipe()
    this.#options.emit('node.wiped', {})
  }

  backup(): NodeBackup {
    return { disk: this.disk.backup(), store: this.store.backup() }
  }

  /** Gives a node that is down an earlier disk and store, its own or another's. */
  restoreBackup(backup: NodeBackup): void {
    assert(!this.isUp, `restore of a backup on ${this.name}, which is up`)
    this.disk.restoreBackup(backup.disk)
    this.store.restoreBackup(backup.store)
    this.#options.emit('node.backup-restored', { files: backup.disk.files.length })
  }

  #createClock(): SimClock {
    const { scheduler, processor } = this.#options
    return new SimClock({
      scheduler,
      processor,
      time: this.#time,
      wallOffsetMs: () => this.#wallOffsetMs,
      lifetime: this.#lifetime,
    })
  }

  #createPorts(): NodePorts {
    const { network, processor, random, emit } = this.#options
    const lifetime = this.#lifetime
    const disk = this.disk.mount(lifetime, processor)
    return {
      clock: this.#clock,
      network: network.mount(this.name, lifetime, processor),
      disk,
      logDisk: (path) => new FolderDisk(disk, folderOf(path)),
      store: this.store.mount(lifetime, processor),
      random: random.fork(`incarnation ${this.#incarnation}`),
      events: {
        emit: (kind, fields) => {
          if (lifetime.isAlive) emit(kind, fields)
        },
      },
    }
  }

  #reportLoss({ files, names }: DiskLoss, storeChanges: number): void {
    if (names > 0) this.#options.emit('disk.lost-names', { count: names })
    for (const { path, lostBytes } of files) {
      this.#options.emit('disk.lost-tail', { path, lostBytes })
    }
    if (storeChanges > 0) this.#options.emit('store.lost-changes', { count: storeChanges })
  }
}

/** Where on its disk a node keeps a further log directory; the first one is the root. */
export function folderOf(logDirectory: string): string {
  return logDirectory.replace(/^\/+/, '')
}
