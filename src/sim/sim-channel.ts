import type { SimConnection } from './sim-connection.ts'
import type { SimPipe } from './sim-pipe.ts'
import type { SimRandom } from './sim-random.ts'

/** A connection as the network sees it: two ends, two directions. */
export class SimChannel {
  readonly toServer: SimPipe
  readonly toClient: SimPipe
  readonly client: SimConnection
  /** Null until the attempt has been accepted, and for good when it was refused. */
  server: SimConnection | null = null

  constructor(toServer: SimPipe, toClient: SimPipe, client: SimConnection) {
    this.toServer = toServer
    this.toClient = toClient
    this.client = client
  }

  get pipes(): readonly SimPipe[] {
    return [this.toServer, this.toClient]
  }

  /** Nothing can come of it any more. */
  get isOver(): boolean {
    if (!this.client.isClosed) return false
    return this.server === null ? this.toServer.isEmpty : this.server.isClosed
  }

  get ends(): readonly SimConnection[] {
    return this.server === null ? [this.client] : [this.client, this.server]
  }

  isBetween(a: string, b: string): boolean {
    const { local, remote } = this.client
    return (local.host === a && remote.host === b) || (local.host === b && remote.host === a)
  }

  /** Both ends see a reset; of what was under way perhaps a first part arrives. */
  breakOff(random: SimRandom | null): void {
    for (const pipe of this.pipes) pipe.breakOff(random)
  }
}
