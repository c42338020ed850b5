import { CLIENT_PORT, CONTROLLER_PORT, type PlannedNode } from '../plan/cluster-nodes.ts'
import type { ClusterPlan } from '../plan/plan.ts'

const MAX_OFFSETS_REPLICAS = 3

/**
 * What the harness sets below a plan's own properties. Time-outs are a tenth of Kafka's or less, so that a fail-over
 * takes about 2 s of a run of 60 s; polls of an idle cluster are as long as that allows, since each costs events.
 */
const DEFAULTS: Readonly<Record<string, string>> = {
  // Fencing takes a session; two heartbeats fit into one, and no link loses single messages.
  'broker.session.timeout.ms': '1500',
  'broker.heartbeat.interval.ms': '700',
  // A lost controller is noticed after a fetch time-out; idle fetches of the metadata log wait a quarter of it.
  'controller.quorum.fetch.timeout.ms': '2000',
  // A voter that is down refuses every try; one in 20 ms tells nothing more than one in 200.
  'controller.quorum.retry.backoff.ms': '200',
  'controller.quorum.election.timeout.ms': '300',
  'controller.quorum.election.backoff.max.ms': '300',
  'controller.quorum.request.timeout.ms': '1000',
  // A dead follower leaves the ISR after this, unless its broker is fenced sooner.
  'replica.lag.time.max.ms': '3000',
  // New data ends the wait; it is only idle partitions that pay less for a longer one.
  'replica.fetch.wait.max.ms': '1000',
  'replica.fetch.backoff.ms': '100',
  // Longer than the fetch wait: how long a follower believes in a leader that is cut off from it.
  'replica.socket.timeout.ms': '2000',
  // Requests to the controller that are not answered are sent again after this.
  'request.timeout.ms': '2000',
  'unclean.leader.election.interval.ms': '2000',
  'log.retention.check.interval.ms': '10000',
  // Runs with tiny segments would pile up files for a minute, and every list of a directory has them all.
  'log.segment.delete.delay.ms': '2000',
  'group.initial.rebalance.delay.ms': '200',
  'group.min.session.timeout.ms': '500',
  'offsets.topic.num.partitions': '2',
  'auto.create.topics.enable': 'false',
}

/** The server.properties of one node of a plan's cluster. */
export function propertiesOf(
  node: PlannedNode,
  cluster: ClusterPlan,
  nodes: readonly PlannedNode[],
): Readonly<Record<string, string>> {
  const voters = nodes.filter(({ isController }) => isController)
  const roles = [...(node.isBroker ? ['broker'] : []), ...(node.isController ? ['controller'] : [])]
  const listeners = [
    ...(node.isBroker ? [`PLAINTEXT://${node.name}:${CLIENT_PORT}`] : []),
    ...(node.isController ? [`CONTROLLER://${node.name}:${CONTROLLER_PORT}`] : []),
  ]
  return {
    ...DEFAULTS,
    'offsets.topic.replication.factor': String(Math.min(MAX_OFFSETS_REPLICAS, cluster.brokers)),
    'transaction.state.log.replication.factor': String(
      Math.min(MAX_OFFSETS_REPLICAS, cluster.brokers),
    ),
    ...cluster.properties,
    'process.roles': roles.join(','),
    'node.id': String(node.nodeId),
    'controller.quorum.voters': voters
      .map(({ nodeId, name }) => `${nodeId}@${name}:${CONTROLLER_PORT}`)
      .join(','),
    'controller.listener.names': 'CONTROLLER',
    listeners: listeners.join(','),
  }
}
