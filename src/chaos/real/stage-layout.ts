import { join } from 'node:path'
import { findFreePort } from '../../real/free-port.ts'
import type { Plan } from '../plan/plan.ts'
import type { NodeAddresses } from './stage-node.ts'

const HOST = '127.0.0.1'
const CLIENT_LISTENER = 'PLAINTEXT'
const CONTROLLER_LISTENER = 'CONTROLLER'

/**
 * What differs from Apache Kafka's defaults because a run is short; names and values that Apache Kafka takes too.
 * The plan's own properties go over it.
 */
const STAGE_DEFAULTS: Readonly<Record<string, string>> = {
  'auto.create.topics.enable': 'false',
  'broker.heartbeat.interval.ms': '200',
  'broker.session.timeout.ms': '1500',
  'controller.quorum.election.timeout.ms': '300',
  'controller.quorum.election.backoff.max.ms': '200',
  'controller.quorum.fetch.timeout.ms': '800',
  'controller.quorum.request.timeout.ms': '800',
  'controller.socket.timeout.ms': '1500',
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '100',
  'replica.lag.time.max.ms': '3000',
  'replica.fetch.backoff.ms': '100',
  'replica.socket.timeout.ms': '1500',
  'offsets.topic.num.partitions': '3',
}

/** Where one node of a stage is, and what it is called. */
export interface NodeLayout {
  readonly id: number
  readonly name: string
  readonly isVoter: boolean
  readonly directory: string
  readonly addresses: NodeAddresses
}

/**
 * Over processes every layout is combined: as many nodes as brokers, `n1`.., of which the first ones are the voters.
 */
export async function layOut(plan: Plan, directory: string): Promise<readonly NodeLayout[]> {
  const { brokers, controllers } = plan.cluster
  const nodes: NodeLayout[] = []
  for (let id = 1; id <= brokers; id += 1) {
    const isVoter = id <= controllers
    nodes.push({
      id,
      name: `n${id}`,
      isVoter,
      directory: join(directory, `node-${id}`),
      addresses: {
        host: HOST,
        client: await portPair(),
        controller: isVoter ? await portPair() : null,
      },
    })
  }
  return nodes
}

/** server.properties of one node. Everybody dials the proxies, the node listens behind them. */
export function propertiesOf(
  plan: Plan,
  node: NodeLayout,
  all: readonly NodeLayout[],
): Readonly<Record<string, string>> {
  const { host, client, controller } = node.addresses
  const replication = String(Math.min(3, all.length))
  const voters = all.flatMap(({ id, addresses }) =>
    addresses.controller === null ? [] : [`${id}@${host}:${addresses.controller.proxyPort}`],
  )
  const listeners = [`${CLIENT_LISTENER}://${host}:${client.port}`]
  if (controller !== null) listeners.push(`${CONTROLLER_LISTENER}://${host}:${controller.port}`)
  return {
    ...STAGE_DEFAULTS,
    'offsets.topic.replication.factor': replication,
    'transaction.state.log.replication.factor': replication,
    'share.coordinator.state.topic.replication.factor': replication,
    ...plan.cluster.properties,
    'process.roles': controller === null ? 'broker' : 'broker,controller',
    'node.id': String(node.id),
    'controller.quorum.voters': voters.join(','),
    'controller.listener.names': CONTROLLER_LISTENER,
    'listener.security.protocol.map': `${CLIENT_LISTENER}:PLAINTEXT,${CONTROLLER_LISTENER}:PLAINTEXT`,
    listeners: listeners.join(','),
    'advertised.listeners': `${CLIENT_LISTENER}://${host}:${client.proxyPort}`,
    'log.dirs': node.directory,
  }
}

/**
 * The host behind a client id. Between nodes both programs say who they are: `raft-client-1`, `broker-1-...`, and
 * Apache Kafka's channel to the controller the bare id.
 */
export function hostOf(clientId: string): string {
  const [, id] = /^(?:raft-client-|broker-)?(\d+)(?:-.*)?$/.exec(clientId) ?? []
  return id === undefined ? clientId : `n${id}`
}

/** The name over processes of a node that a plan names: `b2`, `c2` and `n2` are one process. */
export function nodeNameOf(literal: string): string | null {
  const [, id] = /^[bcn](\d+)$/.exec(literal) ?? []
  return id === undefined ? null : `n${id}`
}

async function portPair(): Promise<{ readonly port: number; readonly proxyPort: number }> {
  return { port: await findFreePort(HOST), proxyPort: await findFreePort(HOST) }
}
