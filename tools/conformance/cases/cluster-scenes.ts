import { ZERO_UUID } from '../../../src/base/uuid.ts'
import type { Body, Scene } from '../case.ts'

const named = (name: string, body: Body): Scene => ({ name, body, isVaried: false })

export const METADATA_SCENES: readonly Scene[] = [
  {
    name: 'of a topic',
    body: {
      topics: [{ topicId: ZERO_UUID, name: 'wide' }],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    },
  },
  named('by id', {
    topics: [{ topicId: '$topicId:wide', name: null }],
    allowAutoTopicCreation: false,
  }),
  named('with operations', {
    topics: [{ name: 'wide' }],
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: true,
    includeTopicAuthorizedOperations: true,
  }),
  named('created by asking', { topics: [{ name: 'auto-{c}' }], allowAutoTopicCreation: true }),
]

export const API_VERSIONS_SCENES: readonly Scene[] = [
  { name: 'as a client', body: { clientSoftwareName: 'conformance', clientSoftwareVersion: '1' } },
]

export const PRODUCER_ID_SCENES: readonly Scene[] = [
  {
    name: 'idempotent',
    body: { transactionalId: null, transactionTimeoutMs: 1000, producerId: -1, producerEpoch: -1 },
  },
]

export const TELEMETRY_SCENES: readonly Scene[] = [
  { name: 'a new client', body: { clientInstanceId: ZERO_UUID } },
]

export const PUSH_TELEMETRY_SCENES: readonly Scene[] = [
  {
    name: 'an unknown subscription',
    body: {
      clientInstanceId: 'conformanceinstancexxA',
      subscriptionId: 1,
      terminating: false,
      compressionType: 0,
      metrics: Buffer.from('none'),
    },
  },
]

export const CONFIG_RESOURCES_SCENES: readonly Scene[] = [
  { name: 'of client metrics', body: { resourceTypes: [16] } },
  named('of topics and brokers', { resourceTypes: [4, 8] }),
  named('of nothing known', { resourceTypes: [99] }),
]

export const DESCRIBE_CLUSTER_SCENES: readonly Scene[] = [
  {
    name: 'brokers',
    body: {
      includeClusterAuthorizedOperations: false,
      endpointType: 1,
      includeFencedBrokers: true,
    },
  },
  {
    name: 'controllers',
    listener: 'controller',
    body: { includeClusterAuthorizedOperations: false, endpointType: 2 },
    isVaried: false,
  },
]

export const TOPIC_PARTITIONS_SCENES: readonly Scene[] = [
  {
    name: 'of a topic',
    body: {
      topics: [{ name: 'wide' }],
      responsePartitionLimit: 2,
      cursor: { topicName: 'wide', partitionIndex: 1 },
    },
  },
  named('from the start', {
    topics: [{ name: 'wide' }, { name: 'none' }],
    responsePartitionLimit: 2,
  }),
]

const METADATA_PARTITION = '__cluster_metadata'

export const QUORUM_SCENES: readonly Scene[] = [
  {
    name: 'of the metadata',
    body: { topics: [{ topicName: METADATA_PARTITION, partitions: [{ partitionIndex: 0 }] }] },
  },
]

export const FEATURES_SCENES: readonly Scene[] = [
  {
    name: 'of an unknown feature',
    body: {
      timeoutMs: 3000,
      validateOnly: true,
      featureUpdates: [
        { feature: 'none', maxVersionLevel: 1, allowDowngrade: false, upgradeType: 1 },
      ],
    },
  },
  named('a level that is not known', {
    timeoutMs: 3000,
    validateOnly: true,
    featureUpdates: [{ feature: 'metadata.version', maxVersionLevel: 999, upgradeType: 1 }],
  }),
]

/** What a candidate or a leader of long ago says: nothing that could end the term of the leader. */
export const VOTE_SCENES: readonly Scene[] = [
  {
    name: 'of an old epoch',
    listener: 'controller',
    isVaried: false,
    body: {
      clusterId: '$clusterId',
      voterId: 1,
      topics: [
        {
          topicName: METADATA_PARTITION,
          partitions: [
            { partitionIndex: 0, replicaEpoch: 0, replicaId: 1, lastOffsetEpoch: 0, lastOffset: 0 },
          ],
        },
      ],
    },
  },
  {
    name: 'of another cluster',
    listener: 'controller',
    isVaried: false,
    body: { clusterId: 'other', voterId: 1, topics: [] },
  },
  {
    name: 'of another topic',
    listener: 'controller',
    isVaried: false,
    body: {
      clusterId: '$clusterId',
      topics: [
        { topicName: 'none', partitions: [{ partitionIndex: 0, replicaEpoch: 0, replicaId: 1 }] },
      ],
    },
  },
]

const oldLeader = (clusterId: string, topicName: string): Body => ({
  clusterId,
  voterId: 1,
  topics: [{ topicName, partitions: [{ partitionIndex: 0, leaderId: 1, leaderEpoch: 0 }] }],
  leaderEndpoints: [{ name: 'CONTROLLER', host: '127.0.0.1', port: 1 }],
})

export const QUORUM_EPOCH_SCENES: readonly Scene[] = [
  ['of an old epoch', oldLeader('$clusterId', METADATA_PARTITION)] as const,
  ['of another cluster', oldLeader('other', METADATA_PARTITION)] as const,
  ['of another topic', oldLeader('$clusterId', 'none')] as const,
].map(([name, body]) => ({ name, body, listener: 'controller', isVaried: false }))

export const ALTER_PARTITION_SCENES: readonly Scene[] = [
  {
    name: 'of a stale broker',
    listener: 'controller',
    body: {
      brokerId: 1,
      brokerEpoch: -1,
      topics: [
        {
          topicId: '$topicId:wide',
          partitions: [
            {
              partitionIndex: 0,
              leaderEpoch: 0,
              newIsr: [1],
              newIsrWithEpochs: [{ brokerId: 1, brokerEpoch: -1 }],
              leaderRecoveryState: 0,
              partitionEpoch: 0,
            },
          ],
        },
      ],
    },
  },
]

export const ENVELOPE_SCENES: readonly Scene[] = [
  {
    name: 'of nothing',
    listener: 'controller',
    body: {
      requestData: Buffer.from('none'),
      requestPrincipal: null,
      clientHostAddress: Buffer.from([127, 0, 0, 1]),
    },
  },
]

export const REGISTRATION_SCENES: readonly Scene[] = [
  {
    name: 'of another cluster',
    listener: 'controller',
    body: {
      brokerId: 1,
      clusterId: 'other',
      incarnationId: 'conformanceincarnatioA',
      listeners: [{ name: 'PLAINTEXT', host: 'localhost', port: 1, securityProtocol: 0 }],
      features: [{ name: 'metadata.version', minSupportedVersion: 1, maxSupportedVersion: 29 }],
      logDirs: ['conformancedirectoryxA'],
      rack: null,
    },
  },
]

export const BROKER_HEARTBEAT_SCENES: readonly Scene[] = [
  {
    name: 'of a stale broker',
    listener: 'controller',
    body: {
      brokerId: 77,
      brokerEpoch: -1,
      currentMetadataOffset: 0,
      wantFence: false,
      wantShutDown: false,
    },
    isVaried: false,
  },
]

export const UNREGISTER_SCENES: readonly Scene[] = [named('an unknown broker', { brokerId: 77 })]

export const ALLOCATE_SCENES: readonly Scene[] = [
  { name: 'of a stale broker', listener: 'controller', body: { brokerId: 1, brokerEpoch: -1 } },
]

export const ASSIGN_DIRECTORIES_SCENES: readonly Scene[] = [
  {
    name: 'of a stale broker',
    listener: 'controller',
    body: {
      brokerId: 77,
      brokerEpoch: -1,
      directories: [
        {
          id: 'conformancedirectoryxA',
          topics: [{ topicId: 'conformancetopicidxxxA', partitions: [{ partitionIndex: 0 }] }],
        },
      ],
    },
    isVaried: false,
  },
]
