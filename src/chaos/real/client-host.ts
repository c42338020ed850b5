import type { Clock, Timer } from '../../ports/clock.ts'
import type { Address, Connection, ConnectionHandler, Network } from '../../ports/network.ts'
import type { NodePorts } from '../../ports/ports.ts'
import type { NodeEvent } from '../../ports/events.ts'
import { MemoryDisk } from '../../real/memory-disk.ts'
import { MemoryStore } from '../../real/memory-store.ts'
import { NodeClock } from '../../real/node-clock.ts'
import { NodeNetwork } from '../../real/node-network.ts'
import { ScopedPorts } from '../../real/scoped-ports.ts'
import type { Random } from '../../ports/random.ts'

/**
 * The machine of one client of the workload: real time and sockets, in this process. It can crash (everything of
 * this life falls silent) and pause (what happens meanwhile happens in a burst afterwards).
 */
export class ClientHost {
  readonly name: string
  readonly #random: Random
  readonly #onEvent: (event: NodeEvent) => void
  readonly #disk = new MemoryDisk()
  readonly #store = new MemoryStore()
  readonly #gate = new Gate()
  #scope: ScopedPorts | null = null
  #lives = 0

  constructor(name: string, random: Random, onEvent: (event: NodeEvent) => void) {
    this.name = name
    this.#random = random
    this.#onEvent = onEvent
  }

  get isUp(): boolean {
    return this.#scope !== null
  }

  get isPaused(): boolean {
    return this.#gate.isClosed
  }

  /** Begins a life; an earlier one ends. */
  begin(): NodePorts {
    this.crash()
    this.#lives += 1
    const clock = new GatedClock(new NodeClock(), this.#gate)
    this.#scope = new ScopedPorts({
      clock,
      network: new GatedNetwork(new NodeNetwork(), this.#gate),
      disk: this.#disk,
      store: this.#store,
      random: this.#random.fork(`life ${this.#lives}`),
      events: {
        emit: (kind, fields) => {
          this.#onEvent({ atMs: clock.monoMs(), node: this.name, kind, fields })
        },
      },
    })
    return this.#scope.ports
  }

  crash(): void {
    this.#gate.drop()
    this.#scope?.kill()
    this.#scope = null
  }

  pause(): void {
    this.#gate.close()
  }

  resume(): void {
    this.#gate.open()
  }
}

/** Lets callbacks through, or keeps them in their order until it opens. */
class Gate {
  isClosed = false
  #waiting: (() => void)[] = []

  run(fn: () => void): void {
    if (this.isClosed || this.#waiting.length > 0) this.#waiting.push(fn)
    else fn()
  }

  close(): void {
    this.isClosed = true
  }

  open(): void {
    this.isClosed = false
    while (!this.isClosed) {
      const fn = this.#waiting.shift()
      if (fn === undefined) return
      fn()
    }
  }

  drop(): void {
    this.isClosed = false
    this.#waiting = []
  }
}

class GatedClock implements Clock {
  readonly #inner: Clock
  readonly #gate: Gate
  readonly #cancelled = new WeakSet<Timer>()

  constructor(inner: Clock, gate: Gate) {
    this.#inner = inner
    this.#gate = gate
  }

  monoMs(): number {
    return this.#inner.monoMs()
  }

  wallMs(): number {
    return this.#inner.wallMs()
  }

  after(delayMs: number, tag: string, fn: () => void): Timer {
    const timer: Timer = this.#inner.after(delayMs, tag, () => {
      this.#gate.run(() => {
        // It may have been cancelled by what waited before it.
        if (!this.#cancelled.has(timer)) fn()
      })
    })
    return timer
  }

  cancel(timer: Timer): void {
    this.#cancelled.add(timer)
    this.#inner.cancel(timer)
  }
}

/** For clients: they only dial. */
class GatedNetwork implements Network {
  readonly #inner: Network
  readonly #gate: Gate

  constructor(inner: Network, gate: Gate) {
    this.#inner = inner
    this.#gate = gate
  }

  listen(...parameters: Parameters<Network['listen']>): void {
    this.#inner.listen(...parameters)
  }

  connect(address: Address, handler: ConnectionHandler): Connection {
    const gate = this.#gate
    return this.#inner.connect(address, {
      onOpen: () => gate.run(() => handler.onOpen?.()),
      onData: (bytes) => gate.run(() => handler.onData(bytes)),
      onDrain: () => gate.run(() => handler.onDrain?.()),
      onClose: (error) => gate.run(() => handler.onClose(error)),
    })
  }
}
