import { describe, expect, it } from 'vitest'
import { parseBrokerConfig } from '../../../../broker/config.ts'
import { DEFAULT_GROUP_CONFIG, groupConfigFrom } from '../../../../broker/group/group-config.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { describeGroupsApi } from '../../../../src/wire/messages/15-describe-groups.ts'
import {
  listGroupsApi,
  type ListGroupsRequest,
} from '../../../../src/wire/messages/16-list-groups.ts'
import { deleteGroupsApi } from '../../../../src/wire/messages/42-delete-groups.ts'
import type { Input } from '../../../../src/wire/schema.ts'
import { GroupWorld, subscription } from '../../../support/group-world.ts'

function describeGroups(world: GroupWorld, version: number, groups: readonly string[]) {
  return world.call(describeGroupsApi, version, { groups }, (coordinator, decoded, respond) =>
    coordinator.describeGroups(version, decoded, respond),
  ).response.groups
}

function listGroups(world: GroupWorld, version = 5, filter: Input<ListGroupsRequest> = {}) {
  return world.call(listGroupsApi, version, filter, (coordinator, decoded, respond) =>
    coordinator.listGroups(version, decoded, respond),
  )
}

function deleteGroups(world: GroupWorld, version: number, groupsNames: readonly string[]) {
  return world.call(deleteGroupsApi, version, { groupsNames }, (coordinator, decoded, respond) =>
    coordinator.deleteGroups(version, decoded, respond),
  ).response.results
}

describe('DescribeGroups', () => {
  it.each([0, 1, 2, 3, 4, 5, 6])('v%i shows a stable group with its members', (version) => {
    const world = new GroupWorld()
    const { memberIds } = world.stableGroup(1)
    expect(describeGroups(world, version, ['g'])).toEqual([
      {
        errorCode: 0,
        errorMessage: null,
        groupId: 'g',
        groupState: 'Stable',
        protocolType: 'consumer',
        protocolData: 'range',
        members: [
          {
            memberId: memberIds[0],
            groupInstanceId: null,
            clientId: 'client',
            clientHost: '/127.0.0.1',
            memberMetadata: subscription(['foo']),
            memberAssignment: Buffer.from('part 0'),
          },
        ],
        authorizedOperations: -2147483648,
      },
    ])
  })

  it('shows no metadata of members that are rebalancing', () => {
    const world = new GroupWorld()
    world.stableGroup(1)
    world.joinNew()
    const [group] = describeGroups(world, 6, ['g'])
    expect(group).toMatchObject({ groupState: 'PreparingRebalance', protocolData: '' })
    expect(group!.members.map(({ memberMetadata }) => memberMetadata.length)).toEqual([0, 0])
  })

  it('calls an unknown group Dead, and an error from v6 on', () => {
    const world = new GroupWorld()
    expect(describeGroups(world, 5, ['x'])[0]).toMatchObject({ groupState: 'Dead', errorCode: 0 })
    expect(describeGroups(world, 6, ['x'])[0]).toMatchObject({
      groupState: 'Dead',
      errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
      errorMessage: 'Group x not found.',
    })
  })

  it('answers each group by itself, in the order asked, also when there is none', () => {
    const world = new GroupWorld({ partitionCount: 3 })
    const groups = ['a', 'b', 'c', 'd']
    const described = describeGroups(world, 6, groups)
    expect(described.map(({ groupId }) => groupId)).toEqual(groups)
    const led = new Set(groups.filter((name) => world.coordinator.partitionFor(name) === 0))
    for (const { groupId, errorCode } of described) {
      const isLed = led.has(groupId)
      expect(errorCode).toBe(isLed ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.NOT_COORDINATOR)
    }
    expect(describeGroups(world, 6, [])).toEqual([])
  })
})

describe('ListGroups', () => {
  function populated(): GroupWorld {
    const world = new GroupWorld()
    world.stableGroup(1, 'stable')
    world.commit(1, { groupId: 'simple' })
    world.join({ groupId: 'empty' })
    return world
  }

  it.each([0, 1, 2, 3, 4, 5])('v%i shows all groups', (version) => {
    expect(listGroups(populated(), version).response.groups).toEqual(
      [
        ['stable', 'consumer', 'Stable'],
        ['simple', '', 'Empty'],
        ['empty', '', 'Empty'],
      ].map(([groupId, protocolType, state]) => ({
        groupId,
        protocolType,
        groupState: version >= 4 ? state : '',
        groupType: version >= 5 ? 'classic' : '',
      })),
    )
  })

  it.each([
    [{ statesFilter: ['stable'] }, ['stable']],
    [{ statesFilter: ['EMPTY', 'Dead'] }, ['simple', 'empty']],
    [{ typesFilter: ['classic'] }, ['stable', 'simple', 'empty']],
    [{ typesFilter: ['consumer'] }, []],
    [{ typesFilter: ['nonsense'], statesFilter: ['Stable'] }, []],
  ])('filters by %j', (filter, names) => {
    const { groups } = listGroups(populated(), 5, filter).response
    expect(groups.map(({ groupId }) => groupId)).toEqual(names)
  })

  it('takes the groups of all partitions that are led here', () => {
    const world = new GroupWorld({ partitionCount: 4 })
    for (const partition of [1, 2]) world.coordinator.onElected(partition, 1)
    expect(listGroups(world).response.errorCode).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    world.run(1)
    const names = Array.from({ length: 20 }, (_, index) => `group-${index}`)
    for (const groupId of names) world.commit(1, { groupId })
    const led = names.filter((name) => world.coordinator.partitionFor(name) !== 3)
    const { groups } = listGroups(world).response
    expect(groups.map(({ groupId }) => groupId).sort()).toEqual(led.sort())
  })

  it('is empty on a broker that leads nothing', () => {
    const world = new GroupWorld({ isIdle: true })
    expect(listGroups(world).response).toMatchObject({ errorCode: 0, groups: [] })
  })
})

describe('DeleteGroups', () => {
  it.each([0, 1, 2, 3])('v%i deletes empty groups with their offsets and no others', (version) => {
    const world = new GroupWorld()
    world.stableGroup(1, 'busy')
    world.commit(5, { groupId: 'simple' })
    const results = deleteGroups(world, version, ['simple', 'busy', 'none', ''])
    expect(results.map(({ groupId, errorCode }) => [groupId, errorCode])).toEqual([
      ['simple', ErrorCode.NONE],
      ['busy', ErrorCode.NON_EMPTY_GROUP],
      ['none', ErrorCode.GROUP_ID_NOT_FOUND],
      ['', ErrorCode.GROUP_ID_NOT_FOUND],
    ])
    expect(results.map(({ errorMessage }) => errorMessage !== null)).toEqual(
      version >= 3 ? [false, true, true, true] : [false, false, false, false],
    )
    expect(world.committedOffset('simple')).toBe(-1)
    world.failOver()
    expect([...world.shard.groups.keys()]).toEqual(['busy'])
    const states = world.events.filter(({ fields }) => fields.state === 'Dead')
    expect(states).toHaveLength(1)
  })
})

describe('the group coordinator', () => {
  it('finds the partition of a group as Kafka does', () => {
    const { coordinator } = new GroupWorld({ partitionCount: 50 })
    // Printed by Java; the last ones have negative hashes, the first of them is Integer.MIN_VALUE.
    const expected = {
      a: 47,
      ab: 5,
      'group-ü': 2,
      polygenelubricants: 0,
      'my-group': 12,
      'connect-file-sink': 21,
      orders: 31,
    }
    for (const [groupId, partition] of Object.entries(expected)) {
      expect([groupId, coordinator.partitionFor(groupId)]).toEqual([groupId, partition])
    }
  })

  it('leads nothing before its topic exists', () => {
    const world = new GroupWorld({ partitionCount: 0 })
    expect(world.join().response.errorCode).toBe(ErrorCode.NOT_COORDINATOR)
  })

  it('answers everything once when it is closed', () => {
    const world = new GroupWorld()
    const join = world.joinNew()
    world.coordinator.close()
    world.run(10_000)
    expect(join.response.errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    expect(world.join().response.errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    expect(listGroups(world).response.groups).toEqual([])
  })

  it('takes its settings from those of the broker', () => {
    const required = {
      'node.id': '1',
      'process.roles': 'broker',
      'controller.listener.names': 'CONTROLLER',
    }
    expect(groupConfigFrom(parseBrokerConfig(required))).toEqual(DEFAULT_GROUP_CONFIG)
    const config = parseBrokerConfig({ ...required, 'offsets.retention.minutes': '2' })
    expect(groupConfigFrom(config).offsetsRetentionMs).toBe(120_000)
  })
})
