// Goal: answers that `npm run conformance` once found to differ from Apache Kafka's stay as Kafka's are. Each is what
// Apache Kafka 4.3.1 answered to the same request.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster, type Broker, type Cluster } from '../../src/index.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { metadataApi } from '../../src/wire/messages/03-metadata.ts'
import { offsetCommitApi } from '../../src/wire/messages/08-offset-commit.ts'
import { findCoordinatorApi } from '../../src/wire/messages/10-find-coordinator.ts'
import { createTopicsApi } from '../../src/wire/messages/19-create-topics.ts'
import { alterReplicaLogDirsApi } from '../../src/wire/messages/34-alter-replica-log-dirs.ts'
import { deleteGroupsApi } from '../../src/wire/messages/42-delete-groups.ts'
import { electLeadersApi } from '../../src/wire/messages/43-elect-leaders.ts'
import { alterPartitionReassignmentsApi } from '../../src/wire/messages/45-alter-partition-reassignments.ts'
import { listPartitionReassignmentsApi } from '../../src/wire/messages/46-list-partition-reassignments.ts'
import { offsetDeleteApi } from '../../src/wire/messages/47-offset-delete.ts'
import { updateFeaturesApi } from '../../src/wire/messages/57-update-features.ts'
import { until } from '../../scenarios/lib/until.ts'
import { ask } from '../support/raw-client.ts'

let cluster: Cluster
let broker: Broker

beforeAll(async () => {
  cluster = await startCluster({ brokers: 1 })
  broker = cluster.broker(1)
  const topics = [{ name: 't', numPartitions: 1, replicationFactor: 1 }]
  await ask(broker, createTopicsApi, 7, { timeoutMs: 5000, topics })
  await until({ what: 'a coordinator', timeoutMs: 10_000 }, async () => {
    await ask(broker, findCoordinatorApi, 0, { key: 'g' })
    return (await commit(-1)).topics[0]?.partitions[0]?.errorCode === ErrorCode.NONE
  })
})

afterAll(async () => {
  await cluster.stop()
})

function commit(retentionTimeMs: number, partitionIndexes: readonly number[] = [0]) {
  const partitions = partitionIndexes.map((partitionIndex) => ({
    partitionIndex,
    committedOffset: 1,
    committedMetadata: '',
  }))
  const topics = [{ name: 't', partitions }]
  return ask(broker, offsetCommitApi, 2, { groupId: 'g', retentionTimeMs, topics })
}

describe('answers of groups', () => {
  it('take a retention that is longer than a record can say', async () => {
    const { topics } = await commit(Number.MAX_SAFE_INTEGER)
    expect(topics[0]!.partitions[0]!.errorCode).toBe(ErrorCode.NONE)
  })

  it('leave out a topic without partitions', async () => {
    expect((await commit(-1, [])).topics).toEqual([])
    const empty = [{ name: 't', partitions: [] }]
    const deleted = await ask(broker, offsetDeleteApi, 0, { groupId: 'g', topics: empty })
    expect(deleted.topics).toEqual([])
  })

  it('know no offsets of a partition that does not exist', async () => {
    const partitions = [{ partitionIndex: 0 }, { partitionIndex: 5 }]
    const topics = [{ name: 't', partitions }]
    const answer = await ask(broker, offsetDeleteApi, 0, { groupId: 'g', topics })
    expect(answer.topics).toEqual([
      {
        name: 't',
        partitions: [
          { partitionIndex: 0, errorCode: ErrorCode.NONE },
          { partitionIndex: 5, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
        ],
      },
    ])
  })

  it('tell of a group once that is to be deleted twice', async () => {
    const { results } = await ask(broker, deleteGroupsApi, 0, { groupsNames: ['none', 'none'] })
    expect(results).toHaveLength(1)
  })
})

describe('answers about topics', () => {
  it('describe a topic once that is asked for twice', async () => {
    const { topics } = await ask(broker, metadataApi, 9, { topics: [{ name: 't' }, { name: 't' }] })
    expect(topics).toHaveLength(1)
  })

  it('refuse a topic without a name where only names may be used', async () => {
    const { errorCode, topics } = await ask(broker, metadataApi, 10, { topics: [{ name: null }] })
    expect(topics[0]!.errorCode).toBe(ErrorCode.INVALID_REQUEST)
    expect(errorCode).toBe(ErrorCode.NONE)
  })

  it('leave out topics whose partitions are not to be moved', async () => {
    const dirs = [{ path: '/nowhere', topics: [{ name: 't', partitions: [] }] }]
    expect((await ask(broker, alterReplicaLogDirsApi, 2, { dirs })).results).toEqual([])
  })

  it('let an unknown kind of election fail in every partition', async () => {
    const topicPartitions = [{ topic: 't', partitions: [0] }]
    const body = { electionType: 99, timeoutMs: 3000, topicPartitions }
    const { errorCode, replicaElectionResults } = await ask(broker, electLeadersApi, 2, body)
    expect(errorCode).toBe(ErrorCode.INVALID_REQUEST)
    expect(replicaElectionResults[0]!.partitionResult[0]).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUEST,
      errorMessage: 'Unknown election type 99',
    })
  })
})

describe('answers to clients that leave no time', () => {
  it('say so in every partition of a reassignment, without a message', async () => {
    const partitions = [{ partitionIndex: 0, replicas: [1] }]
    const body = { timeoutMs: 0, topics: [{ name: 't', partitions }] }
    const answer = await ask(broker, alterPartitionReassignmentsApi, 0, body)
    expect(answer).toMatchObject({ errorCode: ErrorCode.REQUEST_TIMED_OUT, errorMessage: null })
    expect(answer.responses[0]!.partitions[0]!.errorCode).toBe(ErrorCode.REQUEST_TIMED_OUT)
  })

  it('list reassignments and look at features all the same', async () => {
    const listed = await ask(broker, listPartitionReassignmentsApi, 0, { timeoutMs: 0 })
    expect(listed.errorCode).toBe(ErrorCode.NONE)
    const featureUpdates = [{ feature: 'none', maxVersionLevel: 0 }]
    const updated = await ask(broker, updateFeaturesApi, 1, { timeoutMs: 0, featureUpdates })
    expect(updated.errorCode).toBe(ErrorCode.INVALID_UPDATE_VERSION)
    expect(updated.errorMessage).toMatch(/Feature none not found\.$/)
  })
})
