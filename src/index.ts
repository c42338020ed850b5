export { startCluster } from './fixture/start-cluster.ts'
export type { Cluster } from './fixture/cluster.ts'
export type { Broker, CompactionSummary } from './fixture/broker-handle.ts'
export type { Isolation, StartClusterOptions, Storage } from './fixture/cluster-options.ts'
export type { EventField, NodeEvent } from './ports/events.ts'
export {
  ConfigError,
  ConnectionError,
  CorruptionError,
  DiskError,
  KafketteError,
  TimeoutError,
  WireError,
} from './base/errors.ts'
