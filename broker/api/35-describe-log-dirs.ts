// Versions: 1-5.
// Behaviour: the log directories of this broker with the partitions asked for, or all, their sizes and the volume (KIP-113);
//   KAFKA_STORAGE_ERROR for one that is offline.
// Added: v3 top-level error; v4 size of the volume (KIP-827); v5 whether the directory is cordoned (KIP-1066), which it never is.
// Not done: nothing known.
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  describeLogDirsApi,
  type DescribeLogDirsRequest,
  type DescribeLogDirsResponse,
} from '../../src/wire/messages/35-describe-log-dirs.ts'
import type { Input } from '../../src/wire/schema.ts'
import type { FutureLog } from '../replica/future-log.ts'
import type { Partition } from '../replica/partition.ts'
import type { ApiHandler } from '../server/request-context.ts'

const UNKNOWN_BYTES = -1

type DirectoryAnswer = NonNullable<Input<DescribeLogDirsResponse>['results']>[number]
type TopicAnswer = NonNullable<DirectoryAnswer['topics']>[number]
type PartitionAnswer = NonNullable<TopicAnswer['partitions']>[number]

interface Described {
  readonly topic: string
  readonly described: PartitionAnswer
}

export const describeLogDirsHandler: ApiHandler<DescribeLogDirsRequest, DescribeLogDirsResponse> = {
  api: describeLogDirsApi,
  minVersion: 1,
  maxVersion: 5,
  listeners: ['broker'],
  handle({ services, apiVersion }, request, respond) {
    const isAsked = filterOf(request)
    const { replicas } = services
    const results = replicas.directories.all.map((directory): DirectoryAnswer => {
      const { path, space, isOnline } = directory
      const volume = {
        totalBytes: space?.totalBytes ?? UNKNOWN_BYTES,
        usableBytes: space?.usableBytes ?? UNKNOWN_BYTES,
      }
      return {
        errorCode: isOnline ? ErrorCode.NONE : ErrorCode.KAFKA_STORAGE_ERROR,
        logDir: path,
        topics: byTopic([
          ...replicas.partitionsIn(directory).filter(isAsked).map(describedLog),
          ...replicas
            .futuresIn(directory)
            .filter(({ partition }) => isAsked(partition))
            .map(describedFuture),
        ]),
        ...(apiVersion >= 4 ? volume : {}),
      }
    })
    respond({ errorCode: ErrorCode.NONE, results })
  },
}

function filterOf({ topics }: DescribeLogDirsRequest): (partition: Partition) => boolean {
  if (topics === null) return () => true
  const asked = new Map<string, Set<number>>()
  for (const { topic, partitions } of topics) {
    asked.set(topic, new Set([...(asked.get(topic) ?? []), ...partitions]))
  }
  return ({ topic, partition }) => asked.get(topic)?.has(partition) === true
}

function describedLog({ topic, partition, log }: Partition): Described {
  const described = {
    partitionIndex: partition,
    partitionSize: log.sizeBytes,
    offsetLag: Math.max(0, log.highWatermark - log.logEndOffset),
    isFutureKey: false,
  }
  return { topic, described }
}

function describedFuture({ partition: { topic, partition }, log, lag }: FutureLog): Described {
  const described = {
    partitionIndex: partition,
    partitionSize: log.sizeBytes,
    offsetLag: lag,
    isFutureKey: true,
  }
  return { topic, described }
}

function byTopic(all: readonly Described[]): readonly TopicAnswer[] {
  const topics = new Map<string, PartitionAnswer[]>()
  for (const { topic, described } of all) {
    const ofTopic = topics.get(topic)
    if (ofTopic === undefined) topics.set(topic, [described])
    else ofTopic.push(described)
  }
  return [...topics].map(([name, partitions]) => ({ name, partitions }))
}
