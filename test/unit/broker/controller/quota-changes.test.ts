import { describe, expect, it } from 'vitest'
import { describeClientQuotasHandler } from '../../../../broker/api/48-describe-client-quotas.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import {
  alterClientQuotasApi,
  type AlterClientQuotasResponse,
} from '../../../../src/wire/messages/49-alter-client-quotas.ts'
import { ApiWorld } from '../../../support/api-world.ts'
import { answerOf, ControlWorld, fullRequest } from '../../../support/control-world.ts'

type Entity = Readonly<Record<string, string | null>>
type Values = readonly (readonly [string, number | null])[]

/** A value of null removes the quota. */
function alter(world: ControlWorld, entries: readonly [Entity, Values][], validateOnly = false) {
  const request = fullRequest(alterClientQuotasApi, 1, {
    validateOnly,
    entries: entries.map(([entity, values]) => ({
      entity: Object.entries(entity).map(([entityType, entityName]) => ({
        entityType,
        entityName,
      })),
      ops: values.map(([key, value]) => ({ key, value: value ?? 0, remove: value === null })),
    })),
  })
  const answer = answerOf<AlterClientQuotasResponse>((respond) => {
    world.controller.alterClientQuotas(1, request, respond)
  })
  return answer.entries!.map(({ errorMessage }) => errorMessage)
}

function stored(world: ControlWorld): unknown[] {
  return [...world.replayed().clientQuotas.all()].map(({ entity, values }) => [
    Object.fromEntries(entity),
    Object.fromEntries(values),
  ])
}

function describeQuotas(
  world: ControlWorld,
  components: readonly [string, number, string | null][],
  strict = false,
) {
  const api = new ApiWorld()
  api.apply(...world.log.map(({ record }) => record))
  return api.ask(describeClientQuotasHandler, 1, {
    components: components.map(([entityType, matchType, match]) => ({
      entityType,
      matchType,
      match,
    })),
    strict,
  })
}

describe('AlterClientQuotas', () => {
  it('sets, changes and removes quotas, each entity by itself', () => {
    const world = new ControlWorld()
    const results = alter(world, [
      [{ user: 'u', 'client-id': 'c' }, [['producer_byte_rate', 5]]],
      [{ user: null }, [['request_percentage', 0.5]]],
      [{ user: 'bad' }, [['foo', 5]]],
    ])
    expect(results).toEqual([null, null, 'Invalid configuration key foo'])
    expect(stored(world)).toEqual([
      [{ 'client-id': 'c', user: 'u' }, { producer_byte_rate: 5 }],
      [{ user: null }, { request_percentage: 0.5 }],
    ])
    alter(world, [
      [{ 'client-id': 'c', user: 'u' }, [['producer_byte_rate', 7]]],
      [{ user: null }, [['request_percentage', null]]],
    ])
    expect(stored(world)).toEqual([[{ 'client-id': 'c', user: 'u' }, { producer_byte_rate: 7 }]])
  })

  it('writes nothing for what is so already, nor to validate', () => {
    const world = new ControlWorld()
    alter(world, [[{ user: 'u' }, [['producer_byte_rate', 5]]]])
    const before = world.log.length
    alter(world, [[{ user: 'u' }, [['producer_byte_rate', 5]]]])
    alter(world, [[{ user: 'v' }, [['producer_byte_rate', null]]]])
    alter(world, [[{ user: 'u' }, [['producer_byte_rate', 6]]]], true)
    expect(world.log.length).toBe(before)
  })

  it.each<[Entity, Values, string]>([
    [{}, [['producer_byte_rate', 5]], 'Invalid empty client quota entity'],
    [{ foo: 'u' }, [['producer_byte_rate', 5]], 'Unhandled client quota entity type: foo'],
    [{ user: '' }, [['producer_byte_rate', 5]], 'Empty user not supported'],
    [
      { ip: '127.0.0.1', user: 'u' },
      [['connection_creation_rate', 5]],
      'Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId',
    ],
    [
      { ip: 'not an ip' },
      [['connection_creation_rate', 5]],
      'not an ip is not a valid IP or resolvable host.',
    ],
    [{ ip: '::1' }, [['producer_byte_rate', 5]], 'Invalid configuration key producer_byte_rate'],
    [{ user: 'u' }, [['producer_byte_rate', 0]], 'Quota producer_byte_rate must be greater than 0'],
    [
      { user: 'u' },
      [['consumer_byte_rate', 5.5]],
      'consumer_byte_rate cannot be a fractional value.',
    ],
    [
      { ip: 'localhost' },
      [['connection_creation_rate', 1e12]],
      'Proposed value for connection_creation_rate is too large for an INT.',
    ],
    [
      { user: 'u' },
      [['producer_byte_rate', 1e30]],
      'Proposed value for producer_byte_rate is too large for a LONG.',
    ],
    [
      { user: 'u' },
      [
        ['producer_byte_rate', 5],
        ['producer_byte_rate', 6],
      ],
      'Ignoring duplicate entity ClientQuotaEntity(entries={user=u})',
    ],
  ])('refuses %j with %j', (entity, values, message) => {
    const world = new ControlWorld()
    expect(alter(world, [[entity, values]])).toEqual([message])
    expect(stored(world)).toEqual([])
  })

  it('carries out the first of two changes of one entity, and tells that there were two', () => {
    const world = new ControlWorld()
    const results = alter(world, [
      [{ user: 'u' }, [['producer_byte_rate', 5]]],
      [{ user: 'u' }, [['producer_byte_rate', 7]]],
    ])
    expect(results).toEqual(['Ignoring duplicate entity ClientQuotaEntity(entries={user=u})'])
    expect(stored(world)).toEqual([[{ user: 'u' }, { producer_byte_rate: 5 }]])
  })
})

describe('DescribeClientQuotas', () => {
  function filled(): ControlWorld {
    const world = new ControlWorld()
    alter(world, [
      [{ user: 'u' }, [['producer_byte_rate', 1]]],
      [{ user: 'u', 'client-id': 'c' }, [['producer_byte_rate', 2]]],
      [{ user: null }, [['producer_byte_rate', 3]]],
      [{ ip: '127.0.0.1' }, [['connection_creation_rate', 4]]],
    ])
    return world
  }

  it.each<[readonly [string, number, string | null][], boolean, number[]]>([
    [[], false, [1, 2, 3, 4]],
    [[], true, []],
    [[['user', 0, 'u']], false, [1, 2]],
    [[['user', 0, 'u']], true, [1]],
    [[['user', 1, null]], false, [3]],
    [[['user', 2, null]], false, [1, 2, 3]],
    [[['ip', 2, null]], false, [4]],
  ])('filters by %j, strictly: %j', (components, strict, values) => {
    const { errorCode, entries } = describeQuotas(filled(), components, strict)
    expect(errorCode).toBe(ErrorCode.NONE)
    expect(entries!.map((entry) => entry.values[0]!.value)).toEqual(values)
  })

  it.each<[readonly [string, number, string | null][], number, string]>([
    [[['user', 5, null]], ErrorCode.INVALID_REQUEST, 'Unknown match type 5'],
    [[['foo', 5, 'x']], ErrorCode.UNSUPPORTED_VERSION, 'Unsupported entity type foo'],
    [[['', 0, 'x']], ErrorCode.INVALID_REQUEST, 'Invalid empty entity type.'],
    [
      [
        ['user', 0, 'u'],
        ['user', 0, 'u'],
      ],
      ErrorCode.INVALID_REQUEST,
      'Entity type user cannot appear more than once in the filter.',
    ],
    [
      [
        ['ip', 2, null],
        ['user', 2, null],
      ],
      ErrorCode.INVALID_REQUEST,
      'Invalid entity filter component combination. IP filter component should not be used with user or clientId filter component.',
    ],
    [
      [['user', 0, null]],
      ErrorCode.INVALID_REQUEST,
      'Request specified MATCH_TYPE_EXACT, but set match string to null.',
    ],
    [
      [['user', 1, 'x']],
      ErrorCode.INVALID_REQUEST,
      'Request specified MATCH_TYPE_DEFAULT, but also specified a match string.',
    ],
  ])('refuses %j', (components, errorCode, errorMessage) => {
    const answer = describeQuotas(filled(), components)
    expect(answer).toMatchObject({ errorCode, errorMessage, entries: null })
  })
})
