import { describe, expect, it } from 'vitest'
import { BrokerLifecycle } from '../../../../broker/server/broker-lifecycle.ts'
import { ControllerChannel } from '../../../../broker/server/controller-channel.ts'
import type { NodeEvent } from '../../../../src/ports/events.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { brokerRegistrationApi } from '../../../../src/wire/messages/62-broker-registration.ts'
import { brokerHeartbeatApi } from '../../../../src/wire/messages/63-broker-heartbeat.ts'
import { ScriptedBroker } from '../../../support/scripted-broker.ts'

const ADDRESS = { host: 'controller', port: 9093 }
const INTERVAL_MS = 2000

class LifecycleWorld {
  readonly world = new SimWorld({ seed: 5 })
  readonly controller = new ScriptedBroker(this.world.node('controller').ports, ADDRESS)
  readonly calls: string[] = []
  readonly events: NodeEvent[] = []
  epoch = 40
  isFenced = false
  metadataOffset = 12
  readonly lifecycle: BrokerLifecycle

  constructor() {
    this.world.onEvent((event) => this.events.push(event))
    this.controller.listen()
    this.controller.on(brokerRegistrationApi, (_, reply) => reply({ brokerEpoch: this.epoch }))
    this.controller.on(brokerHeartbeatApi, ({ body }, reply) => {
      reply({ isCaughtUp: true, isFenced: body.wantFence || this.isFenced })
    })
    const { network, clock, events } = this.world.node('broker').ports
    const channel = new ControllerChannel({
      network,
      clock,
      clientId: 'b',
      controllerAddress: () => ADDRESS,
      retryBackoffMs: 20,
    })
    this.lifecycle = new BrokerLifecycle({
      brokerId: 7,
      incarnationId: 'IncarnationAAAAAAAAAAA',
      channel,
      clock,
      events,
      registration: { clusterId: 'c', rack: 'r', listeners: [], features: [], logDirs: [] },
      heartbeatIntervalMs: INTERVAL_MS,
      sessionTimeoutMs: 9000,
      metadataOffset: () => this.metadataOffset,
      onRegistered: (epoch) => this.calls.push(`registered ${epoch}`),
      onUnfenced: () => this.calls.push('unfenced'),
      onShutdownAllowed: () => this.calls.push('may stop'),
      directoryTimeoutMs: 5000,
      onFatal: (error) => this.calls.push(error.message),
    })
  }

  heartbeats() {
    return this.controller.requests(brokerHeartbeatApi).map(({ body }) => body)
  }

  run(ms: number): void {
    this.world.runFor(ms)
  }

  started(): this {
    this.run(10)
    this.lifecycle.start()
    this.run(100)
    return this
  }
}

describe('BrokerLifecycle', () => {
  it('registers, and asks to stay fenced until it is ready', () => {
    const world = new LifecycleWorld().started()
    const [registration] = world.controller.requests(brokerRegistrationApi)
    expect(registration!.body).toMatchObject({
      brokerId: 7,
      clusterId: 'c',
      rack: 'r',
      incarnationId: 'IncarnationAAAAAAAAAAA',
    })
    expect(world.calls).toEqual(['registered 40'])
    expect(world.lifecycle.brokerEpoch).toBe(40)
    expect(world.heartbeats()[0]).toMatchObject({
      brokerId: 7,
      brokerEpoch: 40,
      currentMetadataOffset: 12,
      wantFence: true,
      wantShutDown: false,
    })
    expect(world.lifecycle.isUnfenced).toBe(false)
  })

  it('asks to be unfenced at once when it is ready, and says so once', () => {
    const world = new LifecycleWorld().started()
    world.lifecycle.ready()
    world.run(50)
    expect(world.heartbeats().at(-1)).toMatchObject({ wantFence: false })
    expect(world.calls).toEqual(['registered 40', 'unfenced'])
    world.run(10_000)
    expect(world.calls).toEqual(['registered 40', 'unfenced'])
    expect(world.lifecycle.isUnfenced).toBe(true)
  })

  it('hurries while the controller still holds it fenced, then beats at the interval', () => {
    const world = new LifecycleWorld()
    world.isFenced = true
    world.started()
    world.lifecycle.ready()
    world.run(200)
    expect(world.heartbeats().length).toBeGreaterThan(5)
    world.isFenced = false
    world.run(100)
    const before = world.heartbeats().length
    world.run(INTERVAL_MS * 5)
    expect(world.heartbeats().length - before).toBe(5)
  })

  it('tells with each heartbeat how far its metadata is', () => {
    const world = new LifecycleWorld().started()
    world.metadataOffset = 99
    world.run(INTERVAL_MS + 100)
    expect(world.heartbeats().at(-1)).toMatchObject({ currentMetadataOffset: 99 })
  })

  it('registers again after a refusal, and reports it', () => {
    const world = new LifecycleWorld()
    const refuse = ErrorCode.DUPLICATE_BROKER_REGISTRATION
    world.controller.next(brokerRegistrationApi, (_, reply) => reply({ errorCode: refuse }))
    world.started()
    expect(world.calls).toEqual(['registered 40'])
    const refused = world.events.filter(({ kind }) => kind === 'broker.refused')
    expect(refused.map(({ fields }) => fields)).toEqual([
      { request: 'registration', error: 'DUPLICATE_BROKER_REGISTRATION' },
    ])
  })

  it.each([ErrorCode.STALE_BROKER_EPOCH, ErrorCode.BROKER_ID_NOT_REGISTERED])(
    'registers again when the controller does not know its epoch any more (error %i)',
    (errorCode) => {
      const world = new LifecycleWorld().started()
      world.lifecycle.ready()
      world.run(50)
      world.epoch = 77
      world.controller.next(brokerHeartbeatApi, (_, reply) => reply({ errorCode }))
      world.run(INTERVAL_MS + 200)
      expect(world.lifecycle.brokerEpoch).toBe(77)
      expect(world.calls).toEqual(['registered 40', 'unfenced', 'registered 77', 'unfenced'])
      expect(world.heartbeats().at(-1)).toMatchObject({ brokerEpoch: 77, wantFence: false })
    },
  )

  it('knows that it was fenced, and comes back', () => {
    const world = new LifecycleWorld().started()
    world.lifecycle.ready()
    world.run(50)
    world.isFenced = true
    world.run(INTERVAL_MS + 50)
    expect(world.lifecycle.isUnfenced).toBe(false)
    world.isFenced = false
    world.run(100)
    expect(world.lifecycle.isUnfenced).toBe(true)
  })

  it('goes on beating through other errors and lost connections', () => {
    const world = new LifecycleWorld().started()
    world.lifecycle.ready()
    world.run(50)
    world.controller.next(
      brokerHeartbeatApi,
      (_, reply) => reply({ errorCode: ErrorCode.UNKNOWN_SERVER_ERROR }),
      (_, reply) => reply.drop(),
    )
    const before = world.heartbeats().length
    world.run(INTERVAL_MS * 4)
    expect(world.heartbeats().length - before).toBeGreaterThanOrEqual(4)
    expect(world.lifecycle.isUnfenced).toBe(true)
  })

  it('asks for its shutdown at once and again until the controller allows it, then is silent', () => {
    const world = new LifecycleWorld().started()
    world.lifecycle.ready()
    world.run(50)
    world.lifecycle.beginControlledShutdown()
    world.run(100)
    expect(world.heartbeats().at(-1)).toMatchObject({ wantShutDown: true })
    expect(world.calls).not.toContain('may stop')
    world.controller.on(brokerHeartbeatApi, (_, reply) => reply({ shouldShutDown: true }))
    world.run(100)
    expect(world.calls.filter((call) => call === 'may stop')).toHaveLength(1)
    const before = world.heartbeats().length
    world.run(INTERVAL_MS * 3)
    expect(world.heartbeats().length).toBe(before)
  })

  it('does nothing more once stopped, whatever is under way', () => {
    const world = new LifecycleWorld()
    world.run(10)
    world.lifecycle.start()
    world.lifecycle.stop()
    world.run(INTERVAL_MS * 3)
    world.lifecycle.ready()
    world.lifecycle.beginControlledShutdown()
    world.run(INTERVAL_MS * 3)
    expect([world.calls, world.heartbeats()]).toEqual([[], []])
  })
})

describe('a log directory that fails', () => {
  it('is told in the next heartbeat, at once, and in all that follow', () => {
    const world = new LifecycleWorld()
    world.lifecycle.start()
    world.lifecycle.ready()
    world.run(100)
    const before = world.heartbeats().length
    world.lifecycle.directoryFailed('DirectoryAAAAAAAAAAAAA')
    world.run(100)
    expect(world.heartbeats().slice(before)).toMatchObject([
      { offlineLogDirs: ['DirectoryAAAAAAAAAAAAA'] },
    ])
    world.run(INTERVAL_MS)
    expect(world.heartbeats().at(-1)?.offlineLogDirs).toEqual(['DirectoryAAAAAAAAAAAAA'])
    world.run(10_000)
    expect(world.calls).not.toContainEqual(expect.stringContaining('could not be told'))
  })

  it('ends a broker that cannot tell it in time', () => {
    const world = new LifecycleWorld()
    world.lifecycle.start()
    world.lifecycle.ready()
    world.run(100)
    world.controller.on(brokerHeartbeatApi, (_, reply) => {
      reply({ errorCode: ErrorCode.NOT_CONTROLLER })
    })
    world.lifecycle.directoryFailed('DirectoryAAAAAAAAAAAAA')
    world.run(4900)
    expect(world.calls.at(-1)).toBe('unfenced')
    world.run(200)
    expect(world.calls.at(-1)).toContain('could not be told of the offline log directory Dir')
  })
})
