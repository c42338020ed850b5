// The parts of the admin client that Kafka's tools stand on: what they send where, and what they make of the answers.
import { describe, expect, it } from 'vitest'
import { AlterOperation, ConfigResourceType } from '../../../../src/client/admin-configs.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { describeConfigsApi } from '../../../../src/wire/messages/32-describe-configs.ts'
import { alterReplicaLogDirsApi } from '../../../../src/wire/messages/34-alter-replica-log-dirs.ts'
import { describeLogDirsApi } from '../../../../src/wire/messages/35-describe-log-dirs.ts'
import { electLeadersApi } from '../../../../src/wire/messages/43-elect-leaders.ts'
import { incrementalAlterConfigsApi } from '../../../../src/wire/messages/44-incremental-alter-configs.ts'
import { alterPartitionReassignmentsApi } from '../../../../src/wire/messages/45-alter-partition-reassignments.ts'
import { listPartitionReassignmentsApi } from '../../../../src/wire/messages/46-list-partition-reassignments.ts'
import { describeClientQuotasApi } from '../../../../src/wire/messages/48-describe-client-quotas.ts'
import { alterClientQuotasApi } from '../../../../src/wire/messages/49-alter-client-quotas.ts'
import { describeUserScramCredentialsApi } from '../../../../src/wire/messages/50-describe-user-scram-credentials.ts'
import { alterUserScramCredentialsApi } from '../../../../src/wire/messages/51-alter-user-scram-credentials.ts'
import { describeQuorumApi } from '../../../../src/wire/messages/55-describe-quorum.ts'
import { describeClusterApi } from '../../../../src/wire/messages/60-describe-cluster.ts'
import { unregisterBrokerApi } from '../../../../src/wire/messages/64-unregister-broker.ts'
import { listConfigResourcesApi } from '../../../../src/wire/messages/74-list-config-resources.ts'
import { addRaftVoterApi } from '../../../../src/wire/messages/80-add-raft-voter.ts'
import { removeRaftVoterApi } from '../../../../src/wire/messages/81-remove-raft-voter.ts'
import { scriptedAdmin } from '../../../support/scripted-admin.ts'

const ID = 'aaaaaaaaaaaaaaaaaaaaaA'
const t = (partition: number) => ({ topic: 't', partition })

describe('Admin.configResources', () => {
  it('gives synonyms, and refuses at once what is not there', async () => {
    const { admin, done, broker } = scriptedAdmin()
    const topic = { type: ConfigResourceType.TOPIC, name: 't' }
    const synonyms = [{ name: 's', value: 'v', source: 5 }]
    broker.next(
      describeConfigsApi,
      (_request, reply) =>
        reply({ results: [{ configs: [{ name: 'x', value: '1', configSource: 1, synonyms }] }] }),
      (_request, reply) =>
        reply({ results: [{ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }] }),
    )
    const configs = await done(admin.configResources.describe(topic, { includeSynonyms: true }))
    expect(configs).toMatchObject([{ name: 'x', source: 1, synonyms }])
    expect(broker.requests(describeConfigsApi)[0]!.body.includeSynonyms).toBe(true)
    await expect(done(admin.configResources.describe(topic))).rejects.toMatchObject({
      errorCode: 3,
    })
    expect(broker.requests(describeConfigsApi)).toHaveLength(2)
  })

  it('sends each broker its own changes, the rest in one request', async () => {
    const { scripted, admin, done } = scriptedAdmin(3)
    for (const broker of scripted.brokers.values()) {
      broker.on(incrementalAlterConfigsApi, ({ body }, reply) =>
        reply({ responses: body.resources.map(({ resourceName }) => ({ resourceName })) }),
      )
    }
    const set = [{ name: 'x', operation: AlterOperation.SET, value: '1' }]
    const of = (type: number, name: string) => ({ resource: { type, name }, alterations: set })
    await done(
      admin.configResources.alter([
        of(ConfigResourceType.BROKER, '3'),
        of(ConfigResourceType.TOPIC, 'a'),
        of(ConfigResourceType.TOPIC, 'b'),
      ]),
    )
    const own = scripted.broker(3).requests(incrementalAlterConfigsApi)
    expect(own.some(({ body }) => body.resources[0]!.resourceName === '3')).toBe(true)
    const all = [...scripted.brokers.values()].flatMap((broker) =>
      broker.requests(incrementalAlterConfigsApi).map(({ body }) => body.resources.length),
    )
    expect(all.sort((a, b) => a - b)).toEqual([1, 2])
  })

  it('lists the names of one type', async () => {
    const { admin, done, broker } = scriptedAdmin()
    broker.on(listConfigResourcesApi, (_request, reply) =>
      reply({
        configResources: [
          { resourceName: 'g', resourceType: ConfigResourceType.GROUP },
          { resourceName: 'm', resourceType: ConfigResourceType.CLIENT_METRICS },
        ],
      }),
    )
    expect(await done(admin.configResources.list(ConfigResourceType.GROUP))).toEqual(['g'])
  })
})

describe('Admin.logDirs', () => {
  it('asks one broker, and tells the errors of its directories', async () => {
    const { admin, done, broker } = scriptedAdmin()
    broker.on(describeLogDirsApi, (_request, reply) =>
      reply({
        results: [
          { logDir: '/a', errorCode: ErrorCode.KAFKA_STORAGE_ERROR },
          {
            logDir: '/b',
            topics: [
              {
                name: 't',
                partitions: [
                  { partitionIndex: 1, partitionSize: 9, offsetLag: 2, isFutureKey: true },
                ],
              },
            ],
          },
        ],
      }),
    )
    const [bad, good] = await done(admin.logDirs.describe(1, [t(1), t(0)]))
    expect([bad!.path, bad!.error!.code, good!.error]).toEqual(['/a', 'KAFKA_STORAGE_ERROR', null])
    expect(good!.replicas).toEqual([{ ...t(1), sizeBytes: 9, offsetLag: 2, isFuture: true }])
    expect(broker.requests(describeLogDirsApi)[0]!.body.topics).toEqual([
      { topic: 't', partitions: [1, 0] },
    ])
    broker.on(describeLogDirsApi, (_request, reply) =>
      reply({ errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED }),
    )
    await expect(done(admin.logDirs.describe(1))).rejects.toMatchObject({ errorCode: 31 })
  })

  it('moves replicas, grouped by directory', async () => {
    const { admin, done, broker } = scriptedAdmin()
    broker.on(alterReplicaLogDirsApi, (_request, reply) =>
      reply({
        results: [
          {
            topicName: 't',
            partitions: [
              { partitionIndex: 0 },
              { partitionIndex: 1, errorCode: ErrorCode.LOG_DIR_NOT_FOUND },
            ],
          },
        ],
      }),
    )
    const outcomes = await done(
      admin.logDirs.alter(1, [
        { ...t(0), broker: 1, path: '/a' },
        { ...t(1), broker: 1, path: '/b' },
      ]),
    )
    expect([outcomes.get('t-0'), outcomes.get('t-1')!.code]).toEqual([null, 'LOG_DIR_NOT_FOUND'])
    expect(broker.requests(alterReplicaLogDirsApi)[0]!.body.dirs).toEqual([
      { path: '/a', topics: [{ name: 't', partitions: [0] }] },
      { path: '/b', topics: [{ name: 't', partitions: [1] }] },
    ])
  })
})

describe('Admin.reassignments', () => {
  it('lists, starts and ends moves', async () => {
    const { admin, done, broker } = scriptedAdmin()
    const moving = {
      partitionIndex: 1,
      replicas: [2, 1],
      addingReplicas: [2],
      removingReplicas: [1],
    }
    broker.on(listPartitionReassignmentsApi, (_request, reply) =>
      reply({ topics: [{ name: 't', partitions: [moving] }] }),
    )
    expect(await done(admin.reassignments.list())).toEqual([
      { ...t(1), replicas: [2, 1], adding: [2], removing: [1] },
    ])
    await done(admin.reassignments.list([t(1)]))
    expect(broker.requests(listPartitionReassignmentsApi).map(({ body }) => body.topics)).toEqual([
      null,
      [{ name: 't', partitionIndexes: [1] }],
    ])
    const errorCode = ErrorCode.NO_REASSIGNMENT_IN_PROGRESS
    broker.on(alterPartitionReassignmentsApi, (_request, reply) =>
      reply({
        responses: [
          {
            name: 't',
            partitions: [
              { partitionIndex: 0 },
              { partitionIndex: 1, errorCode, errorMessage: 'none' },
            ],
          },
        ],
      }),
    )
    const wanted = [
      { ...t(0), replicas: [3] },
      { ...t(1), replicas: null },
    ]
    const outcomes = await done(
      admin.reassignments.alter(wanted, { allowReplicationFactorChange: false }),
    )
    expect([outcomes.get('t-0'), outcomes.get('t-1')!.message]).toEqual([null, 'none'])
    const { body } = broker.requests(alterPartitionReassignmentsApi)[0]!
    expect(body).toMatchObject({
      allowReplicationFactorChange: false,
      topics: [{ partitions: [{ replicas: [3] }, { replicas: null }] }],
    })
  })

  it('elects leaders of some or of all', async () => {
    const { admin, done, broker } = scriptedAdmin()
    const errorCode = ErrorCode.ELECTION_NOT_NEEDED
    broker.on(electLeadersApi, (_request, reply) =>
      reply({
        replicaElectionResults: [{ topic: 't', partitionResult: [{ partitionId: 0, errorCode }] }],
      }),
    )
    const outcomes = await done(admin.reassignments.elect('UNCLEAN', [t(0)]))
    expect(outcomes.get('t-0')!.code).toBe('ELECTION_NOT_NEEDED')
    await done(admin.reassignments.elect('PREFERRED', null))
    expect(
      broker.requests(electLeadersApi).map(({ body }) => [body.electionType, body.topicPartitions]),
    ).toEqual([
      [1, [{ topic: 't', partitions: [0] }]],
      [0, null],
    ])
  })
})

describe('Admin.quotas', () => {
  it('describes and alters quotas by entity', async () => {
    const { admin, done, broker } = scriptedAdmin()
    broker.on(describeClientQuotasApi, (_request, reply) =>
      reply({
        entries: [
          {
            entity: [{ entityType: 'user', entityName: null }],
            values: [{ key: 'k', value: 1.5 }],
          },
        ],
      }),
    )
    const described = await done(
      admin.quotas.describe([
        { type: 'user', name: null },
        { type: 'client-id', name: undefined },
        { type: 'ip', name: 'x' },
      ]),
    )
    expect(described).toEqual([
      { entity: new Map([['user', null]]), values: new Map([['k', 1.5]]) },
    ])
    const { components } = broker.requests(describeClientQuotasApi)[0]!.body
    expect(components.map(({ matchType, match }) => [matchType, match])).toEqual([
      [1, null],
      [2, null],
      [0, 'x'],
    ])
    broker.on(alterClientQuotasApi, (_request, reply) =>
      reply({ entries: [{ errorCode: 42, errorMessage: 'no' }] }),
    )
    const alter = admin.quotas.alter(
      new Map([['user', null]]),
      new Map([
        ['k', 2],
        ['gone', null],
      ]),
    )
    await expect(done(alter)).rejects.toMatchObject({ code: 'INVALID_REQUEST', message: 'no' })
    expect(broker.requests(alterClientQuotasApi)[0]!.body.entries[0]!.ops).toEqual([
      { key: 'k', value: 2, remove: false },
      { key: 'gone', value: 0, remove: true },
    ])
  })

  it('describes and alters credentials, users without any left out', async () => {
    const { admin, done, broker } = scriptedAdmin()
    broker.on(describeUserScramCredentialsApi, (_request, reply) =>
      reply({
        results: [
          { user: 'a', credentialInfos: [{ mechanism: 1, iterations: 8192 }] },
          { user: 'b', errorCode: ErrorCode.RESOURCE_NOT_FOUND },
        ],
      }),
    )
    expect(await done(admin.quotas.describeScram([]))).toEqual([
      { user: 'a', error: null, credentials: [{ mechanism: 1, iterations: 8192 }] },
    ])
    expect(broker.requests(describeUserScramCredentialsApi)[0]!.body.users).toBeNull()
    broker.on(alterUserScramCredentialsApi, (_request, reply) =>
      reply({ results: [{ user: 'a' }] }),
    )
    const salt = Buffer.from('s')
    const saltedPassword = Buffer.from('p')
    await done(
      admin.quotas.alterScram('a', [{ mechanism: 1, iterations: 4096, salt, saltedPassword }], [2]),
    )
    expect(broker.requests(alterUserScramCredentialsApi)[0]!.body).toMatchObject({
      deletions: [{ name: 'a', mechanism: 2 }],
      upsertions: [{ name: 'a', mechanism: 1, iterations: 4096 }],
    })
  })
})

describe('Admin.cluster and Admin.quorum', () => {
  it('describe nodes and reach the active controller among controllers', async () => {
    const { scripted, admin, done } = scriptedAdmin(2)
    for (const broker of scripted.brokers.values()) {
      broker.on(describeClusterApi, (_request, reply) =>
        reply({
          clusterId: 'c',
          controllerId: 2,
          brokers: [2, 1].map((brokerId) => ({
            brokerId,
            host: `b${brokerId}`,
            port: 9092,
            isFenced: brokerId === 2,
          })),
        }),
      )
      broker.on(unregisterBrokerApi, (_request, reply) => reply({}))
    }
    const { clusterId, endpoints } = await done(admin.cluster.brokers({ includeFenced: true }))
    expect([clusterId, endpoints.map(({ id, isFenced }) => [id, isFenced])]).toEqual([
      'c',
      [
        [1, false],
        [2, true],
      ],
    ])
    await done(admin.cluster.useControllers())
    await done(admin.cluster.unregister(9))
    expect(scripted.broker(2).requests(unregisterBrokerApi)[0]!.body.brokerId).toBe(9)
    const asked = [1, 2].flatMap((id) => scripted.broker(id).requests(describeClusterApi))
    const types = asked.map(({ body }) => `${body.endpointType} ${body.includeFencedBrokers}`)
    expect(types.sort()).toEqual(['1 true', '2 false'])
  })

  it('describe the quorum and change its voters', async () => {
    const { admin, done, broker } = scriptedAdmin()
    const replica = {
      replicaId: 1,
      replicaDirectoryId: ID,
      logEndOffset: 9,
      lastFetchTimestamp: 5,
      lastCaughtUpTimestamp: 4,
    }
    const listeners = [{ name: 'CONTROLLER', host: 'h', port: 1 }]
    broker.on(describeQuorumApi, (_request, reply) =>
      reply({
        topics: [
          {
            topicName: '__cluster_metadata',
            partitions: [
              { leaderId: 1, leaderEpoch: 2, highWatermark: 8, currentVoters: [replica] },
            ],
          },
        ],
        nodes: [{ nodeId: 1, listeners }],
      }),
    )
    expect(await done(admin.quorum.describe())).toEqual({
      leaderId: 1,
      leaderEpoch: 2,
      highWatermark: 8,
      voters: [{ id: 1, directoryId: ID, logEndOffset: 9, lastFetchMs: 5, lastCaughtUpMs: 4 }],
      observers: [],
      endpoints: new Map([[1, listeners]]),
    })
    broker.on(addRaftVoterApi, (_request, reply) => reply({}))
    broker.on(removeRaftVoterApi, (_request, reply) =>
      reply({ errorCode: 35, errorMessage: 'kraft.version is 0' }),
    )
    await done(admin.quorum.addVoter(4, ID, listeners))
    expect(broker.requests(addRaftVoterApi)[0]!.body).toMatchObject({
      voterId: 4,
      voterDirectoryId: ID,
      listeners,
    })
    await expect(done(admin.quorum.removeVoter(4, ID))).rejects.toMatchObject({
      message: 'kraft.version is 0',
    })
  })
})
