import { assert } from '../base/assert.ts'
import type { EventSink } from '../ports/events.ts'
import type { NodePorts } from '../ports/ports.ts'
import { Lifetime } from '../base/lifetime.ts'
import { SimClock } from './sim-clock.ts'
import type { SimDisk, LostTail } from './sim-disk.ts'
import type { SimNetwork } from './sim-network.ts'
import type { SimRandom } from './sim-random.ts'
import type { SimStore } from './sim-store.ts'
import type { Scheduler } from './scheduler.ts'

export interface SimNodeOptions {
  readonly name: string
  readonly scheduler: Scheduler
  readonly network: SimNetwork
  readonly disk: SimDisk
  readonly store: SimStore
  readonly random: SimRandom
  /** Takes what happens in and to the node. */
  readonly emit: EventSink['emit']
}

export interface CrashOptions {
  /** A power cut: bytes and store changes that were not synced may be lost. A process crash otherwise. */
  readonly losesUnsynced?: boolean
}

/**
 * A machine of a simulated world. It begins up. A crash ends the life of whatever runs on it (no timer,
 * no callback of that life runs again), a restart gives fresh ports over the same disk and store.
 */
export class SimNode {
  readonly name: string
  readonly disk: SimDisk
  readonly store: SimStore
  /** Error of the node's wall clock; may be changed at any time. */
  wallOffsetMs = 0
  readonly #options: SimNodeOptions
  #lifetime = new Lifetime()
  #incarnation = 1
  #ports: NodePorts

  constructor(options: SimNodeOptions) {
    this.#options = options
    this.name = options.name
    this.disk = options.disk
    this.store = options.store
    this.#ports = this.#createPorts(this.#lifetime)
  }

  /** The ports of the present life, or of the last one while the node is down. */
  get ports(): NodePorts {
    return this.#ports
  }

  get isUp(): boolean {
    return this.#lifetime.isAlive
  }

  crash(options: CrashOptions = {}): void {
    assert(this.isUp, `crash of ${this.name}, which is down`)
    this.#lifetime.end()
    const losesUnsynced = options.losesUnsynced ?? false
    this.#options.emit('node.crashed', { losesUnsynced })
    this.#options.network.crash(this.name)
    this.#reportLoss(this.disk.crash(losesUnsynced), this.store.crash(losesUnsynced))
  }

  restart(): NodePorts {
    assert(!this.isUp, `restart of ${this.name}, which is up`)
    this.#incarnation += 1
    this.#lifetime = new Lifetime()
    this.#ports = this.#createPorts(this.#lifetime)
    this.#options.emit('node.restarted', { incarnation: this.#incarnation })
    return this.#ports
  }

  #createPorts(lifetime: Lifetime): NodePorts {
    const { scheduler, network, random, emit } = this.#options
    return {
      clock: new SimClock({ scheduler, wallOffsetMs: () => this.wallOffsetMs, lifetime }),
      network: network.mount(this.name, lifetime),
      disk: this.disk.mount(lifetime),
      store: this.store.mount(lifetime),
      random: random.fork(`incarnation ${this.#incarnation}`),
      events: {
        emit: (kind, fields) => {
          if (lifetime.isAlive) emit(kind, fields)
        },
      },
    }
  }

  #reportLoss(files: readonly LostTail[], storeChanges: number): void {
    for (const { path, lostBytes } of files) {
      this.#options.emit('disk.lost-tail', { path, lostBytes })
    }
    if (storeChanges > 0) this.#options.emit('store.lost-changes', { count: storeChanges })
  }
}
