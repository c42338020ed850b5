import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import {
  incrementalAlterConfigsApi,
  type IncrementalAlterConfigsResponse,
} from '../../../../src/wire/messages/44-incremental-alter-configs.ts'
import {
  alterConfigsApi,
  type AlterConfigsResponse,
} from '../../../../src/wire/messages/33-alter-configs.ts'
import { answerOf, ControlWorld, fullRequest } from '../../../support/control-world.ts'

type Operation = readonly [name: string, operation: number, value: string | null]

const TOPIC = 2
const BROKER = 4
const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3]

function resource(resourceType: number, resourceName: string, ...operations: Operation[]) {
  const configs = operations.map(([name, configOperation, value]) => ({
    name,
    configOperation,
    value,
  }))
  return { resourceType, resourceName, configs }
}

function alter(world: ControlWorld, ...resources: ReturnType<typeof resource>[]) {
  return alterOr(world, false, resources)
}

function alterOr(
  world: ControlWorld,
  validateOnly: boolean,
  resources: ReturnType<typeof resource>[],
) {
  const request = fullRequest(incrementalAlterConfigsApi, 1, { resources, validateOnly })
  const { responses } = answerOf<IncrementalAlterConfigsResponse>((respond) => {
    world.controller.incrementalAlterConfigs(1, request, respond)
  })
  return responses!
}

function running(): ControlWorld {
  const world = new ControlWorld()
  world.start(1)
  world.createTopic('t', [1])
  return world
}

describe('IncrementalAlterConfigs', () => {
  it('sets and deletes configs of a topic', () => {
    const world = running()
    expect(
      alter(world, resource(TOPIC, 't', ['retention.ms', SET, '5'], ['segment.ms', SET, '7'])),
    ).toEqual([{ resourceType: TOPIC, resourceName: 't', errorCode: 0, errorMessage: null }])
    expect(world.image.topicConfig('t')).toEqual(
      new Map(Object.entries({ 'retention.ms': '5', 'segment.ms': '7' })),
    )
    alter(world, resource(TOPIC, 't', ['retention.ms', DELETE, null]))
    expect(world.image.topicConfig('t')).toEqual(new Map([['segment.ms', '7']]))
  })

  it('appends to lists and takes from them, beginning with the default', () => {
    const world = running()
    const policy = (operation: number, value: string) => {
      const [response] = alter(world, resource(TOPIC, 't', ['cleanup.policy', operation, value]))
      expect(response?.errorCode).toBe(ErrorCode.NONE)
      return world.image.topicConfig('t').get('cleanup.policy')
    }
    expect(policy(APPEND, 'compact')).toBe('delete,compact')
    expect(policy(APPEND, 'delete')).toBe('delete,compact')
    expect(policy(SUBTRACT, 'delete')).toBe('compact')
  })

  it('sets configs of one broker and of all, and tells brokers even the same value', () => {
    const world = running()
    const { length } = world.log
    const resources = [
      resource(BROKER, '', ['log.retention.ms', SET, '1']),
      resource(BROKER, '1', ['log.retention.ms', SET, '2']),
    ]
    alter(world, ...resources)
    alter(world, ...resources)
    expect(world.image.configs.of(BROKER, '').get('log.retention.ms')).toBe('1')
    expect(world.image.configs.of(BROKER, '1').get('log.retention.ms')).toBe('2')
    expect(world.log).toHaveLength(length + 4)
  })

  it('writes nothing when a topic config stays or is only validated', () => {
    const world = running()
    alter(world, resource(TOPIC, 't', ['retention.ms', SET, '5']))
    const { length } = world.log
    alter(world, resource(TOPIC, 't', ['retention.ms', SET, '5'], ['segment.ms', DELETE, null]))
    alterOr(world, true, [resource(TOPIC, 't', ['retention.ms', SET, '6'])])
    expect(world.log).toHaveLength(length)
  })

  it('refuses each bad resource by itself', () => {
    const world = running()
    const cases: [ReturnType<typeof resource>, number][] = [
      [
        resource(TOPIC, 'missing', ['retention.ms', SET, '1']),
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ],
      [resource(TOPIC, '', ['retention.ms', SET, '1']), ErrorCode.INVALID_REQUEST],
      [resource(TOPIC, 'no good', ['retention.ms', SET, '1']), ErrorCode.INVALID_TOPIC_EXCEPTION],
      [resource(TOPIC, 't', ['no.such', SET, '1']), ErrorCode.INVALID_CONFIG],
      [resource(TOPIC, 't', ['retention.ms', SET, 'x']), ErrorCode.INVALID_CONFIG],
      [resource(TOPIC, 't', ['retention.ms', APPEND, '1']), ErrorCode.INVALID_CONFIG],
      [resource(TOPIC, 't', ['cleanup.policy', APPEND, 'burn']), ErrorCode.INVALID_CONFIG],
      [resource(TOPIC, 't', ['retention.ms', SET, null]), ErrorCode.INVALID_REQUEST],
      [resource(TOPIC, 't', ['retention.ms', 9, '1']), ErrorCode.INVALID_REQUEST],
      [
        resource(TOPIC, 't', ['retention.ms', SET, '1'], ['retention.ms', DELETE, null]),
        ErrorCode.INVALID_REQUEST,
      ],
      [resource(BROKER, '9', ['log.retention.ms', SET, '1']), ErrorCode.BROKER_ID_NOT_REGISTERED],
      [resource(BROKER, 'one', ['log.retention.ms', SET, '1']), ErrorCode.INVALID_REQUEST],
      [resource(BROKER, '-1', ['log.retention.ms', SET, '1']), ErrorCode.INVALID_REQUEST],
      [resource(16, '', ['interval.ms', SET, '1']), ErrorCode.INVALID_REQUEST],
      [resource(99, 'x', ['a', SET, '1']), ErrorCode.INVALID_REQUEST],
    ]
    for (const [bad, error] of cases) {
      expect(alter(world, bad)[0]?.errorCode).toBe(error)
    }
    const good = resource(TOPIC, 't', ['retention.ms', SET, '1'])
    const twice = resource(BROKER, '1', ['a', SET, '1'])
    expect(alter(world, twice, good, twice).map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.INVALID_REQUEST,
      ErrorCode.NONE,
    ])
    expect(world.image.topicConfig('t')).toEqual(new Map([['retention.ms', '1']]))
  })
})

describe('AlterConfigs', () => {
  function replace(
    world: ControlWorld,
    resourceType: number,
    resourceName: string,
    configs: Readonly<Record<string, string | null>>,
  ) {
    const listed = Object.entries(configs).map(([name, value]) => ({ name, value }))
    const resources = [{ resourceType, resourceName, configs: listed }]
    const request = fullRequest(alterConfigsApi, 2, { resources })
    const { responses } = answerOf<AlterConfigsResponse>((respond) => {
      world.controller.alterConfigs(2, request, respond)
    })
    const { errorCode, errorMessage } = responses![0]!
    return { errorCode, errorMessage }
  }

  it('puts what is given in the place of all that was there', () => {
    const world = running()
    alter(world, resource(TOPIC, 't', ['retention.ms', SET, '5'], ['segment.ms', SET, '6']))
    const answer = replace(world, TOPIC, 't', { 'segment.ms': '7', 'retention.bytes': '8' })
    expect(answer).toEqual({ errorCode: ErrorCode.NONE, errorMessage: null })
    expect([...world.replayed().topicConfig('t')]).toEqual([
      ['segment.ms', '7'],
      ['retention.bytes', '8'],
    ])
    replace(world, TOPIC, 't', {})
    expect(world.replayed().topicConfig('t').size).toBe(0)
  })

  it.each([
    [TOPIC, 't', { 'segment.ms': 'x' }, ErrorCode.INVALID_CONFIG],
    [TOPIC, 't', { 'segment.ms': null }, ErrorCode.INVALID_REQUEST],
    [TOPIC, 'none', {}, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    [3, 't', {}, ErrorCode.INVALID_REQUEST],
  ])('refuses %i %s %j and changes nothing', (type, name, configs, errorCode) => {
    const world = running()
    alter(world, resource(TOPIC, 't', ['retention.ms', SET, '5']))
    expect(replace(world, type, name, configs).errorCode).toBe(errorCode)
    expect([...world.replayed().topicConfig('t')]).toEqual([['retention.ms', '5']])
  })
})
