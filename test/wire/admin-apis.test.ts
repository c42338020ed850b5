// Goal: the admin APIs work over sockets, from whichever broker they are asked, and what they change takes effect.
// Method: three brokers with their data on disk; requests as a client would send them.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../scenarios/lib/until.ts'
import { startCluster, type Cluster } from '../../src/index.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { produceApi } from '../../src/wire/messages/00-produce.ts'
import { listOffsetsApi } from '../../src/wire/messages/02-list-offsets.ts'
import { apiVersionsApi } from '../../src/wire/messages/18-api-versions.ts'
import { createTopicsApi } from '../../src/wire/messages/19-create-topics.ts'
import { deleteRecordsApi } from '../../src/wire/messages/21-delete-records.ts'
import { describeConfigsApi } from '../../src/wire/messages/32-describe-configs.ts'
import { alterConfigsApi } from '../../src/wire/messages/33-alter-configs.ts'
import { alterReplicaLogDirsApi } from '../../src/wire/messages/34-alter-replica-log-dirs.ts'
import { describeLogDirsApi } from '../../src/wire/messages/35-describe-log-dirs.ts'
import { incrementalAlterConfigsApi } from '../../src/wire/messages/44-incremental-alter-configs.ts'
import { alterPartitionReassignmentsApi } from '../../src/wire/messages/45-alter-partition-reassignments.ts'
import { listPartitionReassignmentsApi } from '../../src/wire/messages/46-list-partition-reassignments.ts'
import { describeClientQuotasApi } from '../../src/wire/messages/48-describe-client-quotas.ts'
import { alterClientQuotasApi } from '../../src/wire/messages/49-alter-client-quotas.ts'
import { updateFeaturesApi } from '../../src/wire/messages/57-update-features.ts'
import { getTelemetrySubscriptionsApi } from '../../src/wire/messages/71-get-telemetry-subscriptions.ts'
import { pushTelemetryApi } from '../../src/wire/messages/72-push-telemetry.ts'
import { listConfigResourcesApi } from '../../src/wire/messages/74-list-config-resources.ts'
import { describeTopicPartitionsApi } from '../../src/wire/messages/75-describe-topic-partitions.ts'
import { writeBatch } from '../../src/wire/record-batch.ts'
import type { Api, Input } from '../../src/wire/schema.ts'
import { ZERO_UUID } from '../../src/base/uuid.ts'
import { ask as askAt } from '../support/raw-client.ts'

const [TOPIC, BROKER, LOGGER, CLIENT_METRICS, GROUP] = [2, 4, 8, 16, 32]
const [SET, DELETE, APPEND] = [0, 1, 2]
let cluster: Cluster

beforeAll(async () => {
  cluster = await startCluster({ brokers: 3, storage: 'disk' })
})

afterAll(async () => {
  await cluster.stop()
})

function ask<Req, Res>(id: number, api: Api<Req, Res>, version: number, body: Input<Req>) {
  return askAt(cluster.broker(id), api, version, body)
}

async function createTopic(name: string, ...replicas: number[][]): Promise<void> {
  const assignments = replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }))
  const topics = [{ name, numPartitions: -1, replicationFactor: -1, assignments }]
  const created = await ask(1, createTopicsApi, 7, { timeoutMs: 5000, topics })
  expect(created.topics[0]!.errorCode).toBe(ErrorCode.NONE)
  for (const id of [1, 2, 3]) {
    await until({ what: `${name} on broker ${id}`, timeoutMs: 5000 }, async () => {
      const [topic] = await describeTopic(id, name)
      return topic?.leaderId !== undefined && topic.leaderId !== -1
    })
  }
}

async function describeTopic(id: number, name: string) {
  const body = { topics: [{ name }], responsePartitionLimit: 100, cursor: null }
  return (await ask(id, describeTopicPartitionsApi, 0, body)).topics[0]!.partitions
}

async function produce(id: number, topic: string, valueBytes = 10) {
  const value = Buffer.alloc(valueBytes, 'x')
  const records = writeBatch({ records: [{ key: null, value }], timestampMs: Date.now() })
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
  const answer = await ask(id, produceApi, 9, { acks: -1, timeoutMs: 5000, topicData })
  return answer.responses[0]!.partitionResponses[0]!.errorCode
}

type Change = readonly [name: string, operation: number, value: string | null]

async function alter(id: number, resourceType: number, resourceName: string, ...changes: Change[]) {
  const configs = changes.map(([name, configOperation, value]) => ({
    name,
    configOperation,
    value,
  }))
  const resources = [{ resourceType, resourceName, configs }]
  const { responses } = await ask(id, incrementalAlterConfigsApi, 1, { resources })
  const { errorCode, errorMessage } = responses[0]!
  return errorCode === ErrorCode.NONE ? null : errorMessage
}

/** Value and source of one setting. */
async function described(id: number, resourceType: number, resourceName: string, name: string) {
  const resources = [{ resourceType, resourceName, configurationKeys: [name] }]
  const { results } = await ask(id, describeConfigsApi, 4, { resources, includeSynonyms: true })
  const [config] = results[0]!.configs
  return config === undefined ? null : [config.value, config.configSource]
}

describe('a reassignment', () => {
  it('moves the log to another broker, which any broker can be asked for', async () => {
    await createTopic('moved', [1, 2])
    expect(await produce(1, 'moved')).toBe(ErrorCode.NONE)
    const partitions = [{ partitionIndex: 0, replicas: [3, 2] }]
    const moved = await ask(2, alterPartitionReassignmentsApi, 1, {
      timeoutMs: 5000,
      topics: [{ name: 'moved', partitions }],
    })
    expect(moved.responses[0]!.partitions[0]!.errorCode).toBe(ErrorCode.NONE)
    await until({ what: 'the end of the move', timeoutMs: 10_000 }, async () => {
      const [partition] = await describeTopic(1, 'moved')
      return partition!.replicaNodes.join() === '3,2' && partition!.leaderId !== 1
    })
    const body = { timeoutMs: 5000, topics: null }
    expect((await ask(3, listPartitionReassignmentsApi, 0, body)).topics).toEqual([])
    await until({ what: 'the log to be where it belongs', timeoutMs: 5000 }, async () => {
      const hosts = await Promise.all([1, 2, 3].map((id) => sizeOn(id, 'moved')))
      return hosts[0] === null && hosts[1] !== null && hosts[1] === hosts[2]
    })
  })

  async function sizeOn(id: number, topic: string): Promise<number | null> {
    const topics = [{ topic, partitions: [0] }]
    const { results } = await ask(id, describeLogDirsApi, 5, { topics })
    return results[0]!.topics[0]?.partitions[0]?.partitionSize ?? null
  }
})

describe('DeleteRecords', () => {
  it('moves the start of the log on every replica, and into the file that Kafka reads', async () => {
    await createTopic('cut', [1, 2])
    for (let count = 0; count < 4; count += 1) await produce(1, 'cut')
    const topics = [{ name: 'cut', partitions: [{ partitionIndex: 0, offset: 3 }] }]
    const cut = await ask(1, deleteRecordsApi, 2, { timeoutMs: 5000, topics })
    expect(cut.topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, lowWatermark: 3 })
    const elsewhere = await ask(2, deleteRecordsApi, 2, { timeoutMs: 5000, topics })
    expect(elsewhere.topics[0]!.partitions[0]).toMatchObject({
      errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
      lowWatermark: -1,
    })
    const earliest = [{ partitionIndex: 0, timestamp: -2 }]
    const body = { replicaId: -1, topics: [{ name: 'cut', partitions: earliest }] }
    const listed = await ask(1, listOffsetsApi, 7, body)
    expect(listed.topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, offset: 3 })
    const { results } = await ask(1, describeLogDirsApi, 5, { topics: null })
    const file = join(results[0]!.logDir, 'log-start-offset-checkpoint')
    expect(readFileSync(file, 'utf8')).toBe('0\n1\ncut 0 3\n')
  })
})

describe('log directories', () => {
  it('are told with their volume; a replica can only be asked to be where it is', async () => {
    await createTopic('dirs', [1])
    const { errorCode, results } = await ask(1, describeLogDirsApi, 5, { topics: null })
    expect([errorCode, results.length]).toEqual([ErrorCode.NONE, 1])
    const [{ logDir, totalBytes, usableBytes, isCordoned }] = results as [(typeof results)[0]]
    expect(existsSync(join(logDir, 'dirs-0'))).toBe(true)
    expect(totalBytes).toBeGreaterThan(usableBytes)
    expect(usableBytes).toBeGreaterThan(0)
    expect(isCordoned).toBe(false)
    const errorsAt = async (id: number, path: string) => {
      const topics = [{ name: 'dirs', partitions: [0, 7] }]
      const answer = await ask(id, alterReplicaLogDirsApi, 2, { dirs: [{ path, topics }] })
      return answer.results[0]!.partitions.map((partition) => partition.errorCode)
    }
    const { NONE, UNKNOWN_TOPIC_OR_PARTITION, LOG_DIR_NOT_FOUND } = ErrorCode
    expect(await errorsAt(1, logDir)).toEqual([NONE, UNKNOWN_TOPIC_OR_PARTITION])
    expect(await errorsAt(1, '/none')).toEqual([LOG_DIR_NOT_FOUND, LOG_DIR_NOT_FOUND])
  })
})

describe('dynamic broker settings', () => {
  it('take effect in every running broker, and end with their removal', async () => {
    await createTopic('limited', [1, 2, 3])
    expect(await produce(1, 'limited', 2000)).toBe(ErrorCode.NONE)
    expect(await alter(2, BROKER, '', ['message.max.bytes', SET, '1000'])).toBeNull()
    await until({ what: 'the limit', timeoutMs: 5000 }, async () => {
      return (await produce(1, 'limited', 2000)) === ErrorCode.MESSAGE_TOO_LARGE
    })
    await until({ what: 'the limit on broker 3', timeoutMs: 5000 }, async () => {
      const seen = await described(3, TOPIC, 'limited', 'max.message.bytes')
      return seen?.join() === '1000,3'
    })
    expect(await alter(1, BROKER, '1', ['message.max.bytes', SET, '5000'])).toBeNull()
    await until({ what: 'the wider limit', timeoutMs: 5000 }, async () => {
      return (await produce(1, 'limited', 2000)) === ErrorCode.NONE
    })
    expect(await described(1, BROKER, '1', 'message.max.bytes')).toEqual(['5000', 2])
    expect(await alter(1, BROKER, '1', ['message.max.bytes', DELETE, null])).toBeNull()
    expect(await alter(1, BROKER, '', ['message.max.bytes', DELETE, null])).toBeNull()
    await until({ what: 'the default', timeoutMs: 5000 }, async () => {
      return (await described(1, BROKER, '1', 'message.max.bytes'))?.[1] === 5
    })
    expect(await produce(1, 'limited', 6000)).toBe(ErrorCode.NONE)
  })

  it.each<[number, string, Change, string]>([
    [BROKER, '2', ['num.io.threads', SET, '9'], 'Unexpected broker id, expected 1, but received 2'],
    [BROKER, 'x', ['num.io.threads', SET, '9'], 'Node id must be an integer, but it is: x'],
    [
      BROKER,
      '1',
      ['broker.rack', SET, 'r'],
      'Cannot update these configs dynamically: [broker.rack]',
    ],
    [
      BROKER,
      '1',
      ['num.io.threads', APPEND, '9'],
      'Config value append is not allowed for config key: num.io.threads',
    ],
    [3, 'x', ['a', SET, 'b'], 'Unknown resource type 3'],
    [
      LOGGER,
      '1',
      ['root', SET, 'LOUD'],
      'Cannot set the log level of root to LOUD as it is not a supported log level. Valid log levels are DEBUG, ERROR, FATAL, INFO, TRACE, WARN',
    ],
    [
      LOGGER,
      '1',
      ['root', DELETE, null],
      'Removing the log level of the root logger is not allowed',
    ],
    [LOGGER, '1', ['nope', SET, 'INFO'], 'Logger nope does not exist!'],
    [LOGGER, '2', ['root', SET, 'INFO'], 'Unexpected node id. Expected 1, but received 2'],
    [
      GROUP,
      '',
      ['consumer.session.timeout.ms', SET, '50000'],
      'Default group resources are not allowed.',
    ],
    [CLIENT_METRICS, '', ['interval.ms', SET, '1000'], "Subscription name can't be empty"],
  ])('and others are refused: type %i "%s" %j', async (type, name, change, message) => {
    expect(await alter(1, type, name, change)).toBe(message)
  })

  it('answers each resource of a request in its place', async () => {
    const resources = [
      { resourceType: BROKER, resourceName: '2', configs: [] },
      { resourceType: TOPIC, resourceName: 'none', configs: [] },
      { resourceType: LOGGER, resourceName: '1', configs: [] },
      { resourceType: TOPIC, resourceName: 'limited', configs: [] },
      { resourceType: TOPIC, resourceName: 'limited', configs: [] },
    ]
    for (const api of [incrementalAlterConfigsApi, alterConfigsApi] as const) {
      const answer = await ask(1, api as typeof alterConfigsApi, 1, { resources })
      expect(answer.responses.map(({ errorMessage }) => errorMessage)).toEqual([
        'Unexpected broker id, expected 1, but received 2',
        "The topic 'none' does not exist.",
        api.key === 44 ? null : 'Unknown resource type 8',
        'Each resource must appear at most once.',
        'Each resource must appear at most once.',
      ])
    }
  })
})

describe('other resources', () => {
  it('have settings that are described and listed', async () => {
    expect(await alter(2, GROUP, 'g', ['consumer.session.timeout.ms', SET, '50000'])).toBeNull()
    expect(await alter(2, CLIENT_METRICS, 'm', ['interval.ms', SET, '1000'])).toBeNull()
    expect(await alter(3, LOGGER, '3', ['root', SET, 'DEBUG'])).toBeNull()
    await until({ what: 'the settings of the group', timeoutMs: 5000 }, async () => {
      return (await described(3, GROUP, 'g', 'consumer.session.timeout.ms'))?.[1] === 8
    })
    expect(await described(3, GROUP, 'other', 'consumer.session.timeout.ms')).toEqual(['45000', 5])
    expect(await described(3, CLIENT_METRICS, 'm', 'interval.ms')).toEqual(['1000', 7])
    expect(await described(3, LOGGER, '3', 'root')).toEqual(['DEBUG', 6])
    const listed = await ask(3, listConfigResourcesApi, 1, { resourceTypes: [GROUP, LOGGER] })
    expect(listed.configResources.map(({ resourceName }) => resourceName)).toEqual([
      'g',
      '1',
      '2',
      '3',
    ])
  })

  it('tell clients what metrics are wanted, without being advertised', async () => {
    const metrics = ['metrics', SET, 'org.apache'] as const
    expect(
      await alter(1, CLIENT_METRICS, 't', metrics, ['match', SET, 'client_id=test']),
    ).toBeNull()
    const wanted = () => ask(2, getTelemetrySubscriptionsApi, 0, { clientInstanceId: ZERO_UUID })
    await until({ what: 'the subscription', timeoutMs: 5000 }, async () => {
      return (await wanted()).requestedMetrics.join() === 'org.apache'
    })
    const { clientInstanceId, subscriptionId } = await wanted()
    const push = { clientInstanceId, subscriptionId, metrics: Buffer.from('x') }
    expect((await ask(2, pushTelemetryApi, 0, push)).errorCode).toBe(ErrorCode.NONE)
    const { apiKeys } = await ask(2, apiVersionsApi, 0, {})
    const keys = apiKeys.map(({ apiKey }) => apiKey)
    expect(keys.filter((key) => key === 71 || key === 72)).toEqual([])
    expect(keys).toEqual(expect.arrayContaining([21, 33, 34, 35, 45, 46, 48, 49, 57, 74, 75]))
  })
})

describe('quotas and features', () => {
  it('are stored by the controller, whichever broker is asked', async () => {
    const entity = [{ entityType: 'user', entityName: 'u' }]
    const ops = [{ key: 'producer_byte_rate', value: 1000, remove: false }]
    const altered = await ask(3, alterClientQuotasApi, 1, { entries: [{ entity, ops }] })
    expect(altered.entries[0]).toMatchObject({ errorCode: 0, errorMessage: null, entity })
    const components = [{ entityType: 'user', matchType: 0, match: 'u' }]
    await until({ what: 'the quota on broker 1', timeoutMs: 5000 }, async () => {
      const { entries } = await ask(1, describeClientQuotasApi, 1, { components, strict: true })
      return entries?.[0]?.values[0]?.value === 1000
    })
  })

  it('refuse a level that there is not', async () => {
    const featureUpdates = [{ feature: 'metadata.version', maxVersionLevel: 99, upgradeType: 1 }]
    const answer = await ask(2, updateFeaturesApi, 2, { timeoutMs: 5000, featureUpdates })
    expect(answer.errorCode).toBe(ErrorCode.INVALID_UPDATE_VERSION)
    expect(answer.errorMessage).toContain('only supports versions 7-30')
  })
})
