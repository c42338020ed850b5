import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import {
  alterPartitionReassignmentsApi,
  type AlterPartitionReassignmentsResponse,
} from '../../../../src/wire/messages/45-alter-partition-reassignments.ts'
import {
  listPartitionReassignmentsApi,
  type ListPartitionReassignmentsResponse,
} from '../../../../src/wire/messages/46-list-partition-reassignments.ts'
import { answerOf, ControlWorld, directoryOf, fullRequest } from '../../../support/control-world.ts'

/** Reassigns t-0, or the topic and partition given. */
function move(
  world: ControlWorld,
  replicas: number[] | null,
  options: { topic?: string; partition?: number; mayChangeFactor?: boolean } = {},
) {
  const { topic = 't', partition = 0, mayChangeFactor = true } = options
  const request = fullRequest(alterPartitionReassignmentsApi, 1, {
    allowReplicationFactorChange: mayChangeFactor,
    topics: [{ name: topic, partitions: [{ partitionIndex: partition, replicas }] }],
  })
  const answer = answerOf<AlterPartitionReassignmentsResponse>((respond) => {
    world.controller.alterPartitionReassignments(1, request, respond)
  })
  const { errorCode, errorMessage } = answer.responses![0]!.partitions![0]!
  return { errorCode, errorMessage }
}

function listed(
  world: ControlWorld,
  topics: { name: string; partitionIndexes: number[] }[] | null,
) {
  const request = fullRequest(listPartitionReassignmentsApi, 0, { topics })
  const answer = answerOf<ListPartitionReassignmentsResponse>((respond) => {
    world.controller.listPartitionReassignments(0, request, respond)
  })
  expect(answer.errorCode).toBe(ErrorCode.NONE)
  return answer.topics
}

/** The leader of t-0 proposes this ISR. */
function proposeIsr(world: ControlWorld, ...isr: number[]) {
  const { topicId, leader, leaderEpoch, partitionEpoch } = world.partition('t')
  const newIsrWithEpochs = isr.map((brokerId) => ({ brokerId, brokerEpoch: -1 }))
  const partitions = [{ partitionIndex: 0, leaderEpoch, partitionEpoch, newIsrWithEpochs }]
  const brokerEpoch = world.image.brokers.get(leader)!.epoch
  const answer = world.alterPartition({
    brokerId: leader,
    brokerEpoch,
    topics: [{ topicId, partitions }],
  })
  return answer.topics![0]!.partitions![0]!.errorCode
}

function fourBrokers(...replicas: number[]): ControlWorld {
  const world = new ControlWorld()
  world.start(1, 2, 3, 4)
  world.createTopic('t', replicas)
  return world
}

const OK = { errorCode: ErrorCode.NONE, errorMessage: null }

describe('a reassignment', () => {
  it('adds the new replicas, lists them, and drops the old ones once the new are in the ISR', () => {
    const world = fourBrokers(1, 2)
    expect(move(world, [3, 4])).toEqual(OK)
    expect(world.partition('t')).toMatchObject({
      replicas: [3, 4, 1, 2],
      isr: [1, 2],
      leader: 1,
      leaderEpoch: 0,
      partitionEpoch: 1,
      addingReplicas: [3, 4],
      removingReplicas: [1, 2],
      directories: [3, 4, 1, 2].map(directoryOf),
    })
    const ongoing = {
      partitionIndex: 0,
      replicas: [3, 4, 1, 2],
      addingReplicas: [3, 4],
      removingReplicas: [1, 2],
    }
    expect(listed(world, null)).toEqual([{ name: 't', partitions: [ongoing] }])
    expect(proposeIsr(world, 1, 2, 3)).toBe(ErrorCode.NONE)
    expect(world.partition('t')).toMatchObject({ isr: [1, 2, 3], leader: 1, leaderEpoch: 0 })
    expect(proposeIsr(world, 1, 2, 3, 4)).toBe(ErrorCode.NEW_LEADER_ELECTED)
    expect(world.partition('t')).toMatchObject({
      replicas: [3, 4],
      isr: [3, 4],
      leader: 3,
      leaderEpoch: 1,
      addingReplicas: [],
      removingReplicas: [],
      directories: [3, 4].map(directoryOf),
    })
    expect(listed(world, null)).toEqual([])
  })

  it('keeps a leader that stays, in a new epoch, so that who is gone is fenced', () => {
    const world = fourBrokers(1, 2)
    move(world, [3, 1])
    proposeIsr(world, 1, 2, 3)
    expect(world.partition('t')).toMatchObject({ replicas: [3, 1], leader: 1, leaderEpoch: 1 })
  })

  it('is over at once when only the order changes or in-sync replicas go', () => {
    const world = fourBrokers(1, 2)
    expect(move(world, [2, 1])).toEqual(OK)
    expect(world.partition('t')).toMatchObject({ replicas: [2, 1], leader: 1, leaderEpoch: 0 })
    expect(move(world, [2])).toEqual(OK)
    expect(world.partition('t')).toMatchObject({ replicas: [2], isr: [2], leader: 2 })
    const records = world.log.length
    expect(move(world, [2])).toEqual(OK)
    expect(world.log.length).toBe(records)
  })

  it('waits for all that stay, not only for those that are new', () => {
    const world = fourBrokers(1, 2, 3)
    expect(proposeIsr(world, 1, 2)).toBe(ErrorCode.NONE)
    move(world, [1, 3])
    expect(world.partition('t')).toMatchObject({
      replicas: [1, 3, 2],
      addingReplicas: [],
      removingReplicas: [2],
    })
    proposeIsr(world, 1, 2, 3)
    expect(world.partition('t')).toMatchObject({ replicas: [1, 3], isr: [1, 3] })
  })

  it('is replaced by another one', () => {
    const world = fourBrokers(1, 2)
    move(world, [1, 3])
    expect(move(world, [4])).toEqual(OK)
    expect(world.partition('t')).toMatchObject({
      replicas: [4, 1, 2, 3],
      addingReplicas: [4],
      removingReplicas: [1, 2, 3],
    })
  })
})

describe('a reassignment back to where it came from', () => {
  it('is over at once', () => {
    const world = fourBrokers(1, 2)
    move(world, [1, 3])
    expect(move(world, [1, 2])).toEqual(OK)
    expect(world.partition('t')).toMatchObject({
      replicas: [1, 2],
      isr: [1, 2],
      leader: 1,
      addingReplicas: [],
      removingReplicas: [],
    })
  })
})

describe('a cancelled reassignment', () => {
  it('goes back to the replicas of before', () => {
    const world = fourBrokers(1, 2)
    move(world, [3, 4])
    proposeIsr(world, 1, 2, 3)
    expect(move(world, null)).toEqual(OK)
    expect(world.partition('t')).toMatchObject({
      replicas: [1, 2],
      isr: [1, 2],
      leader: 1,
      leaderEpoch: 1,
      addingReplicas: [],
      removingReplicas: [],
    })
    expect(move(world, null)).toEqual({
      errorCode: ErrorCode.NO_REASSIGNMENT_IN_PROGRESS,
      errorMessage: null,
    })
  })

  it('is refused when only new replicas are in sync, unless unclean elections are allowed', () => {
    const world = fourBrokers(1, 2)
    move(world, [3, 4])
    proposeIsr(world, 1, 2, 3)
    world.expire(1, 2)
    expect(world.partition('t').isr).toEqual([3])
    expect(move(world, null)).toEqual({
      errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      errorMessage:
        'Unable to revert partition assignment for t:0 because it would require an unclean leader election.',
    })
    expect(world.partition('t').addingReplicas).toEqual([3, 4])
  })

  it('recovers uncleanly on a replica of before when that is allowed', () => {
    const world = new ControlWorld({ properties: { 'unclean.leader.election.enable': 'true' } })
    world.start(1, 2, 3, 4)
    world.createTopic('t', [1, 2])
    move(world, [3, 4])
    proposeIsr(world, 1, 2, 3)
    world.expire(1, 2)
    world.heartbeat(2)
    expect(world.partition('t')).toMatchObject({ isr: [3], leader: 3 })
    expect(move(world, null)).toEqual(OK)
    expect(world.partition('t')).toMatchObject({
      replicas: [1, 2],
      isr: [2],
      leader: 2,
      leaderRecoveryState: 1,
    })
  })
})

describe('a reassignment that is refused', () => {
  it.each([
    [{ topic: 'u' }, [1], ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'Unable to find a topic named u.'],
    [{ partition: 9 }, [1], ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'Unable to find partition t:9.'],
    [
      {},
      [],
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      'The manual partition assignment includes an empty replica list.',
    ],
    [
      {},
      [1, 1],
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      'The manual partition assignment includes the broker 1 more than once.',
    ],
    [
      {},
      [1, 77],
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      'The manual partition assignment includes broker 77, but no such broker is registered.',
    ],
    [
      { mayChangeFactor: false },
      [1, 2, 3],
      ErrorCode.INVALID_REPLICATION_FACTOR,
      'The replication factor is changed from 2 to 3',
    ],
  ])('%j to %j', (options, replicas, errorCode, errorMessage) => {
    const world = fourBrokers(1, 2)
    const records = world.log.length
    expect(move(world, replicas, options)).toEqual({ errorCode, errorMessage })
    expect(world.log.length).toBe(records)
  })

  it('counts the factor without the replicas that are to go', () => {
    const world = fourBrokers(1, 2)
    move(world, [3])
    const refused = move(world, [3, 2], { mayChangeFactor: false })
    expect(refused.errorMessage).toBe('The replication factor is changed from 1 to 2')
    expect(move(world, [4], { mayChangeFactor: false })).toEqual(OK)
  })
})

describe('the list of reassignments', () => {
  it('has of the named partitions only those that move', () => {
    const world = fourBrokers(1, 2)
    world.createTopic('u', [1, 2], [1, 2])
    move(world, [1, 3], { topic: 'u', partition: 1 })
    const asked = [
      { name: 'u', partitionIndexes: [0, 1, 9] },
      { name: 't', partitionIndexes: [0] },
      { name: 'none', partitionIndexes: [0] },
    ]
    const names = listed(world, asked)!.map(({ name, partitions }) => [
      name,
      partitions!.map(({ partitionIndex }) => partitionIndex),
    ])
    expect(names).toEqual([['u', [1]]])
    expect(listed(world, [])).toEqual([])
  })
})
