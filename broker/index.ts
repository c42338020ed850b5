import type { NodePorts } from '../src/ports/ports.ts'
import { BrokerNode, type NodeOptions } from './node.ts'

export type { BrokerNode, NodeOptions, ShutdownKind } from './node.ts'

/**
 * One node of a cluster over the given ports: a broker, a voter of the controller quorum, or both, as
 * `process.roles` says. Throws `ConfigError` when the properties cannot be used; nothing happens before `start`.
 */
export function createNode(options: NodeOptions, ports: NodePorts): BrokerNode {
  return new BrokerNode(options, ports)
}
export type { CompactionSummary } from './replica/log-cleaner.ts'
export { dumpOfGroupLog, dumpOfTransactionLog } from './live-node-view.ts'
export { liveStateOf, rebuiltStateOf } from './log/log-state.ts'
export type {
  GroupShardView,
  GroupView,
  NodeView,
  QuorumView,
  TransactionShardView,
  TransactionView,
} from './node-view.ts'
export { listenerPlan, type ListenerPlan } from './listener-config.ts'
export { writeBootstrapCheckpoint } from './bootstrap-checkpoint.ts'
export {
  METADATA_VERSION,
  METADATA_VERSION_LEVEL,
  METADATA_VERSION_NAME,
  NEW_CLUSTER_FEATURES,
  SUPPORTED_FEATURES,
} from './metadata/features.ts'
export { logPathsOf, type LogPaths } from './node-directories.ts'
export { META_FILE, readMeta, writeMeta, type NodeIdentity } from './node-identity.ts'
export { PROTOCOL_VERSIONS } from './server/protocol-cap.ts'
export { findVoters, type VoterSearch } from './voter-discovery.ts'
export {
  readVotersCheckpoint,
  writeVotersCheckpoint,
  type DynamicVoter,
} from './voters-checkpoint.ts'
