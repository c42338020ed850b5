/** Produces unique values `name:n`; one producer session a life (idempotent) or none. */
export interface ProducerPlan {
  readonly kind: 'producer'
  readonly name: string
  readonly topic: string
  /** The partitions it sends to, in turn. */
  readonly partitions: readonly number[]
  readonly acks: -1 | 0 | 1
  readonly idempotent: boolean
  /** Requests under way at once, 1 to 5. */
  readonly inFlight: number
  readonly everyMs: number
  readonly batchRecords: number
  readonly valueBytes: number
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  /** Keys `k0`..`k<n-1>` in turn; 0: no keys. */
  readonly keys: number
  readonly requestTimeoutMs: number
  /**
   * Abuses the protocol now and then: repeats acknowledged batches, leaves gaps in the sequence, sends with an
   * older epoch (`expects` in the history). Only with `idempotent` and acks -1; off by default.
   */
  readonly probes?: boolean
}

/** Reads assigned partitions from the start, outside any group, and goes on reading. */
export interface ReaderPlan {
  readonly kind: 'reader'
  readonly name: string
  readonly topic: string
  readonly partitions: readonly number[]
  readonly isolation: 'read_uncommitted' | 'read_committed'
  readonly everyMs: number
}

/** Asks ListOffsets for the latest offsets, again and again (R11). */
export interface OffsetsWatcherPlan {
  readonly kind: 'offsets-watcher'
  readonly name: string
  readonly topic: string
  readonly partitions: readonly number[]
  readonly everyMs: number
}

/** A consumer group of classic members. */
export interface GroupPlan {
  readonly kind: 'group'
  /** Members are `name-1`, `name-2`, ... */
  readonly name: string
  readonly groupId: string
  readonly topic: string
  readonly members: number
  readonly assignor: 'range' | 'roundrobin' | 'cooperative-sticky'
  readonly commit: 'after-processing' | 'before-processing'
  readonly commitEveryMs: number
  readonly sessionTimeoutMs: number
  readonly isStatic: boolean
  /** A member leaves and joins again every so often; 0: never. */
  readonly churnEveryMs: number
}

/** Creates, describes and deletes topics of its own. */
export interface AdminPlan {
  readonly kind: 'admin'
  readonly name: string
  readonly everyMs: number
}

/** A standalone Connect worker: numbered source lines into `topic`, and from there into a sink. */
export interface ConnectPlan {
  readonly kind: 'connect'
  readonly name: string
  readonly topic: string
  readonly tasks: number
  readonly everyMs: number
}

/** Unmodified kafkajs: one producer and a group of consumers in a sandbox of their own. */
export interface KafkajsPlan {
  readonly kind: 'kafkajs'
  readonly name: string
  readonly topic: string
  readonly partitions: readonly number[]
  readonly groupId: string
  readonly members: number
  readonly idempotent: boolean
  readonly everyMs: number
}

export type WorkloadPlan =
  | ProducerPlan
  | ReaderPlan
  | OffsetsWatcherPlan
  | GroupPlan
  | AdminPlan
  | ConnectPlan
  | KafkajsPlan
