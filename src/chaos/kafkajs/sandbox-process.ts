import type { Clock, Timer } from '../../ports/clock.ts'
import type { Address, Connection, ConnectionHandler, Network } from '../../ports/network.ts'
import type { NodePorts } from '../../ports/ports.ts'

/**
 * A program's own share of its machine, which can be taken away from it, as the end of a process does: then its
 * connections are gone, and nothing calls it any more.
 */
export class SandboxProcess {
  readonly ports: NodePorts
  readonly #clock: Clock
  readonly #network: Network
  readonly #connections = new Set<Connection>()
  readonly #timers = new Set<Timer>()
  #isOver = false

  constructor(ports: NodePorts) {
    const { clock, network } = ports
    this.#clock = clock
    this.#network = network
    this.ports = {
      ...ports,
      clock: {
        monoMs: () => clock.monoMs(),
        wallMs: () => clock.wallMs(),
        after: (delayMs, tag, fn) => this.#after(delayMs, tag, fn),
        cancel: (timer) => {
          this.#timers.delete(timer)
          clock.cancel(timer)
        },
      },
      network: {
        listen: (address, accept, done) => network.listen(address, accept, done),
        connect: (address, handler) => this.#connect(address, handler),
      },
    }
  }

  exit(): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const timer of this.#timers) this.#clock.cancel(timer)
    for (const connection of this.#connections) connection.destroy()
    this.#timers.clear()
    this.#connections.clear()
  }

  #after(delayMs: number, tag: string, fn: () => void): Timer {
    if (this.#isOver) return { tag }
    const timer = this.#clock.after(delayMs, tag, () => {
      this.#timers.delete(timer)
      if (!this.#isOver) fn()
    })
    this.#timers.add(timer)
    return timer
  }

  #connect(address: Address, handler: ConnectionHandler): Connection {
    if (this.#isOver) return deadConnection(address)
    const connection = this.#network.connect(address, {
      onOpen: () => {
        if (!this.#isOver) handler.onOpen?.()
      },
      onData: (bytes) => {
        if (!this.#isOver) handler.onData(bytes)
      },
      onDrain: () => {
        if (!this.#isOver) handler.onDrain?.()
      },
      onClose: (error) => {
        this.#connections.delete(connection)
        if (!this.#isOver) handler.onClose(error)
      },
    })
    this.#connections.add(connection)
    return connection
  }
}

/** What a program that is over gets, in case a promise of it still goes on. */
function deadConnection(remote: Address): Connection {
  return {
    local: remote,
    remote,
    write: () => false,
    pauseReading: nothing,
    resumeReading: nothing,
    close: nothing,
    destroy: nothing,
  }
}

function nothing(): void {
  // Nobody is there to whom it would matter.
}
