import type { NodeView } from '../../../broker/index.ts'
import type { Partition } from '../../../broker/replica/partition.ts'
import type { NodeEvent } from '../../ports/events.ts'
import { indexAt } from './batch.ts'
import { PartitionGhost, ReplicaGhost, type ReplicaObserver } from './ghosts.ts'
import { LogGhost, type LogProblem } from './log-ghost.ts'
import { nodeIdOf } from './node-names.ts'
import type { ClusterState, StateCheck, StateReport } from './state-check.ts'

const PROBLEMS = { order: 'R3', match: 'R1', checksum: 'D7' } as const satisfies Record<
  LogProblem,
  string
>

/**
 * Looks at every replica of a node after each of its events, by integer compares, and tells the checks what
 * has changed. It keeps the ghosts and, since it reads every new batch of every replica once, checks what a
 * batch alone can break:
 * R1 log matching (a chain of checksums per replica against one map of place to chain),
 * R3 order along a log, D7 no damaged batch enters a log.
 */
export class ReplicaWatch implements StateCheck {
  readonly invariants = ['R1', 'R3', 'D7'] as const
  readonly state: ClusterState
  readonly report: StateReport
  /** Of existing and of deleted topics, by topic id and index. */
  readonly ghosts = new Map<string, PartitionGhost>()
  /** By `topic-partition`: several when the topic was deleted and made again, the newest last. */
  readonly ghostsByKey = new Map<string, PartitionGhost[]>()
  readonly #observers: ReplicaObserver[] = []
  readonly #replicas = new Map<number, Map<Partition, ReplicaGhost>>()
  readonly #lostPast = new Set<number>()

  constructor(state: ClusterState, report: StateReport) {
    this.state = state
    this.report = report
  }

  observe(observer: ReplicaObserver): void {
    this.#observers.push(observer)
  }

  onStart(node: NodeView, life: { readonly lostDisk: boolean; readonly lostTail: boolean }): void {
    this.#replicas.set(node.nodeId, new Map())
    if (life.lostDisk || life.lostTail) this.#lostPast.add(node.nodeId)
    else this.#lostPast.delete(node.nodeId)
  }

  afterNode(node: NodeView): void {
    const replicas = this.#replicasOf(node.nodeId)
    for (const partition of node.partitions()) {
      const replica = replicas.get(partition) ?? this.#begin(node, partition, replicas)
      this.#look(replica, node)
    }
  }

  onEvent(event: NodeEvent): void {
    if (event.kind === 'log.segment-compacted') this.#onCompacted(event)
    if (event.kind !== 'log.truncated') return
    const replica = this.replicaOfEvent(event)
    const to = event.fields['to']
    if (replica === null || typeof to !== 'number') return
    for (const observer of this.#observers) observer.onTruncating?.(replica, to)
    replica.log.truncated(to)
  }

  /** The live replica that an event of `kind` names by topic and partition, or null. */
  replicaOfEvent(event: NodeEvent): ReplicaGhost | null {
    const nodeId = nodeIdOf(event.node)
    const { topic, partition } = event.fields
    if (nodeId === null || typeof topic !== 'string' || typeof partition !== 'number') return null
    const hosted = this.state.nodes.get(nodeId)?.partition(`${topic}-${partition}`)
    if (hosted === null || hosted === undefined) return null
    return this.#replicas.get(nodeId)?.get(hosted) ?? null
  }

  /** The replica of a node that is up, when it still stands for what the node hosts; else null. */
  live(ghost: PartitionGhost, nodeId: number): ReplicaGhost | null {
    const replica = ghost.replicas.get(nodeId)
    if (replica === undefined) return null
    const hosted = this.state.nodes.get(nodeId)?.partition(ghost.key)
    return hosted === replica.partition ? replica : null
  }

  /** A leader has had this high watermark. */
  raise(ghost: PartitionGhost, highWatermark: number): void {
    if (highWatermark > ghost.trueHighWatermark) ghost.trueHighWatermark = highWatermark
  }

  #onCompacted(event: NodeEvent): void {
    const replica = this.replicaOfEvent(event)
    if (replica === null) return
    const { ghost, partition, log } = replica
    ghost.compactedTo = Math.max(ghost.compactedTo, partition.log.compactedTo)
    log.compacted()
  }

  #replicasOf(nodeId: number): Map<Partition, ReplicaGhost> {
    const known = this.#replicas.get(nodeId)
    if (known !== undefined) return known
    const added = new Map<Partition, ReplicaGhost>()
    this.#replicas.set(nodeId, added)
    return added
  }

  #begin(
    node: NodeView,
    partition: Partition,
    replicas: Map<Partition, ReplicaGhost>,
  ): ReplicaGhost {
    const ghost = this.#ghostOf(partition)
    const { nodeId } = node
    ghost.compactedTo = Math.max(ghost.compactedTo, partition.log.compactedTo)
    const log = new LogGhost({
      nodeId,
      name: ghost.key,
      log: partition.log,
      state: this.state,
      known: ghost.known,
      compactedTo: () => ghost.compactedTo,
      onProblem: (problem, message) => this.report.violated(PROBLEMS[problem], message),
      onBatch: (_batch, isNew) => {
        this.report.evaluated('R3')
        if (isNew) return
        this.report.evaluated('R1')
        this.report.evaluated('D7')
      },
    })
    const hasLostPast = this.#lostPast.has(nodeId)
    const replica = new ReplicaGhost({ nodeId, partition, ghost, log, hasLostPast })
    replicas.set(partition, replica)
    ghost.replicas.set(nodeId, replica)
    const fromIndex = log.refresh()
    replica.highWatermark = partition.log.highWatermark
    replica.logStartOffset = partition.log.logStartOffset
    for (const observer of this.#observers) {
      observer.onReplica?.(replica, node)
      observer.onAppended?.(replica, fromIndex)
    }
    return replica
  }

  #ghostOf({ topic, partition, topicId }: Partition): PartitionGhost {
    const id = `${topicId}-${partition}`
    const known = this.ghosts.get(id)
    if (known !== undefined) return known
    const ghost = new PartitionGhost(topic, partition, topicId)
    this.ghosts.set(id, ghost)
    const namesakes = this.ghostsByKey.get(ghost.key)
    if (namesakes === undefined) this.ghostsByKey.set(ghost.key, [ghost])
    else namesakes.push(ghost)
    return ghost
  }

  #look(replica: ReplicaGhost, node: NodeView): void {
    const { partition, log } = replica
    const { leaderEpoch, isLeader } = partition
    if (leaderEpoch !== replica.leaderEpoch || isLeader !== replica.isLeader) {
      for (const observer of this.#observers) observer.onRole?.(replica, node)
      replica.leaderEpoch = leaderEpoch
      replica.isLeader = isLeader
      this.#commit(replica)
    }
    if (partition.log.logEndOffset !== log.endOffset) this.#readNew(replica)
    const maximalIsr = partition.leaderRole?.inSync.maximal ?? null
    if (maximalIsr !== replica.maximalIsr) {
      replica.maximalIsr = maximalIsr
      for (const observer of this.#observers) observer.onInSync?.(replica)
    }
    const { highWatermark, logStartOffset } = partition.log
    const start = replica.logStartOffset
    if (logStartOffset !== start) {
      for (const observer of this.#observers) observer.onLogStart?.(replica, start, logStartOffset)
      replica.logStartOffset = logStartOffset
    }
    const before = replica.highWatermark
    if (highWatermark !== before) {
      if (isLeader) this.raise(replica.ghost, highWatermark)
      for (const observer of this.#observers) {
        observer.onHighWatermark?.(replica, before, highWatermark)
      }
      replica.highWatermark = highWatermark
      this.#commit(replica)
    }
  }

  #readNew(replica: ReplicaGhost): void {
    const { log, ghost } = replica
    const end = replica.partition.log.logEndOffset
    if (end < log.endOffset) {
      for (const observer of this.#observers) observer.onTruncating?.(replica, end)
    }
    const fromIndex = log.refresh()
    if (replica.hasLostPast && log.endOffset >= ghost.trueHighWatermark) replica.hasLostPast = false
    for (const observer of this.#observers) observer.onAppended?.(replica, fromIndex)
  }

  /** What a leader holds below its high watermark is committed. */
  #commit({ isLeader, log, ghost, partition }: ReplicaGhost): void {
    if (!isLeader || !log.isRooted) return
    const { committed } = ghost
    const limit = partition.log.highWatermark
    const end = committed.at(-1)?.end ?? 0
    if (limit <= end) return
    const fromIndex = committed.length
    const { batches } = log
    for (let index = indexAt(batches, end); index < batches.length; index += 1) {
      const batch = batches[index]
      if (batch === undefined || batch.end > limit) break
      committed.push(batch)
    }
    if (committed.length === fromIndex) return
    for (const observer of this.#observers) observer.onCommitted?.(ghost, fromIndex)
  }
}
