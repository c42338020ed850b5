// Versions: 1-2.
// Behaviour: asks for replicas to be in a log directory of this broker (KIP-113). There is one, so a replica is there already or
//   the directory is not found.
// Added: v2 flexible.
// Not done: more than one log directory, and with it the move itself.
import { topicPartitionKey } from '../../src/base/topic-partition.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  alterReplicaLogDirsApi,
  type AlterReplicaLogDirsRequest,
  type AlterReplicaLogDirsResponse,
} from '../../src/wire/messages/34-alter-replica-log-dirs.ts'
import type { ApiHandler, RequestContext } from '../server/request-context.ts'

export const alterReplicaLogDirsHandler: ApiHandler<
  AlterReplicaLogDirsRequest,
  AlterReplicaLogDirsResponse
> = {
  api: alterReplicaLogDirsApi,
  minVersion: 1,
  maxVersion: 2,
  listeners: ['broker'],
  handle(context, request, respond) {
    const errors = new Map<string, Map<number, number>>()
    for (const { path, topics } of request.dirs) {
      for (const { name, partitions } of topics) {
        const ofTopic = errors.get(name) ?? new Map<number, number>()
        errors.set(name, ofTopic)
        for (const index of partitions) ofTopic.set(index, problemWith(context, path, name, index))
      }
    }
    respond({
      // Kafka's answer is made of partitions: a topic without any is not in it.
      results: [...errors]
        .filter(([, ofTopic]) => ofTopic.size > 0)
        .map(([topicName, ofTopic]) => ({
          topicName,
          partitions: [...ofTopic].map(([partitionIndex, errorCode]) => ({
            partitionIndex,
            errorCode,
          })),
        })),
    })
  },
}

function problemWith(
  { services }: RequestContext,
  path: string,
  topic: string,
  index: number,
): number {
  const { replicas } = services
  const directory = replicas.directories.byPath(path)
  if (directory === null) return ErrorCode.LOG_DIR_NOT_FOUND
  const key = topicPartitionKey(topic, index)
  if (replicas.partitionsIn(directory).some((each) => each.key === key)) return ErrorCode.NONE
  return services.image().partition(topic, index) === null
    ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    : ErrorCode.REPLICA_NOT_AVAILABLE
}
