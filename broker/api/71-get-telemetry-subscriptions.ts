// Versions: 0 (not advertised: as in Kafka, a broker without a telemetry exporter leaves it out of ApiVersions).
// Behaviour: the metrics that the client metrics resources want of this client, how often and in which codecs (KIP-714).
// Added: nothing since v0.
// Not done: matching by the name and version of the client's software: such a subscription is for nobody; throttling of
//   clients that ask too often.
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  getTelemetrySubscriptionsApi,
  type GetTelemetrySubscriptionsRequest,
  type GetTelemetrySubscriptionsResponse,
} from '../../src/wire/messages/71-get-telemetry-subscriptions.ts'
import type { ApiHandler } from '../server/request-context.ts'

/** zstd, lz4, gzip and snappy, in the order in which Kafka prefers them. */
const COMPRESSION_TYPES = [4, 3, 1, 2]

export const getTelemetrySubscriptionsHandler: ApiHandler<
  GetTelemetrySubscriptionsRequest,
  GetTelemetrySubscriptionsResponse
> = {
  api: getTelemetrySubscriptionsApi,
  minVersion: 0,
  maxVersion: 0,
  listeners: ['broker'],
  isHidden: true,
  handle({ services, client, clientId }, request, respond) {
    const subscription = services.telemetry.subscriptionFor(request.clientInstanceId, {
      clientId: clientId ?? '',
      ...client,
    })
    respond({
      errorCode: ErrorCode.NONE,
      clientInstanceId: subscription.clientInstanceId,
      subscriptionId: subscription.subscriptionId,
      acceptedCompressionTypes: COMPRESSION_TYPES,
      pushIntervalMs: subscription.pushIntervalMs,
      telemetryMaxBytes: services.config.int('telemetry.max.bytes'),
      deltaTemporality: true,
      requestedMetrics: subscription.metrics,
    })
  },
}
