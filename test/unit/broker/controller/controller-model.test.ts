import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isActiveBroker } from '../../../../broker/metadata/cluster-image.ts'
import type { PartitionState } from '../../../../broker/metadata/image.ts'
import { assert } from '../../../../src/base/assert.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { contentOf, ControlWorld, uuidOf } from '../../../support/control-world.ts'

/**
 * Goal: whatever brokers, leaders and clients ask in whatever order, the metadata keeps R6, R8, R16 and Q14 of our
 * invariants, and the log alone tells the whole state (R5 follows from the epochs).
 * Method: random operations on a real controller over a log in memory, with late commits and changes of controllers;
 * after each step the invariants are checked against the state before it.
 */
type Operation =
  | { readonly kind: 'register'; readonly broker: number; readonly isRestart: boolean }
  | {
      readonly kind: 'heartbeat'
      readonly broker: number
      readonly wantFence: boolean
      readonly wantShutDown: boolean
      readonly isBehind: boolean
    }
  | {
      readonly kind: 'create'
      readonly topic: number
      readonly partitions: number
      readonly factor: number
      readonly isUnclean: boolean
    }
  | { readonly kind: 'delete'; readonly topic: number }
  | {
      readonly kind: 'alter'
      readonly topic: number
      readonly isr: readonly number[]
      readonly staleness: number
    }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'unregister'; readonly broker: number }
  | { readonly kind: 'ids'; readonly broker: number }
  | { readonly kind: 'commit'; readonly isOn: boolean }
  | { readonly kind: 'fail-over' }

const broker = fc.integer({ min: 1, max: 4 })
const topic = fc.integer({ min: 1, max: 3 })
const rarely = fc.integer({ min: 0, max: 9 }).map((drawn) => drawn === 0)

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('register' as const),
      broker,
      isRestart: fc.boolean(),
    }),
  },
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('heartbeat' as const),
      broker,
      wantFence: rarely,
      wantShutDown: rarely,
      isBehind: rarely,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('create' as const),
      topic,
      partitions: fc.integer({ min: 1, max: 4 }),
      factor: fc.integer({ min: 1, max: 4 }),
      isUnclean: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), topic }) },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('alter' as const),
      topic,
      isr: fc.subarray([1, 2, 3, 4]),
      staleness: fc.constantFrom(0, 0, 0, 1, -1),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.constantFrom(500, 3000, 9000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unregister' as const), broker }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('ids' as const), broker }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('commit' as const), isOn: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail-over' as const) }) },
)

class Model {
  readonly world: ControlWorld
  readonly #incarnations = new Map<number, number>()
  readonly #newestEpochs = new Map<number, number>()
  readonly #partitions = new Map<string, PartitionState>()
  #producerIds = 0
  answered = 0
  asked = 0

  constructor(seed: number) {
    this.world = new ControlWorld({
      seed,
      properties: { 'leader.imbalance.check.interval.seconds': '20' },
    })
  }

  run(step: Operation): void {
    const { world } = this
    switch (step.kind) {
      case 'register':
        return this.#register(step.broker, step.isRestart)
      case 'heartbeat':
        return this.#heartbeat(step)
      case 'create':
        return this.#create(step)
      case 'delete':
        return this.#ask((respond) => {
          const topics = [{ name: `topic-${step.topic}`, topicId: uuidOf(0, 0) }]
          world.controller.deleteTopics(6, { topics, topicNames: [], timeoutMs: 1 }, respond)
        })
      case 'alter':
        return this.#alter(step)
      case 'pass':
        world.world.runFor(step.ms)
        return
      case 'unregister':
        return this.#ask((respond) => {
          world.controller.unregisterBroker({ brokerId: step.broker }, respond)
        })
      case 'ids':
        return this.#allocateIds(step.broker)
      case 'commit':
        world.isCommitting = step.isOn
        if (step.isOn) world.commit()
        return
      case 'fail-over':
        world.failOver()
    }
  }

  /** Every operation is answered at the latest when its controller resigns. */
  finish(): void {
    this.world.controller.resign()
    assert(this.answered === this.asked, `${this.asked} asked, ${this.answered} answered`)
  }

  check(): void {
    const { image, epoch } = this.world
    assert(image.lastEpoch === epoch, 'the image is of this epoch')
    const isSame = isDeepStrictEqual(contentOf(image), contentOf(this.world.replayed()))
    assert(isSame, 'the log from its beginning gives the live image')
    for (const registration of image.brokers.values()) {
      const newest = this.#newestEpochs.get(registration.id) ?? -1
      assert(registration.epoch >= newest, 'broker epochs grow')
      this.#newestEpochs.set(registration.id, registration.epoch)
    }
    for (const { partitions } of image.topicsById.values()) {
      for (const state of partitions.values()) this.#checkPartition(state)
    }
  }

  #checkPartition(state: PartitionState): void {
    const { replicas, isr, leader, topicId, partition } = state
    const active = (id: number): boolean => isActiveBroker(this.world.image.brokers.get(id))
    assert(isr.length > 0, 'an ISR is never empty')
    assert(
      isr.every((id) => replicas.includes(id)),
      'the ISR is within the replicas',
    )
    assert(new Set(isr).size === isr.length, 'the ISR repeats nobody')
    if (leader === -1) {
      assert(!isr.some(active), 'a partition with a living member of the ISR has a leader')
    } else {
      assert(isr.includes(leader), 'the leader is in the ISR')
      // Only the last ISR of a leaderless partition may name brokers that are away.
      assert(isr.every(active), 'the ISR has no fenced broker and none that shuts down')
    }
    const key = `${topicId} ${partition}`
    this.#checkEpochs(this.#partitions.get(key), state)
    this.#partitions.set(key, state)
  }

  #checkEpochs(before: PartitionState | undefined, after: PartitionState): void {
    if (before === undefined || before === after) return
    if (after.partitionEpoch === before.partitionEpoch) {
      assert(isDeepStrictEqual(after, before), 'a change raises the partition epoch')
      return
    }
    assert(after.partitionEpoch > before.partitionEpoch, 'partition epochs grow')
    assert(after.leaderEpoch >= before.leaderEpoch, 'leader epochs grow')
    const hasNewEpoch = after.leaderEpoch > before.leaderEpoch
    assert(hasNewEpoch || after.leader === before.leader, 'a new leader has a new epoch')
  }

  #ask<Answer>(
    send: (respond: (answer: Answer) => void) => void,
    onAnswer?: (answer: Answer) => void,
  ): void {
    this.asked += 1
    send((answer) => {
      this.answered += 1
      onAnswer?.(answer)
    })
  }

  #register(id: number, isRestart: boolean): void {
    const incarnation = (this.#incarnations.get(id) ?? 0) + (isRestart ? 1 : 0)
    const before = this.world.image.brokers.get(id)
    const wasAlive = before !== undefined && !before.isFenced
    this.asked += 1
    const { controller } = this.world
    const request = {
      brokerId: id,
      clusterId: 'a-cluster-id-of-22-cha',
      incarnationId: uuidOf(id, incarnation),
      listeners: [],
      features: [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 30 }],
      rack: id % 2 === 0 ? 'even' : 'odd',
      isMigratingZkBroker: false,
      logDirs: [uuidOf(0xd1, id)],
      previousBrokerEpoch: -1,
    }
    controller.registerBroker(request, ({ errorCode }) => {
      this.answered += 1
      if (errorCode !== ErrorCode.NONE) return
      this.#incarnations.set(id, incarnation)
    })
    const after = this.world.image.brokers.get(id)
    const isReplaced = after?.epoch !== before?.epoch
    assert(!(wasAlive && isReplaced), 'an unfenced incarnation is only amended by itself (Q14)')
  }

  #heartbeat(step: Extract<Operation, { kind: 'heartbeat' }>): void {
    const { world } = this
    const known = world.image.brokers.get(step.broker)
    this.#ask((respond) => {
      world.controller.heartbeat(
        {
          brokerId: step.broker,
          brokerEpoch: known?.epoch ?? 0,
          currentMetadataOffset: step.isBehind ? 0 : world.lastOffset,
          wantFence: step.wantFence,
          wantShutDown: step.wantShutDown,
          offlineLogDirs: [],
          cordonedLogDirs: null,
        },
        respond,
      )
    })
  }

  #create(step: Extract<Operation, { kind: 'create' }>): void {
    this.#ask((respond) => {
      this.world.controller.createTopics(
        7,
        {
          topics: [
            {
              name: `topic-${step.topic}`,
              numPartitions: step.partitions,
              replicationFactor: step.factor,
              assignments: [],
              configs: [{ name: 'unclean.leader.election.enable', value: String(step.isUnclean) }],
            },
          ],
          timeoutMs: 1000,
          validateOnly: false,
        },
        respond,
      )
    })
  }

  #alter(step: Extract<Operation, { kind: 'alter' }>): void {
    const { image, controller } = this.world
    const state = image.partition(`topic-${step.topic}`, 0)
    if (state === null || state.leader === -1) return
    const newIsrWithEpochs = step.isr.map((brokerId) => ({ brokerId, brokerEpoch: -1 }))
    const partition = {
      partitionIndex: 0,
      leaderEpoch: state.leaderEpoch,
      newIsr: [],
      newIsrWithEpochs,
      leaderRecoveryState: 0,
      partitionEpoch: state.partitionEpoch + step.staleness,
    }
    const brokerEpoch = image.brokers.get(state.leader)?.epoch ?? -1
    const request = {
      brokerId: state.leader,
      brokerEpoch,
      topics: [{ topicId: state.topicId, partitions: [partition] }],
    }
    this.#ask((respond) => {
      controller.alterPartition(3, request, respond)
    })
    const isChanged = image.partition(state.topic, 0) !== state
    assert(!(isChanged && step.staleness !== 0), 'ISR changes are compare-and-set')
    const isr = [...image.partition(state.topic, 0)!.isr].sort((left, right) => left - right)
    assert(!isChanged || isDeepStrictEqual(isr, step.isr), 'the ISR is the one asked for')
  }

  #allocateIds(id: number): void {
    const brokerEpoch = this.world.image.brokers.get(id)?.epoch ?? -1
    this.#ask<{ producerIdStart?: number; errorCode?: number }>(
      (respond) => {
        this.world.controller.allocateProducerIds({ brokerId: id, brokerEpoch }, respond)
      },
      ({ errorCode, producerIdStart }) => {
        if (errorCode !== ErrorCode.NONE) return
        assert(producerIdStart! >= this.#producerIds, 'no producer id is given out twice')
        this.#producerIds = producerIdStart! + 1000
      },
    )
  }
}

describe('the controller under random operations', () => {
  it('keeps its invariants after every step, and its log tells the whole state', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.array(operation, { minLength: 20, maxLength: 80 }),
        (seed, steps) => {
          const model = new Model(seed)
          for (const id of [1, 2, 3]) model.run({ kind: 'register', broker: id, isRestart: true })
          for (const step of steps) {
            model.run(step)
            model.check()
          }
          model.finish()
        },
      ),
      { numRuns: 150 },
    )
  })

  it('does the same in every run of one seed', () => {
    const steps = fc.sample(operation, { numRuns: 200, seed: 42 })
    const [first, second] = [1, 2].map(() => {
      const model = new Model(7)
      for (const step of steps) model.run(step)
      return { log: model.world.log, trace: model.world.world.trace.hash() }
    })
    expect(first!.log.length).toBeGreaterThan(20)
    expect(second).toEqual(first)
  })
})
