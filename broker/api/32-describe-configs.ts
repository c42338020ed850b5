// Versions: 1-4.
// Behaviour: topic (2) and broker (4) resources; value, source and read-only flag of every setting asked for, from the
//   topic's own value, the broker's properties (under the broker's name of the setting) or the default.
// Added: v1 sources and synonyms; v3 types and documentation.
// Not done: broker loggers (8), client metrics (16) and groups (32): INVALID_REQUEST; documentation is null; nothing of a broker can be
//   changed while it runs, so all its settings are read-only.
import { ErrorCode, errorMessage } from '../../src/wire/error-codes.ts'
import {
  describeConfigsApi,
  type DescribeConfigsRequest,
  type DescribeConfigsResponse,
} from '../../src/wire/messages/32-describe-configs.ts'
import type { Input } from '../../src/wire/schema.ts'
import { describeBroker, describeTopic, type DescribedConfig } from '../config-description.ts'
import { problemWithTopicName } from '../metadata/topic-name.ts'
import { ResourceType } from '../metadata/configs-image.ts'
import type { ApiHandler, RequestContext } from '../server/request-context.ts'

/** Topics, brokers, broker loggers, client metrics and groups; another type makes the request unreadable. */
const RESOURCE_TYPES: ReadonlySet<number> = new Set(Object.values(ResourceType))

type Result = NonNullable<Input<DescribeConfigsResponse>['results']>[number]
type Resource = DescribeConfigsRequest['resources'][number]

export const describeConfigsHandler: ApiHandler<DescribeConfigsRequest, DescribeConfigsResponse> = {
  api: describeConfigsApi,
  minVersion: 1,
  maxVersion: 4,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    const { resources, includeSynonyms } = request
    const isReadable = resources.every(({ resourceType }) => RESOURCE_TYPES.has(resourceType))
    respond({
      results: resources.map((resource) =>
        isReadable
          ? describe(context, resource, includeSynonyms)
          : refuse(resource, ErrorCode.INVALID_REQUEST, errorMessage(ErrorCode.INVALID_REQUEST)),
      ),
    })
  },
}

function describe(context: RequestContext, resource: Resource, withSynonyms: boolean): Result {
  if (resource.resourceType === ResourceType.TOPIC)
    return describeTopicOf(context, resource, withSynonyms)
  if (resource.resourceType === ResourceType.BROKER)
    return describeBrokerOf(context, resource, withSynonyms)
  const message = `Unsupported resource type: ${resource.resourceType}`
  return refuse(resource, ErrorCode.INVALID_REQUEST, message)
}

function describeTopicOf(
  { services }: RequestContext,
  resource: Resource,
  withSynonyms: boolean,
): Result {
  const { resourceType, resourceName } = resource
  const problem = problemWithTopicName(resourceName)
  if (problem !== null) return refuse(resource, ErrorCode.INVALID_TOPIC_EXCEPTION, problem)
  const image = services.image()
  if (!image.topicsByName.has(resourceName)) {
    return refuse(resource, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, '')
  }
  const described = describeTopic(image.topicConfig(resourceName), services.config)
  return { resourceType, resourceName, configs: chosen(described, resource, withSynonyms) }
}

function describeBrokerOf(
  { services }: RequestContext,
  resource: Resource,
  withSynonyms: boolean,
): Result {
  const { resourceType, resourceName } = resource
  // No broker settings can be changed for the whole cluster yet, so the cluster's defaults are empty.
  if (resourceName === '') return { resourceType, resourceName, configs: [] }
  if (!/^[+-]?\d+$/.test(resourceName)) {
    const message = `Broker id must be an integer, but it is: ${resourceName}`
    return refuse(resource, ErrorCode.INVALID_REQUEST, message)
  }
  if (Number(resourceName) !== services.nodeId) {
    const message = `Unexpected broker id, expected ${services.nodeId} or empty string, but received ${resourceName}`
    return refuse(resource, ErrorCode.INVALID_REQUEST, message)
  }
  const described = describeBroker(services.config)
  return { resourceType, resourceName, configs: chosen(described, resource, withSynonyms) }
}

function refuse(
  { resourceType, resourceName }: Resource,
  errorCode: number,
  message: string | null,
): Result {
  return { resourceType, resourceName, errorCode, errorMessage: message, configs: [] }
}

function chosen(
  configs: readonly DescribedConfig[],
  resource: Resource,
  withSynonyms: boolean,
): NonNullable<Result['configs']>[number][] {
  const keys = resource.configurationKeys
  return configs
    .filter(({ name }) => keys === null || keys.length === 0 || keys.includes(name))
    .map((config) => ({
      ...config,
      synonyms: withSynonyms ? config.synonyms : [],
      documentation: null,
    }))
}
