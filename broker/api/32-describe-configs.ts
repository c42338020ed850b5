// Versions: 1-4.
// Behaviour: topic (2), broker (4), broker logger (8), client metrics (16) and group (32) resources; value, source and
//   read-only flag of every setting asked for, from the resource's own value, the dynamic settings of the broker or of all
//   brokers, the broker's properties (under the broker's name of the setting) or the default.
// Added: v1 sources and synonyms; v3 types and documentation.
// Not done: documentation is null, except for loggers, which have none in Kafka either; ACLs: everybody may do every operation.
import { ErrorCode, errorMessage } from '../../src/wire/error-codes.ts'
import {
  describeConfigsApi,
  type DescribeConfigsRequest,
  type DescribeConfigsResponse,
} from '../../src/wire/messages/32-describe-configs.ts'
import type { Input } from '../../src/wire/schema.ts'
import {
  describeBroker,
  describeClientMetrics,
  describeClusterDefault,
  describeGroup,
  describeLogger,
  describeTopic,
  type DescribedConfig,
} from '../config-description.ts'
import { problemWithTopicName } from '../metadata/topic-name.ts'
import { ResourceType } from '../metadata/configs-image.ts'
import type { ApiHandler, NodeServices } from '../server/request-context.ts'

/** Topics, brokers, broker loggers, client metrics and groups; another type makes the request unreadable. */
const RESOURCE_TYPES: ReadonlySet<number> = new Set(Object.values(ResourceType))

type Result = NonNullable<Input<DescribeConfigsResponse>['results']>[number]
type Resource = DescribeConfigsRequest['resources'][number]

interface Refusal {
  readonly errorCode: number
  readonly errorMessage: string | null
}

export const describeConfigsHandler: ApiHandler<DescribeConfigsRequest, DescribeConfigsResponse> = {
  api: describeConfigsApi,
  minVersion: 1,
  maxVersion: 4,
  listeners: ['broker', 'controller'],
  handle({ services }, request, respond) {
    const { resources, includeSynonyms } = request
    const isReadable = resources.every(({ resourceType }) => RESOURCE_TYPES.has(resourceType))
    respond({
      results: resources.map((resource) => {
        const { resourceType, resourceName } = resource
        const described = isReadable
          ? describe(services, resource)
          : invalid(errorMessage(ErrorCode.INVALID_REQUEST) ?? '')
        if ('errorCode' in described) return { resourceType, resourceName, ...described }
        const configs = chosen(described, resource, includeSynonyms)
        return { resourceType, resourceName, configs }
      }),
    })
  },
}

function describe(
  services: NodeServices,
  { resourceType, resourceName: name }: Resource,
): readonly DescribedConfig[] | Refusal {
  const { configs } = services.image()
  switch (resourceType) {
    case ResourceType.TOPIC:
      return describeTopicOf(services, name)
    case ResourceType.BROKER:
      return describeBrokerOf(services, name)
    case ResourceType.BROKER_LOGGER:
      return describeLoggersOf(services, name)
    case ResourceType.CLIENT_METRICS:
      return name === ''
        ? invalid('Client metrics subscription name must not be empty')
        : describeClientMetrics(configs.of(resourceType, name))
    default:
      return name === ''
        ? invalid('Group name must not be empty')
        : describeGroup(configs.of(resourceType, name), services.brokerConfigs)
  }
}

function describeTopicOf(
  { image, brokerConfigs }: NodeServices,
  name: string,
): readonly DescribedConfig[] | Refusal {
  const problem = problemWithTopicName(name)
  if (problem !== null) {
    return { errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION, errorMessage: problem }
  }
  if (!image().topicsByName.has(name)) {
    return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: '' }
  }
  return describeTopic(image().topicConfig(name), brokerConfigs)
}

function describeBrokerOf(
  { brokerConfigs, nodeId }: NodeServices,
  name: string,
): readonly DescribedConfig[] | Refusal {
  if (name === '') return describeClusterDefault(brokerConfigs)
  const expected = `${nodeId} or empty string,`
  return problemWithBrokerId(name, nodeId, expected) ?? describeBroker(brokerConfigs)
}

function describeLoggersOf(
  { brokerLoggers, nodeId }: NodeServices,
  name: string,
): readonly DescribedConfig[] | Refusal {
  if (name === '') return invalid('Broker id must not be empty')
  return (
    problemWithBrokerId(name, nodeId, String(nodeId)) ??
    [...brokerLoggers.levels].map(([logger, level]) => describeLogger(logger, level))
  )
}

function problemWithBrokerId(name: string, nodeId: number, expected: string): Refusal | null {
  if (!/^[+-]?\d+$/.test(name)) return invalid(`Broker id must be an integer, but it is: ${name}`)
  if (Number(name) === nodeId) return null
  return invalid(`Unexpected broker id, expected ${expected} but received ${name}`)
}

function invalid(message: string): Refusal {
  return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: message }
}

function chosen(
  configs: readonly DescribedConfig[],
  resource: Resource,
  withSynonyms: boolean,
): NonNullable<Result['configs']>[number][] {
  const keys = resource.configurationKeys
  const documentation = resource.resourceType === ResourceType.BROKER_LOGGER ? '' : null
  return configs
    .filter(({ name }) => keys === null || keys.length === 0 || keys.includes(name))
    .map((config) => ({
      ...config,
      synonyms: withSynonyms ? config.synonyms : [],
      documentation,
    }))
}
