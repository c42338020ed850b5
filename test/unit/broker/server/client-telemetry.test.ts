import { describe, expect, it } from 'vitest'
import { parseBrokerConfig } from '../../../../broker/config.ts'
import { MetadataImage } from '../../../../broker/metadata/image.ts'
import { ClientTelemetry } from '../../../../broker/server/client-telemetry.ts'
import { ZERO_UUID } from '../../../../src/base/uuid.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { metadataRecord } from '../../../../src/wire/metadata-record.ts'

const CLIENT = { clientId: 'app-1', host: '10.0.0.1', port: 4000 }
const ID = 'BBBBBBBBBBBBBBBBBBBBBA'

class Bench {
  readonly kinds: string[] = []
  readonly telemetry: ClientTelemetry
  readonly #image = new MetadataImage()

  constructor() {
    const world = new SimWorld({ seed: 1 })
    world.onEvent(({ kind }) => this.kinds.push(kind))
    const { random, events } = world.node('a').ports
    this.telemetry = new ClientTelemetry({
      config: parseBrokerConfig({
        'node.id': '1',
        'process.roles': 'broker',
        'controller.listener.names': 'CONTROLLER',
        'telemetry.max.bytes': '100',
      }),
      configs: () => this.#image.configs,
      random,
      events,
    })
  }

  subscribe(resourceName: string, configs: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(configs)) {
      const data = { resourceType: 16, resourceName, name, value }
      this.#image.apply(metadataRecord('ConfigRecord', data))
    }
  }

  get(id = ID) {
    return this.telemetry.subscriptionFor(id, CLIENT)
  }

  push(given: Partial<Parameters<ClientTelemetry['push']>[0]> = {}) {
    const push = {
      clientInstanceId: ID,
      subscriptionId: this.get().subscriptionId,
      isTerminating: false,
      compressionType: 0,
      metrics: Buffer.alloc(10),
      ...given,
    }
    return this.telemetry.push(push, CLIENT)
  }
}

describe('a subscription', () => {
  it('wants nothing, every five minutes, when there is none', () => {
    expect(new Bench().get()).toMatchObject({ pushIntervalMs: 300_000, metrics: [] })
  })

  it('gives a client that has none an id', () => {
    const bench = new Bench()
    const first = bench.get(ZERO_UUID).clientInstanceId
    expect(first).not.toBe(ZERO_UUID)
    expect(bench.get(ZERO_UUID).clientInstanceId).not.toBe(first)
    expect(bench.get().clientInstanceId).toBe(ID)
  })

  it('is made of all that match the client, with the shortest interval', () => {
    const bench = new Bench()
    bench.subscribe('a', { metrics: 'x,y', 'interval.ms': '5000' })
    bench.subscribe('b', { metrics: 'z', 'interval.ms': '1000', match: 'client_id=app.*' })
    bench.subscribe('c', { metrics: 'no', 'interval.ms': '1', match: 'client_id=app' })
    const both = 'client_source_address=10\\..*,client_source_port=5000'
    bench.subscribe('d', { metrics: 'no', match: both })
    expect(bench.get()).toMatchObject({ pushIntervalMs: 1000, metrics: ['x', 'y', 'z'] })
    bench.subscribe('e', { metrics: '*' })
    expect(bench.get().metrics).toEqual(['*'])
  })

  it('has another id when it changes, and another for each client', () => {
    const bench = new Bench()
    const before = bench.get().subscriptionId
    expect(bench.get().subscriptionId).toBe(before)
    expect(bench.get('CCCCCCCCCCCCCCCCCCCCCA').subscriptionId).not.toBe(before)
    bench.subscribe('a', { metrics: 'x' })
    expect(bench.get().subscriptionId).not.toBe(before)
  })
})

describe('a push', () => {
  it('is told as an event', () => {
    const bench = new Bench()
    expect(bench.push()).toBe(ErrorCode.NONE)
    expect(bench.kinds).toEqual(['telemetry.received'])
  })

  it.each([
    ['without an id', { clientInstanceId: ZERO_UUID }, ErrorCode.INVALID_REQUEST],
    ['for an older subscription', { subscriptionId: 5 }, ErrorCode.UNKNOWN_SUBSCRIPTION_ID],
    ['in an unknown codec', { compressionType: 9 }, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE],
    ['that is too large', { metrics: Buffer.alloc(101) }, ErrorCode.TELEMETRY_TOO_LARGE],
  ])('%s is refused', (_, given, errorCode) => {
    const bench = new Bench()
    expect(bench.push(given)).toBe(errorCode)
    expect(bench.kinds).toEqual([])
  })

  it('is the last one when the client says so', () => {
    const bench = new Bench()
    expect(bench.push({ isTerminating: true })).toBe(ErrorCode.NONE)
    expect(bench.push()).toBe(ErrorCode.INVALID_REQUEST)
  })
})
