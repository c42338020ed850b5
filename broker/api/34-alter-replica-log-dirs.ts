// Versions: 1-2.
// Behaviour: asks for replicas to be in a log directory of this broker; one that is elsewhere is copied there, one that is not here
//   yet will be created there (KIP-113).
// Added: v2 flexible.
// Not done: nothing known.
import {
  alterReplicaLogDirsApi,
  type AlterReplicaLogDirsRequest,
  type AlterReplicaLogDirsResponse,
} from '../../src/wire/messages/34-alter-replica-log-dirs.ts'
import type { ApiHandler } from '../server/request-context.ts'

export const alterReplicaLogDirsHandler: ApiHandler<
  AlterReplicaLogDirsRequest,
  AlterReplicaLogDirsResponse
> = {
  api: alterReplicaLogDirsApi,
  minVersion: 1,
  maxVersion: 2,
  listeners: ['broker'],
  handle({ services }, request, respond) {
    const errors = new Map<string, Map<number, number>>()
    for (const { path, topics } of request.dirs) {
      for (const { name, partitions } of topics) {
        const ofTopic = errors.get(name) ?? new Map<number, number>()
        errors.set(name, ofTopic)
        for (const index of partitions) {
          ofTopic.set(index, services.replicas.alterLogDirectory(name, index, path))
        }
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
