import { readRecords } from '../../wire/record-batch.ts'
import type { HistoryEntry } from '../history/history.ts'
import type { SendOperation } from '../history/operation.ts'
import type { Batch } from './batch.ts'
import type { PartitionGhost, ReplicaGhost } from './ghosts.ts'
import type { MetadataWatch } from './metadata-watch.ts'
import type { ReplicaWatch } from './replica-watch.ts'
import type { StateCheck } from './state-check.ts'

/** So many of a partition's acknowledged records are read again at the end. */
const SAMPLES = 32
/** What the workload puts between a value and its filling. */
const END_OF_VALUE = '|'

/**
 * D9 Replica equality at rest: all replicas of a partition have the same log end, high watermark, epochs and
 * bytes, as far as their logs reach back; what each keeps of epochs is what its own batches say.
 * D6 at rest: a sample of the acknowledged records is where it was said to be, by its value.
 */
export class EqualityCheck implements StateCheck {
  readonly invariants = ['D9', 'D6'] as const
  readonly #watch: ReplicaWatch
  readonly #metadata: MetadataWatch
  readonly #acknowledged = new Map<string, SendOperation[]>()

  constructor(watch: ReplicaWatch, metadata: MetadataWatch) {
    this.#watch = watch
    this.#metadata = metadata
  }

  onHistory({ kind, operation }: HistoryEntry): void {
    if (kind !== 'ok' || operation.op !== 'send' || operation.acks !== -1) return
    const key = `${operation.topic}-${operation.partition}`
    const sends = this.#acknowledged.get(key)
    if (sends === undefined) this.#acknowledged.set(key, [operation])
    else sends.push(operation)
  }

  atEnd(): void {
    for (const ghost of this.#watch.ghosts.values()) {
      const state = this.#metadata.partition(ghost)
      if (state === null) continue
      const replicas = state.replicas.flatMap((id) => this.#watch.live(ghost, id) ?? [])
      const [first, ...others] = replicas
      if (first === undefined) continue
      for (const replica of replicas) this.#checkEpochs(replica)
      for (const other of others) this.#compare(first, other)
      const leader = replicas.find(({ partition }) => partition.isLeader)
      if (leader !== undefined) this.#checkValues(ghost, leader)
    }
  }

  #compare(first: ReplicaGhost, other: ReplicaGhost): void {
    const { report } = this.#watch
    report.evaluated('D9')
    const [a, b] = [first.partition.log, other.partition.log]
    const where = `${first.ghost.key} at rest on ${first.nodeId} and ${other.nodeId}`
    if (a.logEndOffset !== b.logEndOffset) {
      report.violated('D9', `${where}: log ends ${a.logEndOffset} and ${b.logEndOffset}`)
    } else if (a.highWatermark !== b.highWatermark) {
      report.violated('D9', `${where}: high watermarks ${a.highWatermark} and ${b.highWatermark}`)
    }
    if (!first.log.isRooted || !other.log.isRooted || first.log.last === other.log.last) return
    const ends = `${wordsOf(first.log.last)} and ${wordsOf(other.log.last)}`
    report.violated('D9', `${where}: the logs are not the same, they end with ${ends}`)
  }

  /** Every epoch with batches begins where the first of them is. */
  #checkEpochs({ log, partition, name }: ReplicaGhost): void {
    const start = partition.log.logStartOffset
    const kept = new Map(partition.log.epochEntries.map((at) => [at.epoch, at.startOffset]))
    let epoch = -1
    for (const batch of log.batches) {
      if (batch.end <= start || batch.epoch === epoch) continue
      epoch = batch.epoch
      const due = Math.max(start, batch.base)
      const own = kept.get(epoch)
      // An epoch begins with its leader, which may write its first record later.
      if (own !== undefined && own <= due && this.#isWithinEpoch(log.batches, own, batch)) continue
      const message = `${name} at rest: epoch ${epoch} begins at ${own ?? 'nowhere'}, its records at ${due}`
      this.#watch.report.violated('D9', message)
    }
  }

  /** No batch of another epoch lies between where the epoch is said to begin and its first batch. */
  #isWithinEpoch(batches: readonly Batch[], start: number, first: Batch): boolean {
    return !batches.some((batch) => batch.base >= start && batch.end <= first.base)
  }

  #checkValues(ghost: PartitionGhost, leader: ReplicaGhost): void {
    const sends = this.#acknowledged.get(ghost.key) ?? []
    const isSure =
      this.#watch.state.budget.holdsDurability &&
      !ghost.isUnclean &&
      this.#watch.ghostsByKey.get(ghost.key)?.length === 1
    if (!isSure) return
    const step = Math.max(1, Math.floor(sends.length / SAMPLES))
    for (let index = 0; index < sends.length; index += step) {
      const send = sends[index]
      if (send !== undefined) this.#checkValue(send, leader)
    }
  }

  #checkValue(send: SendOperation, { partition, name, ghost }: ReplicaGhost): void {
    const { log } = partition
    const { offset = -1, value } = send
    // Compaction may have taken it; the final read knows whether it was to stay (D1).
    if (offset < ghost.compactedTo) return
    if (offset < log.logStartOffset || offset >= log.highWatermark) return
    const request = { offset, maxBytes: 1, minOneBatch: true, endOffset: log.logEndOffset }
    const { records } = log.read(request)
    if (records.length === 0) return
    this.#watch.report.evaluated('D6')
    const found = readRecords(records, 0).find((record) => record.offset === offset)
    const text = found?.value?.toString() ?? null
    if (text === value || text?.startsWith(value + END_OF_VALUE) === true) return
    const what = text === null ? 'nothing' : `"${text.slice(0, 80)}"`
    this.#watch.report.violated(
      'D6',
      `${name}: "${value}" was acknowledged at ${offset}, there is ${what}`,
    )
  }
}

function wordsOf(batch: Batch | null): string {
  return batch === null ? 'nothing' : `the batch at ${batch.base} of epoch ${batch.epoch}`
}
