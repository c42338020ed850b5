// Versions: 0-4.
// Behaviour: the leader of the group's partition of `__consumer_offsets`; the topic is created on first need and
//   COORDINATOR_NOT_AVAILABLE answered until it has a leader.
// Added: v1 key type; v4 several keys with an error each (KIP-699).
// Not done: key type 1 (transactions) until they exist: COORDINATOR_NOT_AVAILABLE; key type 2 (share, v6): INVALID_REQUEST.
import { ErrorCode, errorMessage } from '../../src/wire/error-codes.ts'
import {
  findCoordinatorApi,
  type FindCoordinatorRequest,
  type FindCoordinatorResponse,
} from '../../src/wire/messages/10-find-coordinator.ts'
import { OFFSETS_TOPIC } from '../metadata/topic-name.ts'
import type { ApiHandler, RequestContext } from '../server/request-context.ts'

const GROUP = 0
const TRANSACTION = 1

interface Found {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

export const findCoordinatorHandler: ApiHandler<FindCoordinatorRequest, FindCoordinatorResponse> = {
  api: findCoordinatorApi,
  minVersion: 0,
  maxVersion: 4,
  listeners: ['broker'],
  handle(context, request, respond) {
    if (context.apiVersion < 4) {
      respond(find(context, request.keyType, request.key))
      return
    }
    respond({
      coordinators: request.coordinatorKeys.map((key) => ({
        key,
        ...find(context, request.keyType, key),
      })),
    })
  },
}

function find(context: RequestContext, keyType: number, key: string): Found {
  if (keyType === TRANSACTION) return failed(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  if (keyType !== GROUP) return failed(ErrorCode.INVALID_REQUEST)
  const { services, listenerName } = context
  const image = services.image()
  const topic = image.topicsByName.get(OFFSETS_TOPIC)
  if (topic === undefined) {
    services.topicCreation.requestOffsetsTopic()
    return failed(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  }
  const leader = topic.partitions.get(services.groups.partitionFor(key))?.leader ?? -1
  const broker = image.brokers.get(leader)
  const listener = broker?.listeners.find(({ name }) => name === listenerName)
  if (broker === undefined || broker.isFenced || listener === undefined) {
    return failed(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  }
  const { host, port } = listener
  return { errorCode: ErrorCode.NONE, errorMessage: null, nodeId: leader, host, port }
}

function failed(errorCode: number): Found {
  return { errorCode, errorMessage: errorMessage(errorCode), nodeId: -1, host: '', port: -1 }
}
