// Goal: a request reaches the active controller whoever that is and becomes, or ends by its time-out; never twice,
// never in a loop that takes no time.
import { describe, expect, it } from 'vitest'
import { ControllerChannel } from '../../../../broker/server/controller-channel.ts'
import { ConnectionError, TimeoutError } from '../../../../src/base/errors.ts'
import type { Address } from '../../../../src/ports/network.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { createTopicsApi } from '../../../../src/wire/messages/19-create-topics.ts'
import {
  brokerHeartbeatApi,
  type BrokerHeartbeatResponse,
} from '../../../../src/wire/messages/63-broker-heartbeat.ts'
import { ScriptedBroker } from '../../../support/scripted-broker.ts'

const A = { host: 'a', port: 9093 }
const B = { host: 'b', port: 9093 }

interface Ended {
  readonly error: Error | null
  readonly response: BrokerHeartbeatResponse | null
  readonly atMs: number
}

class ChannelWorld {
  readonly world = new SimWorld({ seed: 3 })
  readonly ended: Ended[] = []
  address: Address | null = null
  readonly a = new ScriptedBroker(this.world.node('a').ports, A)
  readonly b = new ScriptedBroker(this.world.node('b').ports, B)
  readonly channel = new ControllerChannel({
    network: this.world.node('broker').ports.network,
    clock: this.world.node('broker').ports.clock,
    clientId: 'broker-1-to-controller',
    controllerAddress: () => this.address,
    retryBackoffMs: 20,
  })

  constructor() {
    for (const controller of [this.a, this.b]) {
      controller.listen()
      controller.on(brokerHeartbeatApi, (_, reply) => reply({ isCaughtUp: true }))
    }
    this.world.runFor(10)
  }

  send(timeoutMs = 1000): void {
    const { clock } = this.world.node('broker').ports
    this.channel.send(brokerHeartbeatApi, 1, { brokerId: 1 }, timeoutMs, (error, response) => {
      this.ended.push({ error, response, atMs: clock.monoMs() })
    })
  }

  asked(controller: ScriptedBroker): number {
    return controller.requests(brokerHeartbeatApi).length
  }
}

describe('ControllerChannel', () => {
  it('sends to the controller and gives its answer', () => {
    const world = new ChannelWorld()
    world.address = A
    world.send()
    world.send()
    world.world.runFor(100)
    expect(world.ended.map(({ response }) => response?.isCaughtUp)).toEqual([true, true])
    expect(world.a.connectionCount).toBe(1)
    expect(world.a.requests(brokerHeartbeatApi)[0]!.clientId).toBe('broker-1-to-controller')
  })

  it('waits while there is no controller, and asks the one that comes', () => {
    const world = new ChannelWorld()
    world.send(5000)
    world.world.runFor(2000)
    expect(world.ended).toEqual([])
    world.address = B
    world.channel.leaderChanged()
    world.world.runFor(50)
    expect(world.ended[0]!.response?.isCaughtUp).toBe(true)
  })

  it('finds the controller by itself when nobody says that it has changed', () => {
    const world = new ChannelWorld()
    world.send(5000)
    world.world.runFor(100)
    world.address = A
    world.world.runFor(100)
    expect(world.ended[0]!.error).toBeNull()
  })

  it('gives up at the time-out, not before and not later', () => {
    const world = new ChannelWorld()
    const { clock } = world.world.node('broker').ports
    const startMs = clock.monoMs()
    world.send(1000)
    world.world.runFor(5000)
    expect(world.ended).toHaveLength(1)
    expect(world.ended[0]!.error).toBeInstanceOf(TimeoutError)
    expect(world.ended[0]!.error!.message).toBe('BrokerHeartbeat: no controller answered in time')
    expect(world.ended[0]!.atMs - startMs).toBeGreaterThanOrEqual(1000)
    expect(world.ended[0]!.atMs - startMs).toBeLessThan(1100)
  })

  it('ends by its time-out also when the controller is silent', () => {
    const world = new ChannelWorld()
    world.a.on(brokerHeartbeatApi, () => undefined)
    world.address = A
    world.send(1000)
    world.world.runFor(5000)
    expect(world.ended).toHaveLength(1)
    expect(world.ended[0]!.error).toBeInstanceOf(TimeoutError)
  })

  it('asks again after NOT_CONTROLLER, with a pause that doubles', () => {
    const world = new ChannelWorld()
    world.address = A
    world.a.next(
      brokerHeartbeatApi,
      (_, reply) => reply({ errorCode: ErrorCode.NOT_CONTROLLER }),
      (_, reply) => reply({ errorCode: ErrorCode.NOT_CONTROLLER }),
    )
    world.send()
    world.world.runFor(500)
    expect(world.ended[0]!.response?.errorCode).toBe(ErrorCode.NONE)
    const [first, second, third] = world.a.requests(brokerHeartbeatApi).map(({ atMs }) => atMs)
    expect(second! - first!).toBeGreaterThanOrEqual(2)
    expect(third! - second!).toBeGreaterThanOrEqual(4)
  })

  it('asks again when NOT_CONTROLLER is the answer about one topic', () => {
    const world = new ChannelWorld()
    world.address = A
    let asked = 0
    world.a.on(createTopicsApi, (_, reply) => {
      asked += 1
      const errorCode = asked === 1 ? ErrorCode.NOT_CONTROLLER : ErrorCode.NONE
      reply({ topics: [{ name: 't', errorCode }] })
    })
    const codes: (number | undefined)[] = []
    const body = { topics: [{ name: 't' }] }
    world.channel.send(createTopicsApi, 7, body, 1000, (_, response) => {
      codes.push(response?.topics[0]?.errorCode)
    })
    world.world.runFor(500)
    expect([asked, codes]).toEqual([2, [ErrorCode.NONE]])
  })

  it('other errors of the controller are answers', () => {
    const world = new ChannelWorld()
    world.address = A
    world.a.on(brokerHeartbeatApi, (_, reply) => reply({ errorCode: ErrorCode.STALE_BROKER_EPOCH }))
    world.send()
    world.world.runFor(100)
    expect(world.ended[0]!.response?.errorCode).toBe(ErrorCode.STALE_BROKER_EPOCH)
    expect(world.asked(world.a)).toBe(1)
  })

  it('sends to the new controller what the old one has not answered', () => {
    const world = new ChannelWorld()
    world.a.on(brokerHeartbeatApi, () => undefined)
    world.address = A
    world.send(5000)
    world.world.runFor(100)
    expect(world.asked(world.a)).toBe(1)
    world.address = B
    world.channel.leaderChanged()
    world.world.runFor(100)
    expect(world.asked(world.b)).toBe(1)
    expect(world.ended.map(({ error }) => error)).toEqual([null])
  })

  it('goes on after a controller that drops its connections or is not there', () => {
    const world = new ChannelWorld()
    world.address = A
    world.a.next(brokerHeartbeatApi, (_, reply) => reply.drop())
    world.send(3000)
    world.world.runFor(200)
    expect(world.ended[0]!.error).toBeNull()
    world.a.stop()
    world.send(3000)
    world.world.runFor(500)
    world.a.listen()
    world.world.runFor(500)
    expect(world.ended[1]!.error).toBeNull()
  })

  it('waits in peace when the leader is lost and none follows', () => {
    const world = new ChannelWorld()
    world.address = A
    world.a.on(brokerHeartbeatApi, () => undefined)
    world.send(2000)
    world.world.runFor(100)
    world.address = null
    world.channel.leaderChanged()
    world.channel.leaderChanged()
    expect(world.world.runUntil(() => world.ended.length > 0, 10_000)).toBe(true)
    expect(world.ended[0]!.error).toBeInstanceOf(TimeoutError)
    expect(world.asked(world.a)).toBe(1)
  })

  it('refuses more than a thousand requests that wait', () => {
    const world = new ChannelWorld()
    for (let i = 0; i < 1001; i += 1) world.send(5000)
    world.world.runFor(5)
    expect(world.ended).toHaveLength(1)
    expect(world.ended[0]!.error).toBeInstanceOf(ConnectionError)
    expect(world.ended[0]!.error!.message).toMatch(/1000 requests wait/)
  })

  it('ends everything when it closes, waiting or under way, once', () => {
    const world = new ChannelWorld()
    world.send()
    world.world.runFor(10)
    world.address = A
    world.a.on(brokerHeartbeatApi, () => undefined)
    world.send()
    world.world.runFor(15)
    world.channel.close()
    world.world.runFor(5000)
    expect(world.ended).toHaveLength(2)
    for (const { error } of world.ended) expect(error).not.toBeNull()
    world.send()
    world.world.runFor(100)
    expect(world.ended).toHaveLength(3)
  })
})
