import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { isUuid } from '../../../../src/base/uuid.ts'
import { ControlWorld, directoryOf } from '../../../support/control-world.ts'

interface Asked {
  readonly name?: string
  readonly numPartitions?: number
  readonly replicationFactor?: number
  readonly assignments?: readonly (readonly [partition: number, replicas: readonly number[]])[]
  readonly configs?: Readonly<Record<string, string | null>>
}

function topicOf({ name = 't', numPartitions = 1, replicationFactor = 1, ...rest }: Asked) {
  const isManual = rest.assignments !== undefined
  return {
    name,
    numPartitions: isManual && numPartitions === 1 ? -1 : numPartitions,
    replicationFactor: isManual && replicationFactor === 1 ? -1 : replicationFactor,
    assignments: (rest.assignments ?? []).map(([partitionIndex, brokerIds]) => ({
      partitionIndex,
      brokerIds: [...brokerIds],
    })),
    configs: Object.entries(rest.configs ?? {}).map(([key, value]) => ({ name: key, value })),
  }
}

/** The error code of each topic asked for, in one request. */
function errorsOf(world: ControlWorld, ...asked: Asked[]): number[] {
  return world.createTopics({ topics: asked.map(topicOf) }).map(({ errorCode }) => errorCode ?? -99)
}

function running(...brokerIds: number[]): ControlWorld {
  const world = new ControlWorld()
  world.start(...brokerIds)
  return world
}

describe('CreateTopics', () => {
  it('creates a topic with an id, its partitions led by the first replica, in one batch', () => {
    const world = running(1, 2, 3)
    const batches = world.batches.length
    const [result] = world.createTopics({
      topics: [
        topicOf({ numPartitions: 3, replicationFactor: 2, configs: { 'retention.ms': '5' } }),
      ],
    })
    expect(result).toMatchObject({
      name: 't',
      errorCode: 0,
      errorMessage: null,
      numPartitions: 3,
      replicationFactor: 2,
      topicConfigErrorCode: 0,
      configs: [{ name: 'retention.ms', value: '5', configSource: 1 }],
    })
    expect(isUuid(result?.topicId ?? '')).toBe(true)
    expect(world.batches.slice(batches).map((batch) => batch.map(({ type }) => type))).toEqual([
      ['TopicRecord', 'ConfigRecord', 'PartitionRecord', 'PartitionRecord', 'PartitionRecord'],
    ])
    for (const index of [0, 1, 2]) {
      const state = world.partition('t', index)
      expect(state).toMatchObject({ topicId: result?.topicId, leaderEpoch: 0, partitionEpoch: 0 })
      expect(state.isr).toEqual(state.replicas)
      expect(state.leader).toBe(state.replicas[0])
      expect(state.directories).toEqual(state.replicas.map(directoryOf))
    }
    expect(world.image.topicConfig('t').get('retention.ms')).toBe('5')
  })

  it('takes -1 as the defaults of the broker, in every version', () => {
    const properties = { 'num.partitions': '4', 'default.replication.factor': '2' }
    const world = new ControlWorld({ properties })
    world.start(1, 2)
    for (const version of [2, 3, 4, 7]) {
      const name = `t${version}`
      world.createTopics(
        { topics: [topicOf({ name, numPartitions: -1, replicationFactor: -1 })] },
        version,
      )
      expect(world.image.topicsByName.get(name)?.partitions.size).toBe(4)
      expect(world.partition(name).replicas).toHaveLength(2)
    }
  })

  it('refuses partition counts and replication factors that make no sense', () => {
    const world = running(1, 2)
    expect(
      errorsOf(
        world,
        { name: 'a', numPartitions: 0 },
        { name: 'b', numPartitions: -2 },
        { name: 'c', replicationFactor: 0 },
        { name: 'd', replicationFactor: -2 },
        { name: 'e', replicationFactor: 3 },
        { name: 'f', replicationFactor: 2 },
      ),
    ).toEqual([
      ErrorCode.INVALID_PARTITIONS,
      ErrorCode.INVALID_PARTITIONS,
      ErrorCode.INVALID_REPLICATION_FACTOR,
      ErrorCode.INVALID_REPLICATION_FACTOR,
      ErrorCode.INVALID_REPLICATION_FACTOR,
      ErrorCode.NONE,
    ])
    expect([...world.image.topicsByName.keys()]).toEqual(['f'])
  })

  it('refuses to replicate when all brokers are fenced, shutting down or missing', () => {
    expect(errorsOf(new ControlWorld(), {})).toEqual([ErrorCode.INVALID_REPLICATION_FACTOR])
    const world = running(1)
    world.createTopic('busy', [1])
    world.heartbeat(1, { wantShutDown: true })
    expect(errorsOf(world, {})).toEqual([ErrorCode.INVALID_REPLICATION_FACTOR])
    world.expire(1)
    expect(errorsOf(world, {})).toEqual([ErrorCode.INVALID_REPLICATION_FACTOR])
  })

  it('places replicas on fenced brokers too, outside the ISR, as Apache Kafka does', () => {
    const world = running(1, 2, 3)
    world.expire(3)
    expect(errorsOf(world, { numPartitions: 3, replicationFactor: 3 })).toEqual([ErrorCode.NONE])
    for (const index of [0, 1, 2]) {
      const { replicas, isr } = world.partition('t', index)
      expect([replicas.length, new Set(isr)]).toEqual([3, new Set([1, 2])])
      expect(replicas[2]).toBe(3)
    }
  })

  it('refuses illegal names, names that collide, and names that are taken', () => {
    const world = running(1)
    world.createTopic('a.b', [1])
    expect(
      errorsOf(
        world,
        { name: 'no good' },
        { name: '' },
        { name: '..' },
        { name: 'a_b' },
        { name: 'a.b' },
        { name: '__cluster_metadata' },
        { name: 'x_y' },
        // Apache Kafka compares names with topics that are there, not with others of the request.
        { name: 'x.y' },
      ),
    ).toEqual([
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      ErrorCode.TOPIC_ALREADY_EXISTS,
      ErrorCode.INVALID_REQUEST,
      ErrorCode.NONE,
      ErrorCode.NONE,
    ])
  })

  it('refuses a name that is asked for twice, once', () => {
    const world = running(1)
    expect(errorsOf(world, { name: 'a' }, { name: 'b' }, { name: 'a' })).toEqual([
      ErrorCode.INVALID_REQUEST,
      ErrorCode.NONE,
    ])
    expect([...world.image.topicsByName.keys()]).toEqual(['b'])
  })

  it('refuses configs that are unknown, wrong or null', () => {
    const world = running(1)
    const results = world.createTopics({
      topics: [
        topicOf({ name: 'a', configs: { 'no.such': '1' } }),
        topicOf({ name: 'b', configs: { 'retention.ms': 'soon' } }),
        topicOf({ name: 'c', configs: { 'retention.ms': null } }),
        topicOf({ name: 'd', configs: { 'cleanup.policy': 'compact' } }),
      ],
    })
    const { INVALID_CONFIG, NONE } = ErrorCode
    expect(results.map(({ errorCode }) => errorCode)).toEqual([
      INVALID_CONFIG,
      INVALID_CONFIG,
      INVALID_CONFIG,
      NONE,
    ])
    expect(results[0]?.errorMessage).toBe('Unknown topic config name: no.such')
    expect(results[2]?.errorMessage).toContain('retention.ms')
    expect(world.image.topicConfig('a').size).toBe(0)
  })

  it('changes nothing when it is only to validate', () => {
    const world = running(1)
    const { length } = world.log
    const results = world.createTopics({
      topics: [topicOf({ numPartitions: 2 }), topicOf({ name: 'bad name' })],
      validateOnly: true,
    })
    expect(results).toMatchObject([
      { errorCode: 0, numPartitions: 2, replicationFactor: 1 },
      { errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION },
    ])
    expect(world.log).toHaveLength(length)
  })

  it('refuses a request that needs more records than one batch holds, as a whole', () => {
    const world = running(1)
    const { length } = world.log
    const results = world.createTopics({
      topics: [
        topicOf({ name: 'a', numPartitions: 9_999 }),
        topicOf({ name: 'b', numPartitions: 2 }),
      ],
    })
    expect(results).toMatchObject([
      { name: 'a', errorCode: ErrorCode.POLICY_VIOLATION },
      { name: 'b', errorCode: ErrorCode.POLICY_VIOLATION },
    ])
    expect(results[0]?.errorMessage).toBe('Excessively large number of partitions per request.')
    // The partitions fit, their topic's own record does not.
    expect(errorsOf(world, { numPartitions: 10_000 })).toEqual([ErrorCode.POLICY_VIOLATION])
    expect(world.log).toHaveLength(length)
    expect(errorsOf(world, { numPartitions: 9_999 })).toEqual([ErrorCode.NONE])
    expect(world.batches.at(-1)).toHaveLength(10_000)
  })
})

describe('a manual assignment', () => {
  it('is taken as it is', () => {
    const world = running(1, 2, 3)
    expect(
      errorsOf(world, {
        assignments: [
          [1, [3, 1]],
          [0, [2, 3]],
        ],
      }),
    ).toEqual([ErrorCode.NONE])
    expect(world.partition('t', 0)).toMatchObject({ replicas: [2, 3], isr: [2, 3], leader: 2 })
    expect(world.partition('t', 1)).toMatchObject({ replicas: [3, 1], isr: [3, 1], leader: 3 })
  })

  it('begins with the living replicas in the ISR', () => {
    const world = running(1, 2)
    world.expire(1)
    expect(errorsOf(world, { assignments: [[0, [1, 2]]] })).toEqual([ErrorCode.NONE])
    expect(world.partition('t')).toMatchObject({ replicas: [1, 2], isr: [2], leader: 2 })
  })

  it('is refused when it is not a whole one', () => {
    const world = running(1, 2, 3)
    world.expire(3)
    const bad: Asked['assignments'][] = [
      [[0, []]],
      [
        [0, [1]],
        [2, [1]],
      ],
      [[1, [1]]],
      [
        [0, [1]],
        [0, [2]],
      ],
      [[0, [1, 1]]],
      [
        [0, [1]],
        [1, [1, 2]],
      ],
      [[0, [9]]],
      [
        [0, [1]],
        [1, [3]],
      ],
    ]
    for (const assignments of bad) {
      expect(errorsOf(world, { assignments })).toEqual([ErrorCode.INVALID_REPLICA_ASSIGNMENT])
    }
  })

  it('goes without partition count and replication factor', () => {
    const world = running(1)
    const assignments = [[0, [1]]] as const
    expect(errorsOf(world, { assignments, numPartitions: 2 })).toEqual([ErrorCode.INVALID_REQUEST])
    expect(errorsOf(world, { assignments, replicationFactor: 2 })).toEqual([
      ErrorCode.INVALID_REQUEST,
    ])
  })
})
