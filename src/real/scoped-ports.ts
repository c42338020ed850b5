import { KafketteError } from '../base/errors.ts'
import { Lifetime } from '../base/lifetime.ts'
import type { Clock, Timer } from '../ports/clock.ts'
import type { NodePorts } from '../ports/ports.ts'
import type { Store } from '../ports/store.ts'
import { ScopedDisk } from './scoped-disk.ts'
import { ScopedNetwork } from './scoped-network.ts'

/**
 * The ports of one life of a node that runs inside a process it does not own. `kill` does to it what
 * SIGKILL does to a process: from then on no timer and no callback of it runs, its connections are reset,
 * its listeners and files closed. What it still tries on its disk or store throws `KILLED`. The disk and
 * the store themselves belong to the caller and stay open, also when the node closes its store.
 */
export class ScopedPorts {
  readonly ports: NodePorts
  readonly #lifetime = new Lifetime()
  readonly #clock: ScopedClock
  readonly #network: ScopedNetwork
  readonly #disks: ScopedDisk[]

  constructor(ports: NodePorts) {
    this.#clock = new ScopedClock(ports.clock, this.#lifetime)
    this.#network = new ScopedNetwork(ports.network, this.#lifetime)
    const disk = new ScopedDisk(ports.disk, this.#lifetime)
    this.#disks = [disk]
    const { logDisk } = ports
    this.ports = {
      clock: this.#clock,
      network: this.#network,
      disk,
      ...(logDisk !== undefined && {
        logDisk: (path: string) => {
          const scoped = new ScopedDisk(logDisk(path), this.#lifetime)
          this.#disks.push(scoped)
          return scoped
        },
      }),
      store: new ScopedStore(ports.store, this.#lifetime),
      random: ports.random,
      events: {
        emit: (kind, fields) => {
          if (this.#lifetime.isAlive) ports.events.emit(kind, fields)
        },
      },
    }
  }

  get isAlive(): boolean {
    return this.#lifetime.isAlive
  }

  /** Safe to call twice, and after an orderly stop, which it completes. */
  kill(): void {
    this.#lifetime.end()
    this.#clock.end()
    this.#network.end()
    for (const disk of this.#disks) disk.end()
  }
}

class ScopedClock implements Clock {
  readonly #inner: Clock
  readonly #lifetime: Lifetime
  readonly #timers = new Set<Timer>()

  constructor(inner: Clock, lifetime: Lifetime) {
    this.#inner = inner
    this.#lifetime = lifetime
  }

  monoMs(): number {
    return this.#inner.monoMs()
  }

  wallMs(): number {
    return this.#inner.wallMs()
  }

  after(delayMs: number, tag: string, fn: () => void): Timer {
    if (!this.#lifetime.isAlive) return { tag }
    const timer = this.#inner.after(delayMs, tag, () => {
      this.#timers.delete(timer)
      this.#lifetime.run(fn)
    })
    this.#timers.add(timer)
    return timer
  }

  cancel(timer: Timer): void {
    if (this.#timers.delete(timer)) this.#inner.cancel(timer)
  }

  end(): void {
    for (const timer of this.#timers) this.#inner.cancel(timer)
    this.#timers.clear()
  }
}

class ScopedStore implements Store {
  readonly #inner: Store
  readonly #lifetime: Lifetime

  constructor(inner: Store, lifetime: Lifetime) {
    this.#inner = inner
    this.#lifetime = lifetime
  }

  get(key: string): unknown {
    return this.#inner.get(key)
  }

  put(key: string, value: unknown): void {
    assertAlive(this.#lifetime, key)
    this.#inner.put(key, value)
  }

  delete(key: string): void {
    assertAlive(this.#lifetime, key)
    this.#inner.delete(key)
  }

  keys(prefix: string): readonly string[] {
    return this.#inner.keys(prefix)
  }

  sync(done: (error: Error | null) => void): void {
    if (!this.#lifetime.isAlive) return
    this.#inner.sync((error) => this.#lifetime.run(() => done(error)))
  }

  close(): void {}
}

function assertAlive(lifetime: Lifetime, key: string): void {
  if (!lifetime.isAlive) throw new KafketteError('KILLED', `change of ${key} by a killed node`)
}
