import type { Body, Scene, Step } from '../case.ts'

/** The consumer protocol's metadata: version 0, one topic `data`, no user data. */
const SUBSCRIPTION = Buffer.from('00000000000100046461746100000000', 'hex')
const GROUP = 'g-{c}'

const joinBody: Body = {
  groupId: GROUP,
  sessionTimeoutMs: 30_000,
  rebalanceTimeoutMs: 1000,
  memberId: '',
  groupInstanceId: null,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: SUBSCRIPTION }],
  reason: 'conformance',
}

/** Version 1 needs no member id first. */
const JOINED: Step = {
  key: 11,
  version: 1,
  body: {
    groupId: GROUP,
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 1000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: SUBSCRIPTION }],
  },
  capture: { member: 'memberId', generation: 'generationId' },
}
const SYNCED: Step = {
  key: 14,
  version: 0,
  body: {
    groupId: GROUP,
    generationId: '$generation',
    memberId: '$member',
    assignments: [{ memberId: '$member', assignment: Buffer.from('assigned') }],
  },
}
const LEFT: Step = {
  key: 13,
  version: 0,
  body: { groupId: GROUP, memberId: '$member' },
}
const COMMITTED: Step = {
  key: 8,
  version: 2,
  body: {
    groupId: GROUP,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    topics: [
      {
        name: 'data',
        partitions: [{ partitionIndex: 0, committedOffset: 3, committedMetadata: 'm' }],
      },
    ],
  },
}

const commitBody = (member: string, generation: string | number): Body => ({
  groupId: GROUP,
  generationIdOrMemberEpoch: generation,
  memberId: member,
  groupInstanceId: null,
  topics: [
    {
      name: 'data',
      topicId: '$topicId:data',
      partitions: [
        {
          partitionIndex: 0,
          committedOffset: 3,
          committedLeaderEpoch: 0,
          committedMetadata: 'here',
        },
      ],
    },
  ],
})

export const OFFSET_COMMIT_SCENES: readonly Scene[] = [
  { name: 'without members', body: commitBody('', -1) },
  {
    name: 'of a member',
    body: commitBody('$member', '$generation'),
    before: [JOINED, SYNCED],
    isVaried: false,
  },
  {
    name: 'before the assignment',
    body: commitBody('$member', '$generation'),
    before: [JOINED],
    isVaried: false,
  },
  {
    name: 'of a stranger',
    body: commitBody('stranger', 1),
    before: [JOINED, SYNCED],
    isVaried: false,
  },
]

const asked = [{ name: 'data', topicId: '$topicId:data', partitionIndexes: [0, 7] }]

export const OFFSET_FETCH_SCENES: readonly Scene[] = [
  {
    name: 'what was committed',
    before: [COMMITTED],
    body: {
      groupId: GROUP,
      topics: asked,
      groups: [{ groupId: GROUP, memberId: null, memberEpoch: -1, topics: asked }],
      requireStable: true,
    },
  },
  {
    name: 'all that was committed',
    before: [COMMITTED],
    body: { groupId: GROUP, topics: null, groups: [{ groupId: GROUP, topics: null }] },
    isVaried: false,
  },
]

export const JOIN_GROUP_SCENES: readonly Scene[] = [
  { name: 'the first member', body: joinBody },
  {
    name: 'again as the same member',
    before: [JOINED, SYNCED],
    body: { ...joinBody, memberId: '$member' },
    isVaried: false,
  },
  { name: 'a static member', body: { ...joinBody, groupInstanceId: 'static' }, isVaried: false },
  {
    name: 'another protocol type',
    before: [JOINED, SYNCED],
    body: { ...joinBody, protocolType: 'connect' },
    isVaried: false,
  },
  {
    name: 'no protocol in common',
    before: [JOINED, SYNCED],
    body: { ...joinBody, protocols: [{ name: 'other', metadata: SUBSCRIPTION }] },
    isVaried: false,
  },
]

export const HEARTBEAT_SCENES: readonly Scene[] = [
  {
    name: 'of a member',
    before: [JOINED, SYNCED],
    body: {
      groupId: GROUP,
      generationId: '$generation',
      memberId: '$member',
      groupInstanceId: null,
    },
  },
  {
    name: 'before the assignment',
    before: [JOINED],
    body: {
      groupId: GROUP,
      generationId: '$generation',
      memberId: '$member',
      groupInstanceId: null,
    },
    isVaried: false,
  },
]

export const LEAVE_GROUP_SCENES: readonly Scene[] = [
  {
    name: 'of a member',
    before: [JOINED, SYNCED],
    body: {
      groupId: GROUP,
      memberId: '$member',
      members: [{ memberId: '$member', groupInstanceId: null, reason: 'done' }],
    },
  },
]

export const SYNC_GROUP_SCENES: readonly Scene[] = [
  {
    name: 'of the leader',
    before: [JOINED],
    body: {
      groupId: GROUP,
      generationId: '$generation',
      memberId: '$member',
      groupInstanceId: null,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [{ memberId: '$member', assignment: Buffer.from('assigned') }],
    },
  },
]

const described: Body = { groups: [GROUP], includeAuthorizedOperations: false }

export const DESCRIBE_GROUPS_SCENES: readonly Scene[] = [
  { name: 'nothing of this name', body: described },
  { name: 'a stable group', before: [JOINED, SYNCED], body: described, isVaried: false },
  { name: 'before the assignment', before: [JOINED], body: described, isVaried: false },
  { name: 'an empty group', before: [JOINED, SYNCED, LEFT], body: described, isVaried: false },
  { name: 'offsets only', before: [COMMITTED], body: described, isVaried: false },
  {
    name: 'with operations',
    before: [COMMITTED],
    body: { ...described, includeAuthorizedOperations: true },
    isVaried: false,
  },
]

export const LIST_GROUPS_SCENES: readonly Scene[] = [
  { name: 'of a state that none is in', body: { statesFilter: ['Dead'], typesFilter: [] } },
  { name: 'of another type', body: { statesFilter: [], typesFilter: ['share'] }, isVaried: false },
  {
    name: 'of an unknown type',
    body: { statesFilter: ['none'], typesFilter: ['none'] },
    isVaried: false,
  },
]

export const DELETE_GROUPS_SCENES: readonly Scene[] = [
  { name: 'with offsets', before: [COMMITTED], body: { groupsNames: [GROUP] } },
  {
    name: 'with members',
    before: [JOINED, SYNCED],
    body: { groupsNames: [GROUP] },
    isVaried: false,
  },
  { name: 'of illegal names', body: { groupsNames: ['', 'none', 'none'] }, isVaried: false },
]

export const OFFSET_DELETE_SCENES: readonly Scene[] = [
  {
    name: 'what was committed',
    before: [COMMITTED],
    body: { groupId: GROUP, topics: [{ name: 'data', partitions: [{ partitionIndex: 0 }] }] },
  },
  {
    name: 'of a topic that is subscribed to',
    before: [JOINED, SYNCED],
    body: { groupId: GROUP, topics: [{ name: 'data', partitions: [{ partitionIndex: 0 }] }] },
    isVaried: false,
  },
]
