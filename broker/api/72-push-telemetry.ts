// Versions: 0 (not advertised: as in Kafka, a broker without a telemetry exporter leaves it out of ApiVersions).
// Behaviour: takes a client's metrics when they belong to its subscription of now, and tells of them by an event (KIP-714).
// Added: nothing since v0.
// Not done: nothing reads the metrics; throttling of clients that push too often.
import {
  pushTelemetryApi,
  type PushTelemetryRequest,
  type PushTelemetryResponse,
} from '../../src/wire/messages/72-push-telemetry.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const pushTelemetryHandler: ApiHandler<PushTelemetryRequest, PushTelemetryResponse> = {
  api: pushTelemetryApi,
  minVersion: 0,
  maxVersion: 0,
  listeners: ['broker'],
  isHidden: true,
  handle({ services, client, clientId }, request, respond) {
    const { clientInstanceId, subscriptionId, terminating, compressionType, metrics } = request
    const push = {
      clientInstanceId,
      subscriptionId,
      isTerminating: terminating,
      compressionType,
      metrics,
    }
    const errorCode = services.telemetry.push(push, { clientId: clientId ?? '', ...client })
    respond({ errorCode })
  },
}
