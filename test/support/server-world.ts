import { Acceptor } from '../../broker/server/acceptor.ts'
import type {
  ApiHandler,
  ListenerKind,
  NodeServices,
  Respond,
} from '../../broker/server/request-context.ts'
import { Router, type AnyHandler } from '../../broker/server/router.ts'
import type { NodeEvent } from '../../src/ports/events.ts'
import type { Connection } from '../../src/ports/network.ts'
import { SimWorld } from '../../src/sim/sim-world.ts'
import { FrameCutter } from '../../src/wire/frame.ts'
import type { HeartbeatRequest, HeartbeatResponse } from '../../src/wire/messages/12-heartbeat.ts'
import { heartbeatApi } from '../../src/wire/messages/12-heartbeat.ts'
import { correlationIdOf, encodeRequest } from '../../src/wire/request.ts'
import type { Input } from '../../src/wire/schema.ts'

export const SERVER_ADDRESS = { host: 'server', port: 9092 }

/** One request that a handler of the world holds until the test answers it. */
export interface HeldRequest {
  readonly groupId: string
  readonly respond: Respond<HeartbeatResponse>
}

export interface ServerWorldOptions {
  readonly handlers?: readonly AnyHandler[]
  readonly listener?: ListenerKind
  readonly maxFrameBytes?: number
  readonly maxIdleMs?: number
  readonly maxConnectionsOf?: number
  readonly maxConnections?: number
  readonly highWaterBytes?: number
  /** Answer at once instead of holding. */
  readonly answersAtOnce?: boolean
}

/** A real acceptor in a simulated network, with one API whose answers the test gives. */
export class ServerWorld {
  readonly world: SimWorld
  readonly held: HeldRequest[] = []
  readonly events: NodeEvent[] = []
  readonly acceptor: Acceptor

  constructor(options: ServerWorldOptions = {}) {
    const { highWaterBytes } = options
    this.world = new SimWorld({
      seed: 1,
      ...(highWaterBytes === undefined ? {} : { highWaterBytes }),
    })
    this.world.onEvent((event) => {
      if (event.node === 'server') this.events.push(event)
    })
    const { network, clock, events } = this.world.node('server').ports
    // The handlers of these tests need nothing of a node but its events.
    const services = { events } as unknown as NodeServices
    const handlers = options.handlers ?? [this.#handler(options.answersAtOnce ?? false)]
    this.acceptor = new Acceptor({
      network,
      clock,
      events,
      name: 'PLAINTEXT',
      address: SERVER_ADDRESS,
      router: new Router(handlers, options.listener ?? 'broker', services),
      maxFrameBytes: options.maxFrameBytes ?? 1_000_000,
      maxIdleMs: options.maxIdleMs ?? 600_000,
      maxConnections: () => options.maxConnections ?? 1000,
      maxConnectionsOf: () => options.maxConnectionsOf ?? 1000,
    })
    this.acceptor.listen((error) => {
      if (error !== null) throw error
    })
    this.run()
  }

  /** Time for everything under way to arrive. */
  run(ms = 100): void {
    this.world.runFor(ms)
  }

  client(): RawSimClient {
    const client = new RawSimClient(this.world)
    this.run()
    return client
  }

  eventsOf(kind: string): readonly NodeEvent[] {
    return this.events.filter((event) => event.kind === kind)
  }

  #handler(answersAtOnce: boolean): ApiHandler<HeartbeatRequest, HeartbeatResponse> {
    return {
      api: heartbeatApi,
      minVersion: 0,
      maxVersion: 4,
      listeners: ['broker'],
      handle: (_, { groupId }, respond) => {
        if (answersAtOnce) respond({})
        else this.held.push({ groupId, respond })
      },
    }
  }
}

/** A client of bytes: sends what the test gives and keeps what comes back. */
export class RawSimClient {
  readonly frames: Buffer[] = []
  closes: (Error | null)[] = []
  readonly connection: Connection
  readonly #cutter = new FrameCutter(1_000_000_000, (frame) => this.frames.push(frame))

  constructor(world: SimWorld) {
    this.connection = world.node('client').ports.network.connect(SERVER_ADDRESS, {
      onData: (bytes) => this.#cutter.push(bytes),
      onClose: (error) => this.closes.push(error),
    })
  }

  get isClosed(): boolean {
    return this.closes.length > 0
  }

  get answered(): readonly number[] {
    return this.frames.map(correlationIdOf)
  }

  send(...chunks: readonly Uint8Array[]): void {
    this.connection.write(chunks)
  }

  heartbeat(correlationId: number, groupId = `g${correlationId}`): void {
    this.send(...heartbeatFrame(correlationId, { groupId }))
  }
}

export function heartbeatFrame(
  correlationId: number,
  body: Input<HeartbeatRequest> = {},
): Buffer[] {
  return encodeRequest(heartbeatApi, 4, correlationId, 'raw', body)
}
