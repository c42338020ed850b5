import { describe, expect, it } from 'vitest'
import { Admin } from '../../../../src/client/admin.ts'
import { AlterOperation, ConfigResourceType } from '../../../../src/client/admin-configs.ts'
import { OffsetSpec } from '../../../../src/client/offset-lookup.ts'
import { encodeAssignment } from '../../../../src/client/consumer-protocol.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { metadataApi } from '../../../../src/wire/messages/03-metadata.ts'
import { offsetCommitApi } from '../../../../src/wire/messages/08-offset-commit.ts'
import { offsetFetchApi } from '../../../../src/wire/messages/09-offset-fetch.ts'
import { heartbeatApi } from '../../../../src/wire/messages/12-heartbeat.ts'
import { describeGroupsApi } from '../../../../src/wire/messages/15-describe-groups.ts'
import { listGroupsApi } from '../../../../src/wire/messages/16-list-groups.ts'
import { createTopicsApi } from '../../../../src/wire/messages/19-create-topics.ts'
import { deleteTopicsApi } from '../../../../src/wire/messages/20-delete-topics.ts'
import { deleteRecordsApi } from '../../../../src/wire/messages/21-delete-records.ts'
import { describeConfigsApi } from '../../../../src/wire/messages/32-describe-configs.ts'
import { createPartitionsApi } from '../../../../src/wire/messages/37-create-partitions.ts'
import { deleteGroupsApi } from '../../../../src/wire/messages/42-delete-groups.ts'
import { incrementalAlterConfigsApi } from '../../../../src/wire/messages/44-incremental-alter-configs.ts'
import { offsetDeleteApi } from '../../../../src/wire/messages/47-offset-delete.ts'
import { describeClusterApi } from '../../../../src/wire/messages/60-describe-cluster.ts'
import { ScriptedCluster } from '../../../support/scripted-cluster.ts'
import { settle } from '../../../support/sim-promise.ts'

function setUp(brokers = 1) {
  const scripted = new ScriptedCluster({ brokers })
  scripted.createTopic('t', 2)
  const admin = new Admin(
    { 'bootstrap.servers': scripted.bootstrap, 'default.api.timeout.ms': '3000' },
    scripted.clientNode.ports,
  )
  scripted.world.runFor(1)
  const done = <T>(promise: Promise<T>): Promise<T> => settle(scripted.world, promise)
  return { scripted, admin, done, broker: scripted.broker(1) }
}

describe('Admin', () => {
  it('creates topics, again after errors that pass', async () => {
    const { admin, done, broker } = setUp()
    broker.on(createTopicsApi, (_request, reply) =>
      reply({ topics: [{ name: 'n', topicId: 'aaaaaaaaaaaaaaaaaaaaaA', numPartitions: 3 }] }),
    )
    broker.next(createTopicsApi, (_request, reply) =>
      reply({ topics: [{ name: 'n', errorCode: ErrorCode.NOT_CONTROLLER }] }),
    )
    const created = await done(
      admin.createTopics([{ name: 'n', partitions: 3, configs: { 'cleanup.policy': 'compact' } }]),
    )
    expect(created).toEqual([
      { name: 'n', id: 'aaaaaaaaaaaaaaaaaaaaaA', partitions: 3, replicationFactor: -1 },
    ])
    const requests = broker.requests(createTopicsApi)
    expect(requests).toHaveLength(2)
    expect(requests[0]!.body.topics[0]).toMatchObject({ numPartitions: 3, replicationFactor: -1 })
  })

  it('rejects with what the broker says', async () => {
    const { admin, done, broker } = setUp()
    broker.on(createTopicsApi, (_request, reply) =>
      reply({
        topics: [
          { name: 'a', errorCode: ErrorCode.NOT_CONTROLLER },
          { name: 't', errorCode: ErrorCode.TOPIC_ALREADY_EXISTS, errorMessage: 'there it is' },
        ],
      }),
    )
    await expect(done(admin.createTopics([{ name: 't' }]))).rejects.toMatchObject({
      code: 'TOPIC_ALREADY_EXISTS',
      errorCode: 36,
      message: 'there it is',
    })
  })

  it('gives up after default.api.timeout.ms with the last error', async () => {
    const { admin, done, broker } = setUp()
    broker.on(deleteTopicsApi, (_request, reply) =>
      reply({ responses: [{ name: 't', errorCode: ErrorCode.NOT_CONTROLLER }] }),
    )
    await expect(done(admin.deleteTopics(['t']))).rejects.toMatchObject({
      code: 'TIMEOUT',
      cause: expect.objectContaining({ code: 'NOT_CONTROLLER' }),
    })
  })

  it('names topics to delete as the version wants', async () => {
    const { admin, done, broker } = setUp()
    broker.on(deleteTopicsApi, (_request, reply) => reply({ responses: [{ name: 't' }] }))
    await done(admin.deleteTopics(['t']))
    expect(broker.requests(deleteTopicsApi)[0]!.body.topics).toMatchObject([{ name: 't' }])
    const old = setUp()
    old.broker.advertise(
      new Map([
        [18, [0, 3]],
        [20, [1, 4]],
      ]),
    )
    old.broker.on(deleteTopicsApi, (_request, reply) => reply({ responses: [{ name: 't' }] }))
    await old.done(old.admin.deleteTopics(['t']))
    expect(old.broker.requests(deleteTopicsApi)[0]!.body.topicNames).toEqual(['t'])
  })

  it('lists and describes topics without creating any', async () => {
    const { scripted, admin, done, broker } = setUp()
    scripted.createTopic('a', 1)
    expect((await done(admin.listTopics())).map(({ name }) => name)).toEqual(['a', 't'])
    const [t] = await done(admin.describeTopics(['t']))
    expect(t!.partitions).toHaveLength(2)
    await expect(done(admin.describeTopics(['t', 'nope']))).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
    const asked = broker.requests(metadataApi)
    expect(asked.every(({ body }) => !body.allowAutoTopicCreation)).toBe(true)
  })

  it('describes the cluster', async () => {
    const { admin, done, broker } = setUp()
    broker.on(describeClusterApi, (_request, reply) =>
      reply({
        clusterId: 'c',
        controllerId: 1,
        brokers: [{ brokerId: 1, host: 'b1', port: 9092, rack: 'r' }],
      }),
    )
    expect(await done(admin.describeCluster())).toEqual({
      clusterId: 'c',
      controllerId: 1,
      brokers: [{ id: 1, host: 'b1', port: 9092, rack: 'r' }],
    })
  })

  it('finds offsets', async () => {
    const { scripted, admin, done } = setUp()
    scripted.fill('t', 1, ['a', 'b'])
    const found = await done(
      admin.listOffsets([
        { topic: 't', partition: 0, timestampMs: OffsetSpec.EARLIEST },
        { topic: 't', partition: 1, timestampMs: OffsetSpec.LATEST },
      ]),
    )
    expect([...found].map(([key, { offset }]) => [key, offset])).toEqual([
      ['t-0', 0],
      ['t-1', 2],
    ])
    const lost = admin.listOffsets([{ topic: 'no', partition: 0, timestampMs: -1 }])
    await expect(done(lost)).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  it('adds partitions and removes records', async () => {
    const { admin, done, broker } = setUp()
    broker.on(createPartitionsApi, (_request, reply) => reply({ results: [{ name: 't' }] }))
    broker.on(deleteRecordsApi, (_request, reply) =>
      reply({ topics: [{ name: 't', partitions: [{ partitionIndex: 1, lowWatermark: 4 }] }] }),
    )
    await done(admin.createPartitions('t', 5))
    expect(broker.requests(createPartitionsApi)[0]!.body.topics[0]).toMatchObject({ count: 5 })
    expect(await done(admin.deleteRecords({ topic: 't', partition: 1 }, 4))).toBe(4)
  })

  it('asks the broker itself about its settings, any broker about topics', async () => {
    const { scripted, admin, done } = setUp(3)
    for (const broker of scripted.brokers.values()) {
      broker.on(describeConfigsApi, (_request, reply) =>
        reply({ results: [{ configs: [{ name: 'x', value: '1', configSource: 5 }] }] }),
      )
      broker.on(incrementalAlterConfigsApi, (_request, reply) => reply({ responses: [{}] }))
    }
    const entries = await done(
      admin.configs.describe({ type: ConfigResourceType.BROKER, name: '3' }),
    )
    expect(entries).toEqual([
      { name: 'x', value: '1', isReadOnly: false, isSensitive: false, source: 5 },
    ])
    expect(scripted.broker(3).requests(describeConfigsApi)).toHaveLength(1)
    await done(
      admin.configs.alter({ type: ConfigResourceType.BROKER, name: '2' }, [
        { name: 'x', operation: AlterOperation.SET, value: '2' },
      ]),
    )
    const [altered] = scripted.broker(2).requests(incrementalAlterConfigsApi)
    expect(altered!.body.resources[0]!.configs).toEqual([
      { name: 'x', configOperation: 0, value: '2' },
    ])
  })

  it('sends any request anywhere', async () => {
    const { scripted, admin, done } = setUp(2)
    for (const broker of scripted.brokers.values()) {
      broker.on(heartbeatApi, (_request, reply) => reply({ errorCode: 25 }))
    }
    for (const to of ['any', 'controller', 2, { group: 'g' }] as const) {
      const { body, version } = await done(
        admin.request(heartbeatApi, { groupId: 'g' }, to, { limits: { max: 3 } }),
      )
      expect([body.errorCode, version]).toEqual([25, 3])
    }
    expect(scripted.broker(2).requests(heartbeatApi)).toHaveLength(1)
    await done(admin.close())
    const late = admin.request(heartbeatApi, {}, 'any', { timeoutMs: 100 })
    await expect(done(late)).rejects.toMatchObject({ code: 'TIMEOUT' })
  })
})

describe('Admin.groups', () => {
  it('lists the groups of all brokers', async () => {
    const { scripted, admin, done } = setUp(2)
    for (const [id, broker] of scripted.brokers) {
      broker.on(listGroupsApi, (_request, reply) =>
        reply({
          groups: [{ groupId: `g${3 - id}`, protocolType: 'consumer', groupState: 'Empty' }],
        }),
      )
    }
    expect((await done(admin.groups.list())).map(({ groupId }) => groupId)).toEqual(['g1', 'g2'])
  })

  it('describes groups, also one that is not there', async () => {
    const { admin, done, broker } = setUp()
    const memberAssignment = encodeAssignment([{ topic: 't', partition: 1 }])
    broker.on(describeGroupsApi, (_request, reply) =>
      reply({
        groups: [
          {
            groupId: 'g',
            groupState: 'Stable',
            protocolType: 'consumer',
            protocolData: 'range',
            members: [{ memberId: 'm', clientId: 'c', memberAssignment }],
          },
        ],
      }),
    )
    const group = await done(admin.groups.describe('g'))
    expect([group.state, group.protocol]).toEqual(['Stable', 'range'])
    expect(group.members[0]!.partitions).toEqual([{ topic: 't', partition: 1 }])
    broker.on(describeGroupsApi, (_request, reply) =>
      reply({ groups: [{ groupId: 'g', errorCode: ErrorCode.GROUP_ID_NOT_FOUND }] }),
    )
    expect((await done(admin.groups.describe('g'))).state).toBe('Dead')
  })

  it('reads, sets and deletes offsets, and deletes groups', async () => {
    const { admin, done, broker } = setUp()
    broker.on(offsetFetchApi, (_request, reply) =>
      reply({
        groups: [
          {
            groupId: 'g',
            topics: [
              {
                name: 't',
                partitions: [
                  { partitionIndex: 0, committedOffset: 5, metadata: 'm' },
                  { partitionIndex: 1, committedOffset: -1, metadata: '' },
                ],
              },
            ],
          },
        ],
      }),
    )
    const offsets = await done(admin.groups.offsets('g'))
    expect([...offsets.keys()]).toEqual(['t-0'])
    broker.on(offsetCommitApi, ({ body }, reply) =>
      reply({
        topics: body.topics.map(({ name }) => ({ name, partitions: [{ partitionIndex: 0 }] })),
      }),
    )
    await done(admin.groups.alterOffsets('g', [{ topic: 't', partition: 0, offset: 9 }]))
    expect(broker.requests(offsetCommitApi)[0]!.body).toMatchObject({
      generationIdOrMemberEpoch: -1,
    })
    const errorCode = ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC
    broker.on(offsetDeleteApi, (_request, reply) =>
      reply({ topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode }] }] }),
    )
    const deletion = admin.groups.deleteOffsets('g', [{ topic: 't', partition: 0 }])
    await expect(done(deletion)).rejects.toMatchObject({ errorCode })
    broker.on(deleteGroupsApi, (_request, reply) => reply({ results: [{ groupId: 'g' }] }))
    await done(admin.groups.delete('g'))
    broker.on(deleteGroupsApi, (_request, reply) =>
      reply({ results: [{ groupId: 'g', errorCode: ErrorCode.NON_EMPTY_GROUP }] }),
    )
    await expect(done(admin.groups.delete('g'))).rejects.toMatchObject({ code: 'NON_EMPTY_GROUP' })
  })
})
