// Versions: 0-1 (broker and controller listeners).
// Behaviour: the alive brokers (broker listener) or the voters (controller listener) with their addresses.
// Added: v1 endpoint type (KIP-919) with MISMATCHED_ENDPOINT_TYPE and UNSUPPORTED_ENDPOINT_TYPE.
// Not done: v2 (fenced brokers on request); authorised operations are always "not requested".
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  describeClusterApi,
  type DescribeClusterRequest,
  type DescribeClusterResponse,
} from '../../src/wire/messages/60-describe-cluster.ts'
import type { Input } from '../../src/wire/schema.ts'
import type { ApiHandler, RequestContext } from '../server/request-context.ts'

const BROKERS = 1
const CONTROLLERS = 2

export const describeClusterHandler: ApiHandler<DescribeClusterRequest, DescribeClusterResponse> = {
  api: describeClusterApi,
  minVersion: 0,
  maxVersion: 1,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    const served = context.listener === 'broker' ? BROKERS : CONTROLLERS
    const asked = context.apiVersion === 0 ? BROKERS : request.endpointType
    if (asked !== served) {
      const isKnown = asked === BROKERS || asked === CONTROLLERS
      respond({
        errorCode: isKnown
          ? ErrorCode.MISMATCHED_ENDPOINT_TYPE
          : ErrorCode.UNSUPPORTED_ENDPOINT_TYPE,
        errorMessage: `this listener describes endpoint type ${served}, asked was ${asked}`,
        endpointType: asked,
      })
      return
    }
    const endpoints = served === BROKERS ? brokers(context) : controllers(context)
    respond({
      clusterId: context.services.clusterId,
      controllerId:
        served === BROKERS ? (endpoints[0]?.brokerId ?? -1) : context.services.raft.leaderId,
      endpointType: served,
      brokers: endpoints,
    })
  },
}

type Endpoint = NonNullable<Input<DescribeClusterResponse>['brokers']>[number]

function brokers({ services, listenerName }: RequestContext): Endpoint[] {
  const endpoints: Endpoint[] = []
  for (const broker of services.image().brokers.values()) {
    const listener = broker.listeners.find(({ name }) => name === listenerName)
    if (broker.isFenced || listener === undefined) continue
    const { host, port } = listener
    endpoints.push({ brokerId: broker.id, host, port, rack: broker.rack })
  }
  return endpoints.sort((a, b) => (a.brokerId ?? 0) - (b.brokerId ?? 0))
}

function controllers({ services }: RequestContext): Endpoint[] {
  return services.voters.map(({ nodeId, host, port }) => ({ brokerId: nodeId, host, port }))
}
