// Versions: 0-1.
// Behaviour: v0 the client metrics subscriptions; v1 the resources of the types asked for, or of all types: groups and client
//   metrics that have settings, brokers that are alive and their loggers, all topics.
// Added: v1 resource types (KIP-1142); one that does not exist is UNSUPPORTED_VERSION.
// Not done: ACLs: everybody may do every operation.
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  listConfigResourcesApi,
  type ListConfigResourcesRequest,
  type ListConfigResourcesResponse,
} from '../../src/wire/messages/74-list-config-resources.ts'
import { endpointNamed } from '../metadata/cluster-image.ts'
import { ResourceType, type ConfigResource } from '../metadata/configs-image.ts'
import type { ApiHandler, RequestContext } from '../server/request-context.ts'

/** Kafka's order. */
const TYPES: readonly number[] = [
  ResourceType.GROUP,
  ResourceType.CLIENT_METRICS,
  ResourceType.BROKER_LOGGER,
  ResourceType.BROKER,
  ResourceType.TOPIC,
]

export const listConfigResourcesHandler: ApiHandler<
  ListConfigResourcesRequest,
  ListConfigResourcesResponse
> = {
  api: listConfigResourcesApi,
  minVersion: 0,
  maxVersion: 1,
  listeners: ['broker'],
  handle(context, request, respond) {
    const asked = context.apiVersion === 0 ? [ResourceType.CLIENT_METRICS] : request.resourceTypes
    if (asked.some((type) => !TYPES.includes(type))) {
      respond({ errorCode: ErrorCode.UNSUPPORTED_VERSION })
      return
    }
    const types = asked.length === 0 ? TYPES : TYPES.filter((type) => asked.includes(type))
    respond({
      errorCode: ErrorCode.NONE,
      configResources: types.flatMap((resourceType) =>
        namesOf(context, resourceType).map((resourceName) =>
          context.apiVersion === 0 ? { resourceName } : { resourceName, resourceType },
        ),
      ),
    })
  },
}

function namesOf(context: RequestContext, resourceType: number): readonly string[] {
  const image = context.services.image()
  if (resourceType === ResourceType.TOPIC) return [...image.topicsByName.keys()]
  if (resourceType === ResourceType.BROKER || resourceType === ResourceType.BROKER_LOGGER) {
    return [...image.brokers.values()]
      .filter(
        ({ isFenced, listeners }) =>
          !isFenced && endpointNamed(listeners, context.listenerName) !== undefined,
      )
      .map(({ id }) => id)
      .sort((a, b) => a - b)
      .map(String)
  }
  const configured = (resource: ConfigResource): boolean => resource.resourceType === resourceType
  return [...image.configs.resources()].filter(configured).map(({ resourceName }) => resourceName)
}
