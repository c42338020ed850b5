// Versions: 1-4.
// Behaviour: topic (2) and broker (4) resources; value, source and read-only flag of every setting asked for, from the
//   topic's own value, the broker's properties (under the broker's name of the setting) or the default.
// Added: v1 sources and synonyms; v3 types and documentation.
// Not done: broker loggers (8), client metrics (16) and groups (32): INVALID_REQUEST; documentation is null.
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  describeConfigsApi,
  type DescribeConfigsRequest,
  type DescribeConfigsResponse,
} from '../../src/wire/messages/32-describe-configs.ts'
import type { Input } from '../../src/wire/schema.ts'
import { describeBroker, describeTopic, type DescribedConfig } from '../config-description.ts'
import type { ApiHandler, RequestContext } from '../server/request-context.ts'

const TOPIC = 2
const BROKER = 4

type Result = NonNullable<Input<DescribeConfigsResponse>['results']>[number]
type Resource = DescribeConfigsRequest['resources'][number]

export const describeConfigsHandler: ApiHandler<DescribeConfigsRequest, DescribeConfigsResponse> = {
  api: describeConfigsApi,
  minVersion: 1,
  maxVersion: 4,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    respond({
      results: request.resources.map((resource) =>
        describe(context, resource, request.includeSynonyms),
      ),
    })
  },
}

function describe(context: RequestContext, resource: Resource, withSynonyms: boolean): Result {
  const { resourceType, resourceName } = resource
  const base = { resourceType, resourceName }
  const { services } = context
  if (resourceType === TOPIC) {
    if (!services.image().topicsByName.has(resourceName)) {
      return refuse(
        base,
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        'This server does not host this topic-partition.',
      )
    }
    const own = services.image().topicConfig(resourceName)
    return { ...base, configs: chosen(describeTopic(own, services.config), resource, withSynonyms) }
  }
  if (resourceType === BROKER) {
    if (resourceName !== '' && resourceName !== String(services.nodeId)) {
      return refuse(
        base,
        ErrorCode.INVALID_REQUEST,
        `Unexpected broker id, expected ${services.nodeId} or empty string, but received ${resourceName}`,
      )
    }
    const described = resourceName === '' ? [] : describeBroker(services.config)
    return { ...base, configs: chosen(described, resource, withSynonyms) }
  }
  return refuse(base, ErrorCode.INVALID_REQUEST, `Unsupported resource type: ${resourceType}`)
}

function refuse(base: Result, errorCode: number, errorMessage: string): Result {
  return { ...base, errorCode, errorMessage, configs: [] }
}

function chosen(
  configs: readonly DescribedConfig[],
  resource: Resource,
  withSynonyms: boolean,
): NonNullable<Result['configs']>[number][] {
  const keys = resource.configurationKeys
  return configs
    .filter(({ name }) => keys === null || keys.length === 0 || keys.includes(name))
    .map((config) => ({ ...config, synonyms: withSynonyms ? config.synonyms : [] }))
}
