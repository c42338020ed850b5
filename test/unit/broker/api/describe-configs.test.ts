import { describe, expect, it } from 'vitest'
import { describeConfigsHandler } from '../../../../broker/api/32-describe-configs.ts'
import { ErrorCode, errorMessage } from '../../../../src/wire/error-codes.ts'
import { metadataRecord } from '../../../../src/wire/metadata-record.ts'
import { ApiWorld } from '../../../support/api-world.ts'

const TOPIC = 2
const BROKER = 4

function world(): ApiWorld {
  const data = { resourceType: TOPIC, resourceName: 't', name: 'retention.ms', value: '5' }
  return new ApiWorld().broker(1).topic('t', 1, [1]).apply(metadataRecord('ConfigRecord', data))
}

describe('DescribeConfigs', () => {
  it.each([1, 2, 3, 4])('v%i describes every setting of a topic', (version) => {
    const resources = [{ resourceType: TOPIC, resourceName: 't', configurationKeys: null }]
    const [result] = world().ask(describeConfigsHandler, version, { resources }).results
    expect(result).toMatchObject({ errorCode: 0, resourceType: TOPIC, resourceName: 't' })
    expect(result!.configs.length).toBeGreaterThan(30)
    const own = result!.configs.find(({ name }) => name === 'retention.ms')
    expect(own).toMatchObject({ value: '5', configSource: 1, readOnly: false, synonyms: [] })
    const { configType, documentation } = own!
    expect([configType, documentation]).toEqual(version >= 3 ? [5, null] : [0, ''])
  })

  it.each([[null], [[]]])('takes %j for all settings', (configurationKeys) => {
    const resources = [{ resourceType: TOPIC, resourceName: 't', configurationKeys }]
    const [result] = world().ask(describeConfigsHandler, 4, { resources }).results
    expect(result!.configs.length).toBeGreaterThan(30)
  })

  it('describes only what was asked for, with synonyms on request, and passes over unknown names', () => {
    const configurationKeys = ['retention.ms', 'segment.bytes', 'bogus']
    const resources = [{ resourceType: TOPIC, resourceName: 't', configurationKeys }]
    const body = { resources, includeSynonyms: true }
    const [result] = world().ask(describeConfigsHandler, 4, body).results
    expect(result!.configs.map(({ name, synonyms }) => [name, synonyms])).toEqual(
      expect.arrayContaining([
        ['retention.ms', [{ name: 'retention.ms', value: '5', source: 1 }]],
        ['segment.bytes', [{ name: 'log.segment.bytes', value: '1073741824', source: 5 }]],
      ]),
    )
    expect(result!.configs).toHaveLength(2)
  })

  it('describes this broker, and no dynamic defaults of the cluster', () => {
    const resources = ['1', ''].map((resourceName) => ({ resourceType: BROKER, resourceName }))
    const { results } = world().ask(describeConfigsHandler, 4, { resources })
    expect(results[0]!.configs.find(({ name }) => name === 'node.id')).toMatchObject({
      value: '1',
      configSource: 4,
      readOnly: true,
    })
    expect(results[1]).toMatchObject({ errorCode: 0, configs: [] })
  })

  it.each([
    [TOPIC, 'nope', ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ''],
    [
      TOPIC,
      'a/b',
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      "Topic name is invalid: 'a/b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
    ],
    [
      TOPIC,
      '',
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      'Topic name is invalid: the empty string is not allowed',
    ],
    [
      BROKER,
      '9',
      ErrorCode.INVALID_REQUEST,
      'Unexpected broker id, expected 1 or empty string, but received 9',
    ],
    [BROKER, 'x', ErrorCode.INVALID_REQUEST, 'Broker id must be an integer, but it is: x'],
    [16, '', ErrorCode.INVALID_REQUEST, 'Client metrics subscription name must not be empty'],
    [32, '', ErrorCode.INVALID_REQUEST, 'Group name must not be empty'],
    [8, '', ErrorCode.INVALID_REQUEST, 'Broker id must not be empty'],
    [8, '9', ErrorCode.INVALID_REQUEST, 'Unexpected broker id, expected 1 but received 9'],
  ])('refuses resource %i "%s" alone', (resourceType, resourceName, code, message) => {
    const resources = [
      { resourceType, resourceName },
      { resourceType: TOPIC, resourceName: 't' },
    ]
    const { results } = world().ask(describeConfigsHandler, 4, { resources })
    expect(results[0]).toMatchObject({ errorCode: code, errorMessage: message, configs: [] })
    expect(results[1]!.errorCode).toBe(ErrorCode.NONE)
  })

  it('refuses the whole request when one resource is of no known type, as Kafka does', () => {
    const resources = [
      { resourceType: 99, resourceName: 'x' },
      { resourceType: TOPIC, resourceName: 't' },
    ]
    const { results } = world().ask(describeConfigsHandler, 4, { resources })
    for (const result of results) {
      expect(result).toMatchObject({
        errorCode: ErrorCode.INVALID_REQUEST,
        errorMessage: errorMessage(ErrorCode.INVALID_REQUEST),
        configs: [],
      })
    }
  })
})
