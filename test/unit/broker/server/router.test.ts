import { describe, expect, it } from 'vitest'
import { apiVersionsHandler } from '../../../../broker/api/18-api-versions.ts'
import type { ApiHandler, NodeServices } from '../../../../broker/server/request-context.ts'
import {
  Router,
  servedApis,
  type AnyHandler,
  type RouteOutcome,
} from '../../../../broker/server/router.ts'
import { WireError } from '../../../../src/base/errors.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import {
  heartbeatApi,
  type HeartbeatRequest,
  type HeartbeatResponse,
} from '../../../../src/wire/messages/12-heartbeat.ts'
import { apiVersionsApi } from '../../../../src/wire/messages/18-api-versions.ts'
import { decodeResponse, encodeRequest } from '../../../../src/wire/request.ts'

const ORIGIN = { listenerName: 'PLAINTEXT', client: { host: 'c', port: 5 } }

interface Seen {
  readonly version: number
  readonly clientId: string | null
  readonly groupId: string
}

function heartbeats(seen: Seen[], answer: unknown = {}): AnyHandler {
  const handler: ApiHandler<HeartbeatRequest, HeartbeatResponse> = {
    api: heartbeatApi,
    minVersion: 1,
    maxVersion: 3,
    listeners: ['broker'],
    handle: ({ apiVersion, clientId }, { groupId }, respond) => {
      seen.push({ version: apiVersion, clientId, groupId })
      respond(answer as HeartbeatResponse)
    },
  }
  return handler
}

class RouterWorld {
  readonly seen: Seen[] = []
  readonly events: string[] = []
  readonly outcomes: RouteOutcome[] = []
  readonly router: Router

  constructor(answer?: unknown, listener: 'broker' | 'controller' = 'broker') {
    const events = { emit: (kind: string) => void this.events.push(kind) }
    const handlers = [heartbeats(this.seen, answer), apiVersionsHandler as AnyHandler]
    this.router = new Router(handlers, listener, { events } as unknown as NodeServices)
  }

  route(chunks: readonly Buffer[]): void {
    const frame = Buffer.concat(chunks).subarray(4)
    this.router.route(frame, ORIGIN, (outcome) => this.outcomes.push(outcome))
  }
}

const heartbeat = (version: number): Buffer[] =>
  encodeRequest(heartbeatApi, version, 9, 'me', { groupId: 'g' })

describe('Router', () => {
  it('gives the request with its version and client to the handler and frames the answer', () => {
    const world = new RouterWorld({ errorCode: ErrorCode.REBALANCE_IN_PROGRESS })
    world.route(heartbeat(3))
    expect(world.seen).toEqual([{ version: 3, clientId: 'me', groupId: 'g' }])
    const frame = Buffer.concat(world.outcomes[0] as readonly Buffer[]).subarray(4)
    const { correlationId, body } = decodeResponse(heartbeatApi, 3, frame)
    expect(correlationId).toBe(9)
    expect(body.errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    expect(world.events).toEqual(['request.received'])
  })

  it.each([
    [null, 'none'],
    ['close', 'close'],
  ])('passes on that a handler answered %s', (answer, outcome) => {
    const world = new RouterWorld(answer)
    world.route(heartbeat(2))
    expect(world.outcomes).toEqual([outcome])
  })

  it.each([0, 4])('refuses a version that is not served: %i', (version) => {
    const world = new RouterWorld()
    expect(() => world.route(heartbeat(version))).toThrow(WireError)
    expect(() => world.route(heartbeat(version))).toThrow(/this broker serves v1 to v3/)
    expect(world.seen).toEqual([])
  })

  it('refuses an API of another listener', () => {
    const world = new RouterWorld({}, 'controller')
    expect(() => world.route(heartbeat(2))).toThrow(/API key 12 is not served/)
  })

  it('refuses a body that ends too early', () => {
    const whole = Buffer.concat(heartbeat(2))
    const world = new RouterWorld()
    expect(() => world.route([whole.subarray(0, whole.length - 3)])).toThrow(WireError)
    expect(world.outcomes).toEqual([])
  })

  it('answers an ApiVersions that is too new in version 0 with its own range only (KIP-511)', () => {
    const world = new RouterWorld()
    const request = Buffer.concat(
      encodeRequest(apiVersionsApi, 3, 1, 'me', {
        clientSoftwareName: 'a',
        clientSoftwareVersion: '1',
      }),
    )
    request.writeInt16BE(77, 6)
    world.route([request])
    const frame = Buffer.concat(world.outcomes[0] as readonly Buffer[]).subarray(4)
    const { body } = decodeResponse(apiVersionsApi, 0, frame)
    expect(body.errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION)
    const { minVersion, maxVersion } = apiVersionsHandler
    expect(body.apiKeys).toEqual([{ apiKey: 18, minVersion, maxVersion }])
  })

  it('ends the connection, and says why, when an answer cannot be carried in the version asked', () => {
    const world = new RouterWorld({ errorCode: 'not a number' })
    world.route(heartbeat(2))
    expect(world.outcomes).toEqual(['close'])
    expect(world.events).toEqual(['request.received', 'response.failed'])
  })

  it('lists the versions that a listener serves by key', () => {
    const handlers = [apiVersionsHandler as AnyHandler, heartbeats([])]
    const { minVersion, maxVersion } = apiVersionsHandler
    const ownRange = { apiKey: 18, minVersion, maxVersion }
    const heartbeatRange = { apiKey: 12, minVersion: 1, maxVersion: 3 }
    expect(servedApis(handlers, 'broker')).toEqual([heartbeatRange, ownRange])
    expect(servedApis(handlers, 'controller')).toEqual([ownRange])
  })
})
