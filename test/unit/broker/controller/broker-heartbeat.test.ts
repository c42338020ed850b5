import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { ControlWorld, uuidOf } from '../../../support/control-world.ts'

describe('BrokerHeartbeat', () => {
  it('unfences a broker once it has replayed its own registration', () => {
    const world = new ControlWorld()
    const brokerEpoch = world.register(1).brokerEpoch ?? -1
    expect(world.heartbeat(1, { currentMetadataOffset: brokerEpoch - 1 })).toMatchObject({
      errorCode: ErrorCode.NONE,
      isCaughtUp: false,
      isFenced: true,
      shouldShutDown: false,
    })
    expect(world.heartbeat(1, { currentMetadataOffset: brokerEpoch })).toMatchObject({
      isCaughtUp: true,
      isFenced: false,
    })
    expect(world.image.brokers.get(1)?.isFenced).toBe(false)
    expect(world.kinds()).toContain('controller.broker-unfenced')
    const { length } = world.log
    expect(world.heartbeat(1).isFenced).toBe(false)
    expect(world.log).toHaveLength(length)
  })

  it('leaves a broker fenced that wants to be, and fences one that asks for it', () => {
    const world = new ControlWorld()
    world.register(1)
    expect(world.heartbeat(1, { wantFence: true })).toMatchObject({
      isCaughtUp: true,
      isFenced: true,
    })
    world.heartbeat(1)
    expect(world.heartbeat(1, { wantFence: true }).isFenced).toBe(true)
    expect(world.image.brokers.get(1)?.isFenced).toBe(true)
  })

  it('refuses another epoch and an unknown broker', () => {
    const world = new ControlWorld()
    world.start(1)
    for (const [id, brokerEpoch] of [
      [1, 0],
      [1, 999],
      [2, 0],
      [2, -1],
    ] as const) {
      expect(world.heartbeat(id, { brokerEpoch })).toEqual({
        errorCode: ErrorCode.STALE_BROKER_EPOCH,
      })
    }
  })

  it('fences a broker that is silent for the session time-out and moves its leaderships', () => {
    const world = new ControlWorld()
    world.start(1, 2, 3)
    world.createTopic('t', [1, 2, 3], [2, 3, 1])
    world.createTopic('u', [1, 3])
    world.world.runFor(6000)
    world.heartbeat(2)
    world.heartbeat(3)
    world.world.runFor(2999)
    expect(world.image.brokers.get(1)?.isFenced).toBe(false)
    world.world.runFor(1)
    expect(world.image.brokers.get(1)?.isFenced).toBe(true)
    expect(world.partition('t', 0)).toMatchObject({ leader: 2, isr: [2, 3], leaderEpoch: 1 })
    expect(world.partition('t', 1)).toMatchObject({ leader: 2, isr: [2, 3], leaderEpoch: 0 })
    expect(world.partition('u')).toMatchObject({ leader: 3, isr: [3], leaderEpoch: 1 })
    expect(world.batches.at(-1)?.map(({ type }) => type)).toEqual([
      'PartitionChangeRecord',
      'PartitionChangeRecord',
      'PartitionChangeRecord',
      'BrokerRegistrationChangeRecord',
    ])
    const kinds = world.kinds()
    expect(kinds.filter((kind) => kind === 'controller.broker-fenced')).toHaveLength(1)
    expect(kinds.filter((kind) => kind === 'controller.leader-elected')).toHaveLength(2)
  })

  it('fences brokers that fall silent together one after the other', () => {
    const world = new ControlWorld()
    world.start(1, 2, 3)
    world.createTopic('t', [1, 2, 3])
    world.world.runFor(9000)
    expect(world.partition('t')).toMatchObject({ leader: -1, isr: [3], leaderEpoch: 3 })
    expect([...world.image.brokers.values()].every(({ isFenced }) => isFenced)).toBe(true)
    world.world.runFor(60_000)
    expect(world.partition('t').leaderEpoch).toBe(3)
  })

  it('gives leaderless partitions to the member of the ISR that is unfenced again', () => {
    const world = new ControlWorld()
    world.start(1, 2)
    world.createTopic('t', [1, 2])
    world.expire(1)
    world.expire(2)
    expect(world.partition('t')).toMatchObject({ leader: -1, isr: [2] })
    world.heartbeat(1)
    expect(world.partition('t').leader).toBe(-1)
    expect(world.heartbeat(2).isFenced).toBe(false)
    expect(world.partition('t')).toMatchObject({ leader: 2, isr: [2] })
  })

  it('elects uncleanly only in topics that allow it', () => {
    const world = new ControlWorld()
    world.start(1, 2)
    world.createTopics({
      topics: ['safe', 'available'].map((name) => ({
        name,
        numPartitions: -1,
        replicationFactor: -1,
        assignments: [{ partitionIndex: 0, brokerIds: [1, 2] }],
        configs: [{ name: 'unclean.leader.election.enable', value: String(name === 'available') }],
      })),
    })
    world.expire(2)
    world.expire(1)
    world.heartbeat(2)
    expect(world.partition('safe')).toMatchObject({ leader: -1, isr: [1], leaderRecoveryState: 0 })
    expect(world.partition('available')).toMatchObject({
      leader: 2,
      isr: [2],
      leaderRecoveryState: 1,
    })
  })
})

describe('controlled shutdown', () => {
  it('of a broker without leaderships is allowed at once', () => {
    const world = new ControlWorld()
    world.start(1, 2)
    world.createTopic('t', [1, 2])
    expect(world.heartbeat(2, { wantShutDown: true })).toMatchObject({
      isFenced: true,
      shouldShutDown: true,
    })
    expect(world.image.brokers.get(2)?.isFenced).toBe(true)
    expect(world.partition('t').isr).toEqual([1])
  })

  it('of a fenced broker is allowed at once and writes nothing', () => {
    const world = new ControlWorld()
    world.register(1)
    const { length } = world.log
    expect(world.heartbeat(1, { wantShutDown: true }).shouldShutDown).toBe(true)
    expect(world.log).toHaveLength(length)
  })

  it('moves the leaderships first and waits until all active brokers know', () => {
    const world = new ControlWorld()
    world.start(1, 2, 3)
    world.createTopic('t', [1, 2, 3])
    world.createTopic('single', [1])
    const wanting = { wantShutDown: true }
    expect(world.heartbeat(1, wanting)).toMatchObject({ isFenced: false, shouldShutDown: false })
    const shutdownOffset = world.lastOffset
    expect(world.image.brokers.get(1)).toMatchObject({
      isFenced: false,
      isInControlledShutdown: true,
    })
    expect(world.partition('t', 0)).toMatchObject({ leader: 2, isr: [2, 3] })
    expect(world.partition('single')).toMatchObject({ leader: -1, isr: [1] })

    world.heartbeat(2)
    world.heartbeat(3, { currentMetadataOffset: shutdownOffset - 1 })
    expect(world.heartbeat(1, wanting).shouldShutDown).toBe(false)
    world.heartbeat(3, { currentMetadataOffset: shutdownOffset })
    expect(world.heartbeat(1, wanting)).toMatchObject({ isFenced: true, shouldShutDown: true })
    expect(world.image.brokers.get(1)?.isFenced).toBe(true)
  })

  it('ends the session, so that a new incarnation may register at once', () => {
    const world = new ControlWorld()
    world.start(1)
    world.heartbeat(1, { wantShutDown: true })
    expect(world.register(1, { incarnationId: uuidOf(0x1c, 77) }).errorCode).toBe(ErrorCode.NONE)
    expect(world.image.brokers.get(1)).toMatchObject({
      isFenced: true,
      isInControlledShutdown: false,
    })
  })

  it('does not hide a broker that dies on the way', () => {
    const world = new ControlWorld()
    world.start(1, 2)
    world.createTopic('t', [1, 2])
    world.heartbeat(1, { wantShutDown: true })
    world.expire(1)
    expect(world.image.brokers.get(1)?.isFenced).toBe(true)
  })

  it('ends in a new incarnation: the old one is not unfenced again', () => {
    const world = new ControlWorld()
    world.start(1, 2)
    world.createTopic('t', [1])
    world.heartbeat(1, { wantShutDown: true })
    world.expire(1)
    expect(world.heartbeat(1).isFenced).toBe(true)
    expect(world.partition('t').leader).toBe(-1)
    world.world.runFor(9000)
    world.register(1, { incarnationId: uuidOf(0x1c, 77) })
    expect(world.heartbeat(1).isFenced).toBe(false)
    expect(world.partition('t').leader).toBe(1)
  })

  it('is skipped by a broker that wants to be fenced as well', () => {
    const world = new ControlWorld()
    world.start(1)
    world.createTopic('t', [1])
    expect(world.heartbeat(1, { wantFence: true, wantShutDown: true }).shouldShutDown).toBe(true)
  })
})
