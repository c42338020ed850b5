// Versions: 0-6.
// Behaviour: the leader of the partition of `__consumer_offsets` or `__transaction_state` that holds the key; the topic is
//   created on first need and COORDINATOR_NOT_AVAILABLE answered until it has a leader.
// Added: v1 key type; v4 several keys with an error each (KIP-699); v5 TRANSACTION_ABORTABLE, never sent; v6 share keys.
// Not done: key type 2 (share groups): INVALID_REQUEST, as a broker answers whose share.version is 0.
import { ErrorCode, errorMessage } from '../../src/wire/error-codes.ts'
import {
  findCoordinatorApi,
  type FindCoordinatorRequest,
  type FindCoordinatorResponse,
} from '../../src/wire/messages/10-find-coordinator.ts'
import { endpointNamed } from '../metadata/cluster-image.ts'
import { OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC } from '../metadata/topic-name.ts'
import type { ApiHandler, RequestContext } from '../server/request-context.ts'

const GROUP = 0
const TRANSACTION = 1
const SHARE = 2
const BATCHED_VERSION = 4

interface Found {
  readonly errorCode: number
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

export const findCoordinatorHandler: ApiHandler<FindCoordinatorRequest, FindCoordinatorResponse> = {
  api: findCoordinatorApi,
  minVersion: 0,
  maxVersion: 6,
  listeners: ['broker'],
  handle(context, request, respond) {
    const { key, keyType, coordinatorKeys } = request
    if (context.apiVersion < BATCHED_VERSION) {
      const found = find(context, keyType, key)
      const isFound = found.errorCode === ErrorCode.NONE
      respond({ ...found, errorMessage: isFound ? 'NONE' : errorMessage(found.errorCode) })
      return
    }
    // Kafka's answer to several keys carries codes only, save when the type makes all of it unreadable.
    const isKnownType = keyType === GROUP || keyType === TRANSACTION || keyType === SHARE
    const message = isKnownType ? '' : errorMessage(ErrorCode.INVALID_REQUEST)
    respond({
      coordinators: coordinatorKeys.map((each) => ({
        key: each,
        ...find(context, keyType, each),
        errorMessage: message,
      })),
    })
  },
}

function find(context: RequestContext, keyType: number, key: string): Found {
  if (keyType !== GROUP && keyType !== TRANSACTION) return failed(ErrorCode.INVALID_REQUEST)
  const { services, listenerName } = context
  const image = services.image()
  const name = keyType === GROUP ? OFFSETS_TOPIC : TRANSACTION_STATE_TOPIC
  const topic = image.topicsByName.get(name)
  if (topic === undefined) {
    services.topicCreation.requestTopic(name)
    return failed(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  }
  const { groups, transactions } = services
  const partition = keyType === GROUP ? groups.partitionFor(key) : transactions.partitionFor(key)
  const leader = topic.partitions.get(partition)?.leader ?? -1
  const broker = image.brokers.get(leader)
  const listener = endpointNamed(broker?.listeners, listenerName)
  if (broker === undefined || broker.isFenced || listener === undefined) {
    return failed(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  }
  const { host, port } = listener
  return { errorCode: ErrorCode.NONE, nodeId: leader, host, port }
}

function failed(errorCode: number): Found {
  return { errorCode, nodeId: -1, host: '', port: -1 }
}
