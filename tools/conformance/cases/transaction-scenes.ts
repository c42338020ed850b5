import type { Body, Scene, Step } from '../case.ts'

const ID = 'txn-{c}'
const PRODUCER = { producerId: '$producerId', producerEpoch: '$producerEpoch' }
/** Nobody has it. */
const STRANGER = { producerId: 999_999, producerEpoch: 0 }

const init: Step = {
  key: 22,
  version: 4,
  body: { transactionalId: ID, transactionTimeoutMs: 60_000, producerId: -1, producerEpoch: -1 },
  capture: { producerId: 'producerId', producerEpoch: 'producerEpoch' },
}
const addPartitions: Step = {
  key: 24,
  version: 3,
  body: {
    v3AndBelowTransactionalId: ID,
    v3AndBelowProducerId: '$producerId',
    v3AndBelowProducerEpoch: '$producerEpoch',
    v3AndBelowTopics: [{ name: 'wide', partitions: [0] }],
  },
}

const named = (name: string, body: Body, before: readonly Step[] = []): Scene => ({
  name,
  body,
  before,
  isVaried: false,
})

/** Up to version 3 one transaction, from 4 on several, of brokers. */
function addingPartitions(producer: Body): Body {
  const topics = [{ name: 'wide', partitions: [0, 1] }]
  return {
    v3AndBelowTransactionalId: ID,
    v3AndBelowProducerId: producer['producerId'] ?? -1,
    v3AndBelowProducerEpoch: producer['producerEpoch'] ?? -1,
    v3AndBelowTopics: topics,
    transactions: [{ transactionalId: ID, ...producer, verifyOnly: false, topics }],
  }
}

export const ADD_PARTITIONS_SCENES: readonly Scene[] = [
  named('of a transaction', addingPartitions(PRODUCER), [init]),
  named('of a stranger', addingPartitions(STRANGER)),
]

export const ADD_OFFSETS_SCENES: readonly Scene[] = [
  named('of a group', { transactionalId: ID, ...PRODUCER, groupId: 'txn-group' }, [init]),
  named('of a stranger', { transactionalId: ID, ...STRANGER, groupId: 'txn-group' }),
]

export const END_TXN_SCENES: readonly Scene[] = [
  named('of what was begun', { transactionalId: ID, ...PRODUCER, committed: true }, [
    init,
    addPartitions,
  ]),
  named('of nothing', { transactionalId: ID, ...PRODUCER, committed: false }, [init]),
  named('of a stranger', { transactionalId: ID, ...STRANGER, committed: true }),
]

export const WRITE_MARKERS_SCENES: readonly Scene[] = [
  named('of nothing', { markers: [] }),
  named('of partitions that are not there', {
    markers: [
      {
        ...STRANGER,
        transactionResult: true,
        topics: [{ name: 'nothing', partitionIndexes: [0] }],
        coordinatorEpoch: 0,
      },
    ],
  }),
]

export const TXN_OFFSET_COMMIT_SCENES: readonly Scene[] = [
  named('of a stranger', {
    transactionalId: ID,
    groupId: 'txn-group',
    ...STRANGER,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    topics: [
      {
        name: 'wide',
        partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }],
      },
    ],
  }),
]

export const DESCRIBE_PRODUCERS_SCENES: readonly Scene[] = [
  named('of partitions that are not there', {
    topics: [
      { name: 'nothing', partitionIndexes: [0] },
      { name: 'wide', partitionIndexes: [99] },
    ],
  }),
  named('of quiet partitions', { topics: [{ name: 'wide', partitionIndexes: [2] }] }),
]

export const DESCRIBE_TRANSACTIONS_SCENES: readonly Scene[] = [
  named('of none', { transactionalIds: [] }),
  named('of an unknown id', { transactionalIds: ['nobody', ''] }),
  named('of a new one', { transactionalIds: [ID] }, [init]),
]

export const LIST_TRANSACTIONS_SCENES: readonly Scene[] = [
  named('in an unknown state', {
    stateFilters: ['Nowhere'],
    producerIdFilters: [],
    durationFilter: -1,
    transactionalIdPattern: null,
  }),
  named('of an unknown producer', {
    stateFilters: [],
    producerIdFilters: [987_654],
    durationFilter: -1,
    transactionalIdPattern: null,
  }),
]
