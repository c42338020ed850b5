import { WireError } from '../base/errors.ts'
import type { TopicPartition } from '../base/topic-partition.ts'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../wire/messages/data.ts'
import { Reader } from '../wire/reader.ts'
import { decodeMessage, encodeToBuffer, type MessageSchema } from '../wire/schema.ts'

const VERSION_BYTES = 2

/** What a member of a consumer group tells the others when it joins. */
export interface Subscription {
  readonly topics: readonly string[]
  readonly ownedPartitions: readonly TopicPartition[]
  readonly generation: number
}

/** With the newest version in front, as the classic consumer protocol wants it. */
export function encodeSubscription(subscription: Subscription): Buffer {
  return withVersion(consumerProtocolSubscription, {
    topics: [...subscription.topics].sort(),
    ownedPartitions: grouped(subscription.ownedPartitions),
    generationId: subscription.generation,
  })
}

/** Reads what it knows of a newer version. Throws `WireError`. */
export function decodeSubscription(bytes: Buffer): Subscription {
  const body = withoutVersion(consumerProtocolSubscription, bytes)
  return {
    topics: body.topics,
    ownedPartitions: flat(body.ownedPartitions),
    generation: body.generationId,
  }
}

export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  return withVersion(consumerProtocolAssignment, { assignedPartitions: grouped(partitions) })
}

/** An empty buffer, as a member without any partitions may get, is no partitions. */
export function decodeAssignment(bytes: Buffer): readonly TopicPartition[] {
  if (bytes.length === 0) return []
  return flat(withoutVersion(consumerProtocolAssignment, bytes).assignedPartitions)
}

function withVersion<T>(
  schema: MessageSchema<T>,
  body: Parameters<typeof encodeToBuffer<T>>[2],
): Buffer {
  const [, version] = schema.validVersions
  const prefix = Buffer.alloc(VERSION_BYTES)
  prefix.writeInt16BE(version)
  return Buffer.concat([prefix, encodeToBuffer(schema, version, body)])
}

function withoutVersion<T>(schema: MessageSchema<T>, bytes: Buffer): T {
  const reader = new Reader(bytes)
  const version = reader.int16()
  if (version < 0) throw new WireError(`${schema.name} of version ${version}`)
  return decodeMessage(schema, Math.min(version, schema.validVersions[1]), reader)
}

function grouped(
  partitions: readonly TopicPartition[],
): readonly { readonly topic: string; readonly partitions: readonly number[] }[] {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    const list = topics.get(topic)
    if (list === undefined) topics.set(topic, [partition])
    else list.push(partition)
  }
  return [...topics].map(([topic, list]) => ({ topic, partitions: list }))
}

function flat(
  topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
): readonly TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition })),
  )
}
