// Versions: 0-5 (broker and controller listeners).
// Behaviour: lists what this listener really serves; a version above the maximum is answered in
//   version 0 by the router (KIP-511).
// Added: v3 client software name and version, features; v4 features whose minimum is 0; v5 the cluster and node that
//   the client means to talk to (KIP-1242): REBOOTSTRAP_REQUIRED when it is another.
//   With kafkette.protocol.version the ranges are those that an older release has in common with this one, without
//   features before 3.3.
// Not done: nothing known.
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  apiVersionsApi,
  type ApiVersionsRequest,
  type ApiVersionsResponse,
} from '../../src/wire/messages/18-api-versions.ts'
import { produceApi } from '../../src/wire/messages/00-produce.ts'
import { SUPPORTED_FEATURES } from '../metadata/features.ts'
import type { ApiHandler, RequestContext, Respond } from '../server/request-context.ts'

const SOFTWARE_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/
/** KAFKA-18659: some clients mis-handle a higher minimum, so 4.x brokers advertise 0 and refuse 0 to 2. */
const PRODUCE_ADVERTISED_MIN = 0
const ANY_NODE = -1

export const apiVersionsHandler: ApiHandler<ApiVersionsRequest, ApiVersionsResponse> = {
  api: apiVersionsApi,
  minVersion: 0,
  maxVersion: 5,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    if (context.apiVersion >= 3 && !hasSoftwareNames(request)) {
      respond({ errorCode: ErrorCode.INVALID_REQUEST })
      return
    }
    if (!isMeant(context, request)) {
      respond({ errorCode: ErrorCode.REBOOTSTRAP_REQUIRED })
      return
    }
    answer(context, respond)
  },
}

function isMeant({ services }: RequestContext, { clusterId, nodeId }: ApiVersionsRequest): boolean {
  const isSameCluster = clusterId === null || clusterId === services.clusterId
  return isSameCluster && (nodeId === ANY_NODE || nodeId === services.nodeId)
}

function hasSoftwareNames(request: ApiVersionsRequest): boolean {
  return (
    SOFTWARE_NAME.test(request.clientSoftwareName) &&
    SOFTWARE_NAME.test(request.clientSoftwareVersion)
  )
}

function answer(context: RequestContext, respond: Respond<ApiVersionsResponse>): void {
  const { services, listener, apiVersion } = context
  const image = services.image()
  const finalized = [...image.features].map(([name, level]) => ({
    name,
    minVersionLevel: level,
    maxVersionLevel: level,
  }))
  const supported = (image.brokers.get(services.nodeId)?.features ?? SUPPORTED_FEATURES)
    .map(({ name, minSupportedVersion, maxSupportedVersion }) => ({
      name,
      minVersion: minSupportedVersion,
      maxVersion: maxSupportedVersion,
    }))
    .filter((feature) => apiVersion >= 4 || feature.minVersion > 0)
  respond({
    errorCode: ErrorCode.NONE,
    apiKeys: services.apiVersions(listener).map((served) => ({
      ...served,
      minVersion: served.apiKey === produceApi.key ? PRODUCE_ADVERTISED_MIN : served.minVersion,
    })),
    ...(services.tellsFeatures(listener)
      ? {
          supportedFeatures: supported,
          finalizedFeaturesEpoch: image.lastOffset,
          finalizedFeatures: finalized,
        }
      : {}),
  })
}
