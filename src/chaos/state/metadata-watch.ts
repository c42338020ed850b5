import { MetadataImage, type PartitionState } from '../../../broker/metadata/image.ts'
import type { NodeView } from '../../../broker/index.ts'
import { CorruptionError, WireError } from '../../base/errors.ts'
import type { NodeEvent } from '../../ports/events.ts'
import { decodeMetadataRecord } from '../../wire/metadata-record.ts'
import { readRecords } from '../../wire/record-batch.ts'
import type { MetadataRecord } from '../../wire/records/metadata.ts'
import { batchSizeBytes, hasBatch, indexAt, type Batch } from './batch.ts'
import type { PartitionGhost } from './ghosts.ts'
import { LogGhost, type LogProblem } from './log-ghost.ts'
import { nodeIdOf } from './node-names.ts'
import type { ClusterState, StateCheck, StateReport } from './state-check.ts'

export const METADATA_TOPIC = '__cluster_metadata'

/** A node's part in the quorum as it was after its last event. */
export interface QuorumGhost {
  readonly nodeId: number
  readonly isVoter: boolean
  readonly log: LogGhost
  highWatermark: number
}

/** What a check of the metadata is told. */
export interface MetadataObserver {
  /** New batches of a node, `quorum.log.batches` from this index on. */
  onMetadataAppended?(quorum: QuorumGhost, node: NodeView, fromIndex: number): void
  /** The moment before batches are cut off. */
  onMetadataTruncating?(quorum: QuorumGhost, to: number): void
  /** A node's high watermark moved; what it has below is in the committed log already. */
  onMetadataCommitted?(quorum: QuorumGhost, node: NodeView, before: number): void
  /** A committed record, before it is applied to the image. */
  onRecord?(record: MetadataRecord, offset: number, image: MetadataImage): void
  onPartition?(before: PartitionState | null, now: PartitionState, image: MetadataImage): void
  /** A committed batch is applied as a whole. */
  onApplied?(image: MetadataImage): void
}

const PROBLEM_WORDS: Readonly<Record<LogProblem, string>> = {
  order: 'out of order',
  match: 'another history',
  checksum: 'damaged',
}

/**
 * Follows the metadata log of every node and folds what is committed, record by record, into an image of its
 * own: the truth that brokers and controllers are measured by. Q4 Log matching: as R1, for the metadata log.
 */
export class MetadataWatch implements StateCheck {
  readonly invariants = ['Q4'] as const
  readonly state: ClusterState
  readonly report: StateReport
  readonly image = new MetadataImage()
  readonly committed: Batch[] = []
  readonly nodes = new Map<number, QuorumGhost>()
  readonly #known = new Map<number, Batch>()
  readonly #bytes = new Map<Batch, Buffer>()
  readonly #states = new Map<string, PartitionState>()
  readonly #observers: MetadataObserver[] = []
  #isLost = false

  constructor(state: ClusterState, report: StateReport) {
    this.state = state
    this.report = report
  }

  observe(observer: MetadataObserver): void {
    this.#observers.push(observer)
  }

  /** All below is committed. */
  get committedEnd(): number {
    return this.committed.at(-1)?.end ?? 0
  }

  /** Committed metadata are gone, which the budget allows: nothing can be measured by the image any more. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** A leader lacks something that is committed, and the budget allows that. */
  noteLost(): void {
    if (!this.#isLost) this.report.metadataLost()
    this.#isLost = true
  }

  /** What is committed about a partition; null when its topic is gone or not known. */
  partition(ghost: PartitionGhost): PartitionState | null {
    if (this.#isLost) return null
    const state = this.image.partition(ghost.topic, ghost.index)
    return state !== null && state.topicId === ghost.topicId ? state : null
  }

  onStart(node: NodeView): void {
    this.nodes.set(node.nodeId, this.#ghostOf(node))
    this.afterNode(node)
  }

  afterNode(node: NodeView): void {
    const quorum = this.nodes.get(node.nodeId)
    if (quorum === undefined) {
      this.onStart(node)
      return
    }
    const { log } = quorum
    const { highWatermark } = node.quorum
    if (log.log.logEndOffset !== log.endOffset) this.#readNew(quorum, node)
    if (highWatermark === quorum.highWatermark) return
    const before = quorum.highWatermark
    quorum.highWatermark = highWatermark
    if (highWatermark > this.committedEnd) this.#commit(quorum)
    for (const observer of this.#observers) observer.onMetadataCommitted?.(quorum, node, before)
  }

  onEvent(event: NodeEvent): void {
    if (event.kind !== 'log.truncated' || event.fields['topic'] !== METADATA_TOPIC) return
    const nodeId = nodeIdOf(event.node)
    const quorum = nodeId === null ? undefined : this.nodes.get(nodeId)
    const to = event.fields['to']
    if (quorum === undefined || typeof to !== 'number') return
    for (const observer of this.#observers) observer.onMetadataTruncating?.(quorum, to)
    quorum.log.truncated(to)
  }

  #ghostOf(node: NodeView): QuorumGhost {
    const { nodeId, quorum } = node
    const log = new LogGhost({
      nodeId,
      name: 'the metadata log',
      log: quorum.log,
      state: this.state,
      known: this.#known,
      compactedTo: () => 0,
      onProblem: (problem, message) => {
        const what = `${message} (${PROBLEM_WORDS[problem]})`
        if (problem === 'checksum') this.report.violated('D7', what)
        else if (this.state.budget.holdsQuorum) this.report.violated('Q4', what)
      },
      onBatch: (batch, isNew, bytes, position) => {
        if (!isNew) return this.report.evaluated('Q4')
        const end = position + batchSizeBytes(bytes, position)
        this.#bytes.set(batch, Buffer.from(bytes.subarray(position, end)))
      },
    })
    return { nodeId, isVoter: quorum.isVoter, log, highWatermark: 0 }
  }

  #readNew(quorum: QuorumGhost, node: NodeView): void {
    const fromIndex = quorum.log.refresh()
    for (const observer of this.#observers) {
      observer.onMetadataAppended?.(quorum, node, fromIndex)
    }
  }

  #commit({ log, highWatermark }: QuorumGhost): void {
    const { batches } = log
    const last = this.committed.at(-1)
    if (last !== undefined && !hasBatch(batches, last)) {
      if (!this.state.budget.holdsQuorum) this.noteLost()
      return
    }
    for (let at = indexAt(batches, this.committedEnd); at < batches.length; at += 1) {
      const batch = batches[at]
      if (batch === undefined || batch.end > highWatermark) return
      this.committed.push(batch)
      this.#apply(batch)
    }
  }

  #apply(batch: Batch): void {
    const bytes = this.#bytes.get(batch)
    this.#bytes.delete(batch)
    if (batch.isControl || bytes === undefined || this.#isLost) return
    try {
      for (const { offset, value } of readRecords(bytes, 0)) {
        if (value === null) continue
        const record = decodeMetadataRecord(value)
        for (const observer of this.#observers) observer.onRecord?.(record, offset, this.image)
        this.image.apply(record, offset, batch.epoch, this.#imageObserver)
      }
    } catch (error) {
      if (!(error instanceof CorruptionError) && !(error instanceof WireError)) throw error
      this.#isLost = true
      this.report.violated('Q6', `committed metadata at ${batch.base}: ${error.message}`)
      return
    }
    if (this.image.isInTransaction) return
    for (const observer of this.#observers) observer.onApplied?.(this.image)
  }

  readonly #imageObserver = {
    onPartition: (now: PartitionState): void => {
      const key = `${now.topicId}-${now.partition}`
      const before = this.#states.get(key) ?? null
      this.#states.set(key, now)
      for (const observer of this.#observers) observer.onPartition?.(before, now, this.image)
    },
    onTopicRemoved: (): void => {},
    onBroker: (): void => {},
    onConfig: (): void => {},
    onFeature: (): void => {},
  }
}
