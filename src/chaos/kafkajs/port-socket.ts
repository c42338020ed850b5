import { EventEmitter } from 'node:events'
import type { Address, Connection } from '../../ports/network.ts'
import type { NodePorts } from '../../ports/ports.ts'

/** What a client program uses of `net.Socket`, over the network port of its node. */
export class PortSocket extends EventEmitter {
  readonly #connection: Connection
  #isClosed = false
  #isOver = false

  constructor(ports: NodePorts, address: Address, onConnect: () => void) {
    super()
    this.once('connect', onConnect)
    this.#connection = ports.network.connect(address, {
      onOpen: () => this.#emitUnlessOver('connect'),
      onData: (bytes) => this.#emitUnlessOver('data', bytes),
      onDrain: () => this.#emitUnlessOver('drain'),
      onClose: (error) => this.#onClose(error),
    })
  }

  write(data: Uint8Array | string, encoding?: unknown): boolean {
    if (this.#isClosed) return false
    const isNamed = typeof encoding === 'string' && Buffer.isEncoding(encoding)
    const bytes =
      typeof data === 'string' ? Buffer.from(data, isNamed ? encoding : 'utf8') : Buffer.from(data)
    return this.#connection.write([bytes])
  }

  end(): this {
    this.#isClosed = true
    this.#connection.close()
    return this
  }

  destroy(): this {
    this.#isClosed = true
    this.#isOver = true
    this.#connection.destroy()
    return this
  }

  setKeepAlive(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  setTimeout(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  #onClose(error: Error | null): void {
    if (this.#isOver) return
    this.#isClosed = true
    if (error !== null) {
      const [code = 'ECONNRESET'] = error.message.split(':')
      this.#emitUnlessOver('error', Object.assign(new Error(error.message), { code }))
    }
    this.#emitUnlessOver('end')
    this.#emitUnlessOver('close', error !== null)
    this.#isOver = true
  }

  #emitUnlessOver(name: string, ...values: unknown[]): void {
    if (!this.#isOver) this.emit(name, ...values)
  }
}
