import type { NodePorts } from '../src/ports/ports.ts'
import { BrokerNode, type NodeOptions } from './node.ts'

export type { BrokerNode, NodeOptions, ShutdownKind } from './node.ts'

/**
 * One node of a cluster: a broker and a voter of the controller quorum, over the given ports. Throws
 * `ConfigError` when the properties cannot be used; nothing happens before `start`.
 */
export function createNode(options: NodeOptions, ports: NodePorts): BrokerNode {
  return new BrokerNode(options, ports)
}
export type { GroupShardView, GroupView, NodeView, QuorumView } from './node-view.ts'
