import { describe, expect, it } from 'vitest'
import { MetadataImage } from '../../../../broker/metadata/image.ts'
import { Checkpoints } from '../../../../broker/replica/checkpoints.ts'
import { HostedPartitions } from '../../../../broker/replica/hosted-partitions.ts'
import { LogDirectories } from '../../../../broker/replica/log-directories.ts'
import { LogRemovals } from '../../../../broker/replica/log-removals.ts'
import { parseBrokerConfig } from '../../../../broker/config.ts'
import { CorruptionError } from '../../../../src/base/errors.ts'
import { ZERO_UUID } from '../../../../src/base/uuid.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { metadataRecord } from '../../../../src/wire/metadata-record.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import { batchOf } from '../../../support/replica-cluster.ts'

const ID = 'AbcdefghijklmnopqrstuA'
const DIRECTORY_ID = 'DbcdefghijklmnopqrstuA'
const OTHER_ID = 'BbcdefghijklmnopqrstuA'

function imageWith(topicId: string): MetadataImage {
  const image = new MetadataImage()
  image.apply(metadataRecord('TopicRecord', { name: 't', topicId }))
  for (const partitionId of [0, 1]) {
    const assigned = { replicas: [1], isr: [1], leader: 1, leaderEpoch: 0, partitionEpoch: 0 }
    image.apply(metadataRecord('PartitionRecord', { topicId, partitionId, ...assigned }))
  }
  return image
}

function setUp(image = imageWith(ID), world = new SimWorld({ seed: 4 })) {
  const { clock, disk, store, events } = world.node('a').ports
  const checkpoints = new Checkpoints(store)
  const kinds: string[] = []
  const failures: Error[] = []
  world.onEvent(({ kind }) => kinds.push(kind))
  const config = parseBrokerConfig({
    'controller.listener.names': 'CONTROLLER',
    'node.id': '1',
    'process.roles': 'broker',
  })
  const opened = { id: DIRECTORY_ID, disk, isCleanStart: false }
  const directories = new LogDirectories([{ path: 'a', opened }], events)
  const hosted = new HostedPartitions({
    config,
    directories,
    futuresIn: () => 0,
    removals: new LogRemovals({
      config,
      clock,
      random: world.random('removals'),
      directories,
      step: (fn) => fn(),
      onDirectoryFailure: (_directory, error) => failures.push(error),
    }),
    image: () => image,
    checkpoints,
    onStorageFailure: (_directory, error) => failures.push(error),
    surroundings: {
      brokerId: 1,
      brokerEpoch: () => 1,
      clock,
      events,
      replicaLagTimeMaxMs: 1000,
      broker: () => undefined,
      proposeIsr: () => {},
      changed: () => {},
    },
  })
  const state = image.partition('t', 0)!
  return { world, disk, checkpoints, hosted, state, kinds, failures }
}

describe('HostedPartitions', () => {
  it('opens a partition once and finds it by name and by id', () => {
    const { hosted, state, disk } = setUp()
    const partition = hosted.open(state)
    expect(hosted.open(state)).toBe(partition)
    expect(hosted.get('t-0')).toBe(partition)
    expect(hosted.find('t', 0).partition).toBe(partition)
    expect(hosted.find('t', 0, ID).partition).toBe(partition)
    expect(disk.exists('t-0/partition.metadata')).toBe(true)
  })

  it('says why a partition is not here', () => {
    const { hosted, state } = setUp()
    hosted.open(state)
    expect(hosted.find('t', 0, OTHER_ID).error).toBe(ErrorCode.INCONSISTENT_TOPIC_ID)
    expect(hosted.find('t', 1).error).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    expect(hosted.find('t', 1, ID).error).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    expect(hosted.find('t', 1, OTHER_ID).error).toBe(ErrorCode.UNKNOWN_TOPIC_ID)
    expect(hosted.find('t', 2).error).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(hosted.find('u', 0).error).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })

  it('removes the files and checkpoints with the partition', () => {
    const { hosted, state, disk, checkpoints } = setUp()
    const partition = hosted.open(state)!
    checkpoints.write([partition])
    hosted.remove(partition)
    expect(hosted.get('t-0')).toBeNull()
    expect(disk.exists('t-0')).toBe(false)
    expect(partition.isLeader).toBe(false)
    expect([...hosted.values()]).toEqual([])
  })

  it('sets the directory of an older topic of the same name aside, with its checkpoints', () => {
    const before = setUp()
    const old = before.hosted.open(before.state)!
    old.makeLeader(before.state)
    old.log.close()
    before.world.node('a').ports.store.put('hw/t-0', 9)
    const after = setUp(imageWith(OTHER_ID), before.world)
    const partition = after.hosted.open(after.state)!
    expect(partition.topicId).toBe(OTHER_ID)
    expect(partition.log.highWatermark).toBe(0)
    expect(after.checkpoints.highWatermark('t-0')).toBe(0)
    expect(after.disk.list('')).toEqual(['t-0', `t-0.${ID}-stray`])
  })

  it('sets a directory aside that a power cut has left without a topic id, before its first sync', () => {
    const before = setUp()
    const old = before.hosted.open(before.state)!
    old.makeLeader(before.state)
    old.appendAsLeader(batchOf('old'), 1, 'client')
    old.log.close()
    before.disk.remove('t-0/partition.metadata')
    const after = setUp(imageWith(OTHER_ID), before.world)
    expect(after.hosted.open(after.state)!.log.logEndOffset).toBe(0)
    expect(after.disk.list('')).toEqual(['t-0', `t-0.${ZERO_UUID}-stray`])
  })

  it('keeps a partition offline when its log cannot be opened', () => {
    const { hosted, state, disk, kinds } = setUp()
    disk.open('t-0/partition.metadata').append([Buffer.from('version: 7\ntopic_id: x')])
    expect(hosted.open(state)).toBeNull()
    expect(hosted.open(state)).toBeNull()
    expect(hosted.find('t', 0).error).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(kinds.filter((kind) => kind === 'partition.offline')).toHaveLength(1)
  })

  it('tells of a log that cannot be opened, for the broker ends by it as by one that fails later', () => {
    const { hosted, state, disk, failures } = setUp()
    disk.open('t-0/partition.metadata').append([Buffer.from('version: 7\ntopic_id: x')])
    hosted.open(state)
    hosted.open(state)
    expect(failures).toHaveLength(1)
    expect(failures[0]).toBeInstanceOf(CorruptionError)
  })

  it('takes a partition offline whose disk fails later', () => {
    const { hosted, state } = setUp()
    const partition = hosted.open(state)!
    partition.makeLeader(state)
    hosted.fail(partition, new CorruptionError('bad bytes'))
    expect(hosted.find('t', 0).error).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(partition.isLeader).toBe(false)
  })
})
