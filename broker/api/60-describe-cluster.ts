// Versions: 0-2 (broker and controller listeners).
// Behaviour: the alive brokers (broker listener) or the voters (controller listener) with their addresses.
// Added: v1 endpoint type (KIP-919) with MISMATCHED_ENDPOINT_TYPE and UNSUPPORTED_ENDPOINT_TYPE; v2 fenced brokers on
//   request (KIP-1073).
// Not done: ACLs: everybody may do every operation.
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  describeClusterApi,
  type DescribeClusterRequest,
  type DescribeClusterResponse,
} from '../../src/wire/messages/60-describe-cluster.ts'
import type { Input } from '../../src/wire/schema.ts'
import { endpointNamed } from '../metadata/cluster-image.ts'
import type { ApiHandler, RequestContext } from '../server/request-context.ts'
import { CLUSTER_OPERATIONS } from './authorized-operations.ts'

const BROKERS = 1
const CONTROLLERS = 2

export const describeClusterHandler: ApiHandler<DescribeClusterRequest, DescribeClusterResponse> = {
  api: describeClusterApi,
  minVersion: 0,
  maxVersion: 2,
  listeners: ['broker', 'controller'],
  handle(context, request, respond) {
    const served = context.listener === 'broker' ? BROKERS : CONTROLLERS
    const asked = context.apiVersion === 0 ? BROKERS : request.endpointType
    if (asked !== served) {
      respond(refusal(context.apiVersion, asked, served))
      return
    }
    const endpoints =
      served === BROKERS ? brokers(context, request.includeFencedBrokers) : controllers(context)
    respond({
      clusterId: context.services.clusterId,
      controllerId:
        served === BROKERS
          ? (endpoints.find(({ isFenced }) => isFenced !== true)?.brokerId ?? -1)
          : context.services.raft.leaderId,
      endpointType: served,
      brokers: endpoints,
      ...(request.includeClusterAuthorizedOperations
        ? { clusterAuthorizedOperations: CLUSTER_OPERATIONS }
        : {}),
    })
  },
}

type Endpoint = NonNullable<Input<DescribeClusterResponse>['brokers']>[number]

function refusal(version: number, asked: number, served: number): Input<DescribeClusterResponse> {
  if (asked !== BROKERS && asked !== CONTROLLERS) {
    return {
      errorCode: ErrorCode.UNSUPPORTED_ENDPOINT_TYPE,
      errorMessage: `Unsupported endpoint type ${asked}`,
    }
  }
  const nameOf = (type: number): string => (type === BROKERS ? 'BROKER' : 'CONTROLLER')
  return {
    // Clients of v0 do not know the code of its own.
    errorCode: version === 0 ? ErrorCode.INVALID_REQUEST : ErrorCode.MISMATCHED_ENDPOINT_TYPE,
    errorMessage: `The request was sent to an endpoint of type ${nameOf(served)}, but we wanted an endpoint of type ${nameOf(asked)}`,
  }
}

function brokers({ services, listenerName }: RequestContext, withFenced: boolean): Endpoint[] {
  const endpoints: Endpoint[] = []
  for (const broker of services.image().brokers.values()) {
    const listener = endpointNamed(broker.listeners, listenerName)
    if (listener === undefined || (broker.isFenced && !withFenced)) continue
    const { host, port } = listener
    const { id, rack, isFenced } = broker
    endpoints.push({ brokerId: id, host, port, rack, isFenced })
  }
  return endpoints.sort((a, b) => (a.brokerId ?? 0) - (b.brokerId ?? 0))
}

function controllers({ services }: RequestContext): Endpoint[] {
  return services.voters.map(({ nodeId, host, port }) => ({ brokerId: nodeId, host, port }))
}
