import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import {
  electLeadersApi,
  type ElectLeadersRequest,
  type ElectLeadersResponse,
} from '../../../../src/wire/messages/43-elect-leaders.ts'
import { incrementalAlterConfigsApi } from '../../../../src/wire/messages/44-incremental-alter-configs.ts'
import type { Input } from '../../../../src/wire/schema.ts'
import { answerOf, ControlWorld, fullRequest } from '../../../support/control-world.ts'

const PREFERRED = 0
const UNCLEAN = 1

function elect(world: ControlWorld, given: Input<ElectLeadersRequest>, version = 2) {
  const request = fullRequest(electLeadersApi, version, given)
  return answerOf<ElectLeadersResponse>((respond) => {
    world.controller.electLeaders(version, request, respond)
  })
}

function errorsOf(
  world: ControlWorld,
  electionType: number,
  partitions: Record<string, number[]> | null,
): number[] {
  const topicPartitions =
    partitions === null
      ? null
      : Object.entries(partitions).map(([topic, indexes]) => ({ topic, partitions: indexes }))
  const { replicaElectionResults } = elect(world, { electionType, topicPartitions })
  return replicaElectionResults!.flatMap(({ partitionResult }) =>
    partitionResult!.map(({ errorCode }) => errorCode!),
  )
}

/** Brokers 1 and 2; t-0 prefers 1, t-1 prefers 2; both are led by 2 after 1 was away. */
function unbalanced(properties: Record<string, string> = {}): ControlWorld {
  const world = new ControlWorld({ properties })
  world.start(1, 2)
  const topicId = world.createTopic('t', [1, 2], [2, 1])
  world.expire(1)
  world.heartbeat(1)
  const partitions = [0, 1].map((partitionIndex) => ({
    partitionIndex,
    leaderEpoch: world.partition('t', partitionIndex).leaderEpoch,
    partitionEpoch: world.partition('t', partitionIndex).partitionEpoch,
    newIsrWithEpochs: [2, 1].map((brokerId) => ({ brokerId, brokerEpoch: -1 })),
  }))
  world.alterPartition({
    brokerId: 2,
    brokerEpoch: world.image.brokers.get(2)?.epoch,
    topics: [{ topicId, partitions }],
  })
  expect([0, 1].map((index) => world.partition('t', index))).toMatchObject([
    { leader: 2, isr: [2, 1] },
    { leader: 2, isr: [2, 1] },
  ])
  return world
}

describe('ElectLeaders', () => {
  it('gives leadership back to the preferred replicas', () => {
    const world = unbalanced()
    expect(errorsOf(world, PREFERRED, { t: [0, 1, 7], none: [0] })).toEqual([
      ErrorCode.NONE,
      ErrorCode.ELECTION_NOT_NEEDED,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ])
    expect(world.partition('t', 0)).toMatchObject({ leader: 1, leaderEpoch: 2 })
  })

  it('leaves out of an election of all what needs none', () => {
    const world = unbalanced()
    expect(errorsOf(world, PREFERRED, null)).toEqual([ErrorCode.NONE])
    expect(errorsOf(world, PREFERRED, null)).toEqual([])
  })

  it('says when the preferred replica cannot lead', () => {
    const world = unbalanced()
    world.expire(1)
    expect(errorsOf(world, PREFERRED, { t: [0] })).toEqual([
      ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE,
    ])
  })

  it('elects uncleanly on demand, whatever the topic allows', () => {
    const world = unbalanced()
    expect(errorsOf(world, UNCLEAN, { t: [0] })).toEqual([ErrorCode.ELECTION_NOT_NEEDED])
    world.expire(1)
    world.expire(2)
    expect(errorsOf(world, UNCLEAN, { t: [0] })).toEqual([ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE])
    world.heartbeat(1)
    expect(world.partition('t')).toMatchObject({ leader: -1, isr: [2] })
    expect(errorsOf(world, UNCLEAN, { t: [0] })).toEqual([ErrorCode.NONE])
    expect(world.partition('t')).toMatchObject({ leader: 1, isr: [1], leaderRecoveryState: 1 })
  })

  it('refuses an unknown election type, in version 0 for each partition', () => {
    const world = unbalanced()
    expect(elect(world, { electionType: 5 }).errorCode).toBe(ErrorCode.INVALID_REQUEST)
    world.controller.resign()
    const topicPartitions = [{ topic: 't', partitions: [0, 1] }]
    expect(elect(world, { topicPartitions }, 0)).toMatchObject({
      replicaElectionResults: [
        {
          topic: 't',
          partitionResult: [
            { partitionId: 0, errorCode: ErrorCode.NOT_CONTROLLER },
            { partitionId: 1, errorCode: ErrorCode.NOT_CONTROLLER },
          ],
        },
      ],
    })
    expect(elect(world, { topicPartitions }).errorCode).toBe(ErrorCode.NOT_CONTROLLER)
  })
})

function allowUnclean(world: ControlWorld, topic: string): void {
  const configs = [{ name: 'unclean.leader.election.enable', configOperation: 0, value: 'true' }]
  const resources = [{ resourceType: 2, resourceName: topic, configs }]
  world.controller.incrementalAlterConfigs(
    1,
    fullRequest(incrementalAlterConfigsApi, 1, { resources }),
    () => {},
  )
}

describe('elections that nobody asks for', () => {
  /** Lets time pass with living brokers. */
  function live(world: ControlWorld, seconds: number, ...brokerIds: number[]): void {
    for (let passed = 0; passed < seconds; passed += 2) {
      for (const id of brokerIds) world.heartbeat(id)
      world.world.runFor(2000)
    }
  }

  it('balance the leaders every leader.imbalance.check.interval.seconds', () => {
    const world = unbalanced({ 'leader.imbalance.check.interval.seconds': '30' })
    live(world, 32, 1, 2)
    expect(world.partition('t', 0).leader).toBe(1)
    expect(world.partition('t', 1).leader).toBe(2)
    expect(world.partition('t', 0).leaderEpoch).toBe(2)
  })

  it('leave the leaders alone when auto.leader.rebalance.enable is off', () => {
    const world = unbalanced({
      'leader.imbalance.check.interval.seconds': '30',
      'auto.leader.rebalance.enable': 'false',
    })
    live(world, 100, 1, 2)
    expect(world.partition('t', 0).leader).toBe(2)
  })

  it('give leaderless partitions an unclean leader where that is allowed by then', () => {
    const world = unbalanced({ 'unclean.leader.election.interval.ms': '60000' })
    world.expire(1)
    world.expire(2)
    world.heartbeat(1)
    live(world, 62, 1)
    expect(world.partition('t').leader).toBe(-1)
    allowUnclean(world, 't')
    live(world, 62, 1)
    expect(world.partition('t')).toMatchObject({ leader: 1, isr: [1], leaderRecoveryState: 1 })
  })
})

describe('the words of an election', () => {
  it('are those of Kafka, and a partition that is named twice is told twice and elected once', () => {
    const world = unbalanced()
    const before = world.partition('t', 0).leaderEpoch
    const topicPartitions = [
      { topic: 'none', partitions: [0] },
      { topic: 't', partitions: [0, 0, 1, 7] },
    ]
    const { replicaElectionResults } = elect(world, { electionType: PREFERRED, topicPartitions })
    const words = replicaElectionResults!.flatMap(({ partitionResult }) =>
      partitionResult!.map(({ errorMessage }) => errorMessage),
    )
    expect(words).toEqual([
      'No such topic as none',
      null,
      null,
      'Leader election not needed for topic partition.',
      'No such partition as t-7',
    ])
    expect(world.partition('t', 0)).toMatchObject({ leader: 1, leaderEpoch: before + 1 })
  })
})
