import { ZERO_UUID } from '../../src/base/uuid.ts'
import { endpointNamed } from '../metadata/cluster-image.ts'
import type { RequestContext, TopicRef } from '../server/request-context.ts'

export interface ResolvedTopic extends TopicRef {
  readonly isKnown: boolean
}

/**
 * Completes a topic that a request gives by name or (newer versions) by id from the committed metadata.
 * Unknown topics keep what was given.
 */
export function resolveTopic({ services }: RequestContext, given: TopicRef): ResolvedTopic {
  const image = services.image()
  const topic =
    given.id === ZERO_UUID ? image.topicsByName.get(given.name) : image.topicsById.get(given.id)
  if (topic === undefined) return { ...given, isKnown: false }
  return { name: topic.name, id: topic.id, isKnown: true }
}

export interface NodeEndpoint {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** Where the given leaders listen, for clients that are sent on to them (KIP-951). */
export function leaderEndpoints(
  { services, listenerName }: RequestContext,
  leaders: ReadonlySet<number>,
): readonly NodeEndpoint[] {
  const endpoints: NodeEndpoint[] = []
  for (const nodeId of leaders) {
    const broker = services.image().brokers.get(nodeId)
    const listener = endpointNamed(broker?.listeners, listenerName)
    if (broker === undefined || listener === undefined) continue
    endpoints.push({ nodeId, host: listener.host, port: listener.port, rack: broker.rack })
  }
  return endpoints
}
