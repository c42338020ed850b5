import { ConnectionError } from '../../src/base/errors.ts'
import { ClientConnection } from '../../src/client/connection.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Address, Network } from '../../src/ports/network.ts'
import type { Api, Input } from '../../src/wire/schema.ts'
import type { RaftTransport } from '../controller/quorum/raft.ts'

export interface QuorumTransportOptions {
  readonly network: Network
  readonly clock: Clock
  readonly clientId: string
  /** Controller listener of each voter, by node id. */
  readonly voters: ReadonlyMap<number, Address>
}

/** One connection from this node to each voter, opened when first needed and again after it breaks. */
export class QuorumTransport implements RaftTransport {
  readonly #options: QuorumTransportOptions
  readonly #connections = new Map<number, ClientConnection>()
  #isClosed = false

  constructor(options: QuorumTransportOptions) {
    this.#options = options
  }

  send<Req, Res>(
    toNodeId: number,
    api: Api<Req, Res>,
    version: number,
    body: Input<Req>,
    timeoutMs: number,
    done: (error: Error | null, response: Res | null) => void,
  ): void {
    const address = this.#options.voters.get(toNodeId)
    if (address === undefined || this.#isClosed) {
      this.#options.clock.after(0, 'quorum-transport.unknown', () => {
        done(new ConnectionError(`node ${toNodeId} is no voter that can be reached`), null)
      })
      return
    }
    this.#connectionTo(toNodeId, address).request(api, version, body, timeoutMs, done)
  }

  close(): void {
    this.#isClosed = true
    const connections = [...this.#connections.values()]
    this.#connections.clear()
    for (const connection of connections) connection.close()
  }

  #connectionTo(nodeId: number, address: Address): ClientConnection {
    const existing = this.#connections.get(nodeId)
    if (existing !== undefined) return existing
    const { network, clock, clientId } = this.#options
    const connection = new ClientConnection({
      network,
      clock,
      address,
      clientId,
      onClosed: () => {
        if (this.#connections.get(nodeId) === connection) this.#connections.delete(nodeId)
      },
    })
    this.#connections.set(nodeId, connection)
    return connection
  }
}
