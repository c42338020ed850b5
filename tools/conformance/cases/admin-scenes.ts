import { ZERO_UUID } from '../../../src/base/uuid.ts'
import type { Body, BodyValue, Scene } from '../case.ts'

const TOPIC_RESOURCE = 2
const BROKER_RESOURCE = 4
const GROUP_RESOURCE = 32

const topicToCreate = (more: Body = {}): Body => ({
  timeoutMs: 5000,
  validateOnly: false,
  topics: [
    {
      name: 'c-{c}',
      numPartitions: 2,
      replicationFactor: 1,
      assignments: [],
      configs: [],
      ...more,
    },
  ],
})
const withConfig = (name: string, value: string | null): Body =>
  topicToCreate({ configs: [{ name, value }] })
const withAssignment = (assignments: BodyValue): Body =>
  topicToCreate({ numPartitions: -1, replicationFactor: -1, assignments })

const named = (name: string, body: Body): Scene => ({ name, body, isVaried: false })

export const CREATE_TOPICS_SCENES: readonly Scene[] = [
  { name: 'a topic', body: topicToCreate() },
  { name: 'a topic with a setting', body: withConfig('retention.ms', '5000') },
  {
    name: 'assigned by hand',
    body: withAssignment([
      { partitionIndex: 0, brokerIds: [1] },
      { partitionIndex: 1, brokerIds: [1] },
    ]),
  },
  named('validated only', { ...topicToCreate(), validateOnly: true }),
  named('defaults of the broker', topicToCreate({ numPartitions: -1, replicationFactor: -1 })),
  named('too many replicas', topicToCreate({ replicationFactor: 2 })),
  named('a value that is no number', withConfig('retention.ms', 'soon')),
  named('a value out of range', withConfig('retention.ms', '-2')),
  named('an unknown policy', withConfig('cleanup.policy', 'keep')),
  named('a setting without value', withConfig('retention.ms', null)),
  named('a replica twice', withAssignment([{ partitionIndex: 0, brokerIds: [1, 1] }])),
  named('a broker that is not there', withAssignment([{ partitionIndex: 0, brokerIds: [9] }])),
  named('no replica', withAssignment([{ partitionIndex: 0, brokerIds: [] }])),
  named('a gap in the partitions', withAssignment([{ partitionIndex: 1, brokerIds: [1] }])),
  named(
    'assignment and numbers',
    topicToCreate({ assignments: [{ partitionIndex: 0, brokerIds: [1] }] }),
  ),
  named('a topic that is there', topicToCreate({ name: 'data' })),
  named('a name like another', {
    timeoutMs: 5000,
    topics: [
      { name: 'like.{c}', numPartitions: 1, replicationFactor: 1 },
      { name: 'like_{c}', numPartitions: 1, replicationFactor: 1 },
    ],
  }),
  named('an internal topic', topicToCreate({ name: '__cluster_metadata' })),
]

const topics = [{ name: 'd-{c}', partitions: 2 }]

export const DELETE_TOPICS_SCENES: readonly Scene[] = [
  {
    name: 'by name',
    topics,
    body: {
      timeoutMs: 5000,
      topicNames: ['d-{c}'],
      topics: [{ name: 'd-{c}', topicId: ZERO_UUID }],
    },
  },
  {
    name: 'by id',
    topics,
    body: { timeoutMs: 5000, topicNames: [], topics: [{ name: null, topicId: '$topicId:d-{c}' }] },
    isVaried: false,
  },
  named('unknown', { timeoutMs: 5000, topicNames: ['none'], topics: [{ name: 'none' }] }),
]

export const CREATE_PARTITIONS_SCENES: readonly Scene[] = [
  {
    name: 'one more',
    topics,
    body: {
      timeoutMs: 5000,
      validateOnly: false,
      topics: [{ name: 'd-{c}', count: 3, assignments: null }],
    },
  },
  {
    name: 'assigned by hand',
    topics,
    body: {
      timeoutMs: 5000,
      validateOnly: true,
      topics: [{ name: 'd-{c}', count: 3, assignments: [{ brokerIds: [1] }] }],
    },
  },
  ...[[], [9], [1, 1]].map((brokerIds) => ({
    name: `replicas ${brokerIds.join(' and ')}`,
    topics,
    body: { timeoutMs: 5000, topics: [{ name: 'd-{c}', count: 3, assignments: [{ brokerIds }] }] },
    isVaried: false,
  })),
]

const describe = (
  resourceType: number,
  resourceName: string,
  keys: readonly string[] | null,
): Body => ({
  resources: [{ resourceType, resourceName, configurationKeys: keys }],
  includeSynonyms: true,
  includeDocumentation: false,
})

export const DESCRIBE_CONFIGS_SCENES: readonly Scene[] = [
  {
    name: 'of a topic',
    body: describe(TOPIC_RESOURCE, 'data', ['retention.ms', 'cleanup.policy']),
  },
  named('all of a topic', describe(TOPIC_RESOURCE, 'data', null)),
  named(
    'of a broker',
    describe(BROKER_RESOURCE, '1', ['num.io.threads', 'log.retention.hours', 'none']),
  ),
  named('defaults of brokers', describe(BROKER_RESOURCE, '', null)),
  named('of another broker', describe(BROKER_RESOURCE, '9', null)),
  named('of a broker that is no number', describe(BROKER_RESOURCE, 'one', null)),
  named('of a group', describe(GROUP_RESOURCE, 'g', null)),
  named('of client metrics', describe(16, 'm', null)),
]

const alter = (
  resourceType: number,
  resourceName: string,
  name: string,
  value: BodyValue,
): Body => ({
  validateOnly: false,
  resources: [{ resourceType, resourceName, configs: [{ name, configOperation: 0, value }] }],
})

function alterScenes(topic: string): readonly Scene[] {
  return [
    { name: 'of a topic', topics, body: alter(TOPIC_RESOURCE, topic, 'retention.ms', '5000') },
    ...(
      [
        [TOPIC_RESOURCE, topic, 'retention.ms', 'soon'],
        [TOPIC_RESOURCE, topic, 'retention.ms', '-7'],
        [TOPIC_RESOURCE, topic, 'cleanup.policy', 'compact,keep'],
        [TOPIC_RESOURCE, topic, 'none', '1'],
        [TOPIC_RESOURCE, 'none', 'retention.ms', '1'],
        [BROKER_RESOURCE, '1', 'log.cleaner.threads', '0'],
        [BROKER_RESOURCE, '1', 'broker.id', '5'],
        [BROKER_RESOURCE, '9', 'log.cleaner.threads', '1'],
        [BROKER_RESOURCE, 'one', 'log.cleaner.threads', '1'],
        [GROUP_RESOURCE, 'g', 'consumer.session.timeout.ms', '1'],
        [GROUP_RESOURCE, '', 'consumer.session.timeout.ms', '50000'],
        [16, 'm', 'interval.ms', '1'],
        [16, '', 'interval.ms', '1000'],
      ] as const
    ).map(([type, resource, name, value]) => ({
      name: `${name}=${value} of ${type} "${resource}"`,
      topics,
      body: alter(type, resource, name, value),
      isVaried: false,
    })),
  ]
}

export const ALTER_CONFIGS_SCENES: readonly Scene[] = alterScenes('d-{c}')
export const INCREMENTAL_ALTER_CONFIGS_SCENES: readonly Scene[] = [
  ...alterScenes('d-{c}'),
  ...[
    [1, 'retention.ms', null],
    [2, 'cleanup.policy', 'compact'],
    [3, 'cleanup.policy', 'delete'],
    [2, 'retention.ms', '1'],
    [0, 'retention.ms', null],
  ].map(([configOperation, name, value]) => ({
    name: `operation ${configOperation} of ${name}`,
    topics,
    body: {
      resources: [
        {
          resourceType: TOPIC_RESOURCE,
          resourceName: 'd-{c}',
          configs: [
            { name: name ?? '', configOperation: configOperation ?? 0, value: value ?? null },
          ],
        },
      ],
    },
    isVaried: false,
  })),
]

export const ELECT_LEADERS_SCENES: readonly Scene[] = [
  {
    name: 'the preferred one',
    body: {
      electionType: 0,
      timeoutMs: 3000,
      topicPartitions: [{ topic: 'data', partitions: [0] }],
    },
  },
  named('an unclean one', {
    electionType: 1,
    timeoutMs: 3000,
    topicPartitions: [{ topic: 'data', partitions: [0, 7] }],
  }),
]

const reassign = (replicas: BodyValue): Body => ({
  timeoutMs: 3000,
  allowReplicationFactorChange: true,
  topics: [{ name: 'wide', partitions: [{ partitionIndex: 0, replicas }] }],
})

export const REASSIGN_SCENES: readonly Scene[] = [
  { name: 'where it is', body: reassign([1]) },
  ...[null, [], [9], [1, 1], [-1]].map((replicas) =>
    named(`to ${replicas === null ? 'nothing' : replicas.join(' and ')}`, reassign(replicas)),
  ),
  named('of an unknown partition', {
    timeoutMs: 3000,
    topics: [{ name: 'wide', partitions: [{ partitionIndex: 9, replicas: [1] }] }],
  }),
]

export const LIST_REASSIGNMENTS_SCENES: readonly Scene[] = [
  {
    name: 'of a topic',
    body: { timeoutMs: 3000, topics: [{ name: 'wide', partitionIndexes: [0, 9] }] },
  },
]

export const LOG_DIR_SCENES: readonly Scene[] = [
  { name: 'of a partition', body: { topics: [{ topic: 'data', partitions: [0, 7] }] } },
]

export const ALTER_LOG_DIR_SCENES: readonly Scene[] = [
  {
    name: 'a directory that is not there',
    body: { dirs: [{ path: '/nowhere', topics: [{ name: 'data', partitions: [0, 7] }] }] },
  },
]

export const DESCRIBE_QUOTAS_SCENES: readonly Scene[] = [
  {
    name: 'of a user',
    body: { components: [{ entityType: 'user', matchType: 0, match: 'u' }], strict: false },
  },
]

export const ALTER_QUOTAS_SCENES: readonly Scene[] = [
  {
    name: 'of a user',
    body: {
      validateOnly: true,
      entries: [
        {
          entity: [{ entityType: 'user', entityName: 'u' }],
          ops: [{ key: 'producer_byte_rate', value: 1000, remove: false }],
        },
      ],
    },
  },
  named('an unknown key', {
    validateOnly: true,
    entries: [
      { entity: [{ entityType: 'user', entityName: 'u' }], ops: [{ key: 'none', value: 1 }] },
    ],
  }),
]
