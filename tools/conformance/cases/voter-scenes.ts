import { ZERO_UUID } from '../../../src/base/uuid.ts'
import type { Scene } from '../case.ts'

// Both quorums have static voters, so kraft.version is 0. Wrong values are not tried in each field: at a listener
// without a name the raft thread of Apache Kafka 4.3.1 fails, and its node ends.

const VOTER = { voterId: 7, voterDirectoryId: 'conformancevoter7xxxxA' }
const LISTENERS = [{ name: 'CONTROLLER', host: 'localhost', port: 9093 }]

export const ADD_VOTER_SCENES: readonly Scene[] = [
  {
    name: 'a controller',
    body: {
      clusterId: '$clusterId',
      timeoutMs: 1000,
      ...VOTER,
      listeners: LISTENERS,
      ackWhenCommitted: true,
    },
    isVaried: false,
  },
  {
    name: 'of another cluster',
    body: { clusterId: 'another', timeoutMs: 1000, ...VOTER, listeners: LISTENERS },
    isVaried: false,
  },
  {
    name: 'to a controller',
    listener: 'controller',
    body: { clusterId: '$clusterId', timeoutMs: 1000, ...VOTER, listeners: LISTENERS },
    isVaried: false,
  },
  {
    name: 'without a directory',
    body: {
      clusterId: '$clusterId',
      timeoutMs: 1000,
      voterId: 7,
      voterDirectoryId: ZERO_UUID,
      listeners: LISTENERS,
    },
    isVaried: false,
  },
  {
    name: 'without its listener',
    body: { clusterId: '$clusterId', timeoutMs: 1000, ...VOTER, listeners: [] },
    isVaried: false,
  },
]

export const REMOVE_VOTER_SCENES: readonly Scene[] = [
  { name: 'a controller', body: { clusterId: '$clusterId', ...VOTER }, isVaried: false },
  { name: 'of another cluster', body: { clusterId: 'another', ...VOTER }, isVaried: false },
  {
    name: 'without a directory',
    body: { clusterId: '$clusterId', voterId: 7, voterDirectoryId: ZERO_UUID },
    isVaried: false,
  },
]

export const UPDATE_VOTER_SCENES: readonly Scene[] = [
  {
    name: 'of another cluster',
    listener: 'controller',
    body: { clusterId: 'another', currentLeaderEpoch: 1, ...VOTER, listeners: LISTENERS },
    isVaried: false,
  },
  {
    name: 'in a later epoch',
    listener: 'controller',
    body: { clusterId: '$clusterId', currentLeaderEpoch: 99, ...VOTER, listeners: LISTENERS },
    isVaried: false,
  },
  {
    name: 'without a directory',
    listener: 'controller',
    body: {
      clusterId: '$clusterId',
      currentLeaderEpoch: 1,
      voterId: 7,
      voterDirectoryId: ZERO_UUID,
      listeners: LISTENERS,
    },
    isVaried: false,
  },
  {
    name: 'a controller',
    listener: 'controller',
    body: {
      clusterId: '$clusterId',
      currentLeaderEpoch: 1,
      ...VOTER,
      listeners: LISTENERS,
      kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: 1 },
    },
    isVaried: false,
  },
]
