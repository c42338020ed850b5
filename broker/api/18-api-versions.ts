// Versions: 0-4 (broker and controller listeners).
// Behaviour: lists what this listener really serves; a version above the maximum is answered in
//   version 0 by the router (KIP-511).
// Added: v3 client software name and version, features; v4 features whose minimum is 0.
// Not done: v5 (cluster id and node id check, KIP-1242).
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  apiVersionsApi,
  type ApiVersionsRequest,
  type ApiVersionsResponse,
} from '../../src/wire/messages/18-api-versions.ts'
import { produceApi } from '../../src/wire/messages/00-produce.ts'
import type { ApiHandler, RequestContext, Respond } from '../server/request-context.ts'

const SOFTWARE_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/
/** KAFKA-18659: some clients mis-handle a higher minimum, so 4.x brokers advertise 0 and refuse 0 to 2. */
const PRODUCE_ADVERTISED_MIN = 0

export const apiVersionsHandler: ApiHandler<ApiVersionsRequest, ApiVersionsResponse> = {
  api: apiVersionsApi,
  minVersion: 0,
  maxVersion: 4,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    if (context.apiVersion >= 3 && !hasSoftwareNames(request)) {
      respond({ errorCode: ErrorCode.INVALID_REQUEST })
      return
    }
    answer(context, respond)
  },
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
  const supported = [...image.features]
    .map(([name, level]) => ({
      name,
      minVersion: name === 'metadata.version' ? 1 : 0,
      maxVersion: level,
    }))
    .filter((feature) => apiVersion >= 4 || feature.minVersion > 0)
  respond({
    errorCode: ErrorCode.NONE,
    apiKeys: services.apiVersions(listener).map((served) => ({
      ...served,
      minVersion: served.apiKey === produceApi.key ? PRODUCE_ADVERTISED_MIN : served.minVersion,
    })),
    supportedFeatures: supported,
    finalizedFeaturesEpoch: image.lastOffset,
    finalizedFeatures: finalized,
  })
}
