import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import type { UnregisterBrokerResponse } from '../../../../src/wire/messages/64-unregister-broker.ts'
import { answerOf, ControlWorld, directoryOf, uuidOf } from '../../../support/control-world.ts'

const OTHER_INCARNATION = uuidOf(0x1c, 999)

describe('BrokerRegistration', () => {
  it('starts a broker fenced, with the offset of its registration as its epoch', () => {
    const world = new ControlWorld()
    const { errorCode, brokerEpoch } = world.register(1, { rack: 'r1' })
    expect(errorCode).toBe(ErrorCode.NONE)
    expect(world.log.at(-1)).toMatchObject({
      offset: brokerEpoch,
      record: { type: 'RegisterBrokerRecord', version: 4, data: { brokerEpoch, fenced: true } },
    })
    expect(world.image.brokers.get(1)).toMatchObject({
      isFenced: true,
      rack: 'r1',
      registrationOffset: brokerEpoch,
      listeners: [{ name: 'PLAINTEXT', host: 'broker-1', port: 9092, securityProtocol: 0 }],
    })
    expect(world.kinds()).toContain('controller.broker-registered')
  })

  it('gives the epoch that the record gets although others are appended before it', () => {
    const world = new ControlWorld()
    for (const id of [1, 2, 3]) {
      expect(world.register(id).brokerEpoch).toBe(world.lastOffset)
    }
  })

  it('refuses another cluster id', () => {
    const world = new ControlWorld()
    expect(world.register(1, { clusterId: 'another' }).errorCode).toBe(
      ErrorCode.INCONSISTENT_CLUSTER_ID,
    )
    expect(world.image.brokers.size).toBe(0)
    expect(world.kinds()).toContain('controller.registration-refused')
  })

  it('refuses a second incarnation while the first is alive, and takes it when it is fenced', () => {
    const world = new ControlWorld()
    world.start(1)
    const first = world.image.brokers.get(1)!.epoch
    expect(world.register(1, { incarnationId: OTHER_INCARNATION }).errorCode).toBe(
      ErrorCode.DUPLICATE_BROKER_REGISTRATION,
    )
    world.world.runFor(8999)
    expect(world.register(1, { incarnationId: OTHER_INCARNATION }).errorCode).toBe(
      ErrorCode.DUPLICATE_BROKER_REGISTRATION,
    )
    world.world.runFor(1)
    const { errorCode, brokerEpoch } = world.register(1, { incarnationId: OTHER_INCARNATION })
    expect(errorCode).toBe(ErrorCode.NONE)
    expect(brokerEpoch).toBeGreaterThan(first)
    expect(world.heartbeat(1, { brokerEpoch: first }).errorCode).toBe(ErrorCode.STALE_BROKER_EPOCH)
  })

  it('takes a second incarnation at once that has the mark of a clean shutdown of the first', () => {
    const world = new ControlWorld()
    world.start(1)
    const first = world.image.brokers.get(1)!.epoch
    const again = { incarnationId: OTHER_INCARNATION }
    expect(world.register(1, { ...again, previousBrokerEpoch: first - 1 }).errorCode).toBe(
      ErrorCode.DUPLICATE_BROKER_REGISTRATION,
    )
    const answer = world.register(1, { ...again, previousBrokerEpoch: first })
    expect(answer.errorCode).toBe(ErrorCode.NONE)
    expect(world.image.brokers.get(1)).toMatchObject({ isFenced: true, epoch: answer.brokerEpoch })
    expect(world.heartbeat(1, { brokerEpoch: first }).errorCode).toBe(ErrorCode.STALE_BROKER_EPOCH)
  })

  it('takes a second incarnation of a fenced broker only when the first is silent', () => {
    const world = new ControlWorld()
    world.register(1)
    world.heartbeat(1, { wantFence: true })
    const again = { incarnationId: OTHER_INCARNATION }
    expect(world.register(1, again).errorCode).toBe(ErrorCode.DUPLICATE_BROKER_REGISTRATION)
    world.world.runFor(9000)
    expect(world.register(1, again).errorCode).toBe(ErrorCode.NONE)
  })

  it('lets the same incarnation come again with its epoch and state, and other listeners', () => {
    const world = new ControlWorld()
    world.start(1)
    const { epoch } = world.image.brokers.get(1)!
    const listeners = [{ name: 'PLAINTEXT', host: 'moved', port: 1, securityProtocol: 0 }]
    expect(world.register(1, { listeners })).toMatchObject({ errorCode: 0, brokerEpoch: epoch })
    expect(world.image.brokers.get(1)).toMatchObject({
      epoch,
      isFenced: false,
      listeners,
      registrationOffset: world.lastOffset,
    })
  })

  it('moves what an incarnation led whose session ends at this very moment', () => {
    const world = new ControlWorld()
    world.start(1, 2)
    world.createTopic('t', [1, 2])
    world.world.runFor(5000)
    world.heartbeat(2)
    // At the deadline, before its timer has run: register from a timer that was set earlier for the same time.
    const { clock } = world.world.node('controller').ports
    let brokerEpoch: number | undefined
    const before = world.log.length
    clock.after(4000, 'restart', () => {
      brokerEpoch = world.register(1, { incarnationId: OTHER_INCARNATION }).brokerEpoch
    })
    // A little longer: a node runs one thing after the other.
    world.world.runFor(4001)
    expect(brokerEpoch).toBe(
      world.log.findLast(({ record }) => record.type === 'RegisterBrokerRecord')!.offset,
    )
    expect(world.log.length).toBeGreaterThan(before + 1)
    expect(world.partition('t')).toMatchObject({ leader: 2, isr: [2] })
    expect(world.image.brokers.get(1)).toMatchObject({ isFenced: true, epoch: brokerEpoch })
  })

  it('refuses log directories that are missing, reserved, repeated or of another broker', () => {
    const world = new ControlWorld()
    world.register(2)
    const bad = [
      [],
      ['AAAAAAAAAAAAAAAAAAAAAg'],
      [directoryOf(1), directoryOf(1)],
      [directoryOf(1), directoryOf(2)],
    ]
    for (const logDirs of bad) {
      expect(world.register(1, { logDirs }).errorCode).toBe(ErrorCode.INVALID_REGISTRATION)
    }
  })

  it('refuses a broker that does not support a finalized feature level', () => {
    const world = new ControlWorld({ features: new Map([['group.version', 1]]) })
    const metadataVersion = (min: number, max: number) => ({
      name: 'metadata.version',
      minSupportedVersion: min,
      maxSupportedVersion: max,
    })
    const groups = { name: 'group.version', minSupportedVersion: 0, maxSupportedVersion: 1 }
    const features = {
      none: [],
      old: [metadataVersion(7, 29), groups],
      new: [metadataVersion(31, 40), groups],
      withoutGroups: [metadataVersion(7, 30)],
    }
    for (const unfit of Object.values(features)) {
      expect(world.register(1, { features: unfit }).errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION)
    }
    expect(world.register(1, { features: [metadataVersion(7, 30), groups] }).errorCode).toBe(0)
  })

  it('refuses brokers that migrate from ZooKeeper', () => {
    const world = new ControlWorld()
    expect(world.register(1, { isMigratingZkBroker: true }).errorCode).toBe(
      ErrorCode.BROKER_ID_NOT_REGISTERED,
    )
  })
})

describe('UnregisterBroker', () => {
  function unregister(world: ControlWorld, brokerId: number) {
    return answerOf<UnregisterBrokerResponse>((respond) => {
      world.controller.unregisterBroker({ brokerId }, respond)
    })
  }

  it('takes the broker out of its partitions and the cluster', () => {
    const world = new ControlWorld()
    world.start(1, 2)
    world.createTopic('t', [1, 2])
    expect(unregister(world, 1).errorCode).toBe(ErrorCode.NONE)
    expect(world.image.brokers.has(1)).toBe(false)
    expect(world.partition('t')).toMatchObject({ leader: 2, isr: [2], replicas: [1, 2] })
    expect(world.heartbeat(1, { brokerEpoch: 1 }).errorCode).toBe(ErrorCode.STALE_BROKER_EPOCH)
    expect(world.register(1).errorCode).toBe(ErrorCode.NONE)
  })

  it('refuses a broker that is not registered', () => {
    const answer = unregister(new ControlWorld(), 9)
    expect(answer.errorCode).toBe(ErrorCode.BROKER_ID_NOT_REGISTERED)
    expect(answer.errorMessage).toContain('9')
  })
})
