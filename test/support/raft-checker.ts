import { crc32 } from 'node:zlib'
import type { CommittedBatch } from '../../broker/controller/quorum/raft.ts'
import type { PartitionLog } from '../../broker/log/partition-log.ts'
import type { NodeEvent } from '../../src/ports/events.ts'
import type { Api } from '../../src/wire/schema.ts'
import { forEachBatch } from '../../src/wire/record-batch.ts'
import type { RaftProbe } from './raft-node.ts'

const VOTE = 52

interface VotePartition {
  readonly replicaEpoch: number
  readonly replicaId: number
  readonly preVote: boolean
}

interface AnswerPartition {
  readonly leaderEpoch?: number
  readonly voteGranted?: boolean
}

/** A batch of a log. */
interface Entry {
  readonly baseOffset: number
  readonly epoch: number
  /** Checksum of the log up to and with this batch. */
  readonly chain: number
}

interface CommittedEntry {
  readonly baseOffset: number
  readonly epoch: number
  readonly content: string
}

/**
 * The invariants of the controller quorum (Q1 to Q8, Q10, Q11), checked on what leaves a node and on what
 * is committed. A broken one throws with its number. The counters say how often each was really put to the
 * test.
 */
export class RaftChecker implements RaftProbe {
  readonly elected = new Map<number, number>()
  readonly counts = { elections: 0, votes: 0, commits: 0, truncations: 0, comparisons: 0 }
  readonly #votes = new Map<string, number>()
  readonly #epochs = new Map<number, number>()
  /** Committed batches of all nodes, the first delivery of each. */
  readonly #committed: CommittedEntry[] = []
  readonly #committedNext = new Map<number, number>()
  readonly #highWatermarks = new Map<number, number>()
  /** Checksum of a log up to and with the batch, by offset and epoch (R1). */
  readonly #chains = new Map<string, number>()

  get committedEnd(): number {
    return this.#committed.length
  }

  onEvent(event: NodeEvent, nodeId: number): void {
    const { kind, fields } = event
    if (kind === 'quorum.elected') this.#onElected(Number(fields['epoch']), nodeId)
    if (kind === 'quorum.truncated') this.counts.truncations += 1
    if (kind === 'quorum.committed') this.#onCommitted(nodeId, Number(fields['highWatermark']))
  }

  /** A new life of a node: its log is read from offset 0 again. */
  onStart(nodeId: number): void {
    this.#committedNext.set(nodeId, 0)
    this.#highWatermarks.set(nodeId, 0)
  }

  onRequest(from: number, api: Api<unknown, unknown>, body: unknown): void {
    if (api.key !== VOTE) return
    const vote = onlyPartition<VotePartition>(body)
    if (vote === null) return
    this.#onEpoch(from, vote.replicaEpoch)
    if (!vote.preVote) this.#onVote(from, vote.replicaEpoch, from)
  }

  onAnswer(from: number, api: Api<unknown, unknown>, request: unknown, answer: unknown): void {
    const partition = onlyPartition<AnswerPartition>(answer)
    if (partition?.leaderEpoch !== undefined) this.#onEpoch(from, partition.leaderEpoch)
    const vote = api.key === VOTE ? onlyPartition<VotePartition>(request) : null
    if (vote === null || vote.preVote || partition?.voteGranted !== true) return
    this.#onVote(from, vote.replicaEpoch, vote.replicaId)
  }

  onCommit(nodeId: number, batches: readonly CommittedBatch[]): void {
    for (const batch of batches) {
      const next = this.#committedNext.get(nodeId) ?? 0
      check(
        batch.baseOffset === next,
        `Q6: ${nodeId} got ${batch.baseOffset} where ${next} was due`,
      )
      this.#committedNext.set(nodeId, batch.lastOffset + 1)
      this.#onCommittedBatch(nodeId, batch)
    }
  }

  /** Log matching (R1, Q4) of one log with all that were seen, and completeness of what is committed (Q5). */
  checkLog(nodeId: number, log: PartitionLog, isComplete: boolean): void {
    const entries = entriesOf(log)
    for (const { baseOffset, epoch, chain } of entries) {
      const place = `${baseOffset} of epoch ${epoch}`
      const known = this.#chains.get(place)
      if (known !== undefined) this.counts.comparisons += 1
      check(known === undefined || known === chain, `R1: the log of ${nodeId} differs at ${place}`)
      this.#chains.set(place, chain)
    }
    if (isComplete) this.#checkComplete(nodeId, entries)
  }

  #checkComplete(nodeId: number, entries: readonly Entry[]): void {
    const epochs = new Map(entries.map((entry) => [entry.baseOffset, entry.epoch]))
    for (const { baseOffset, epoch } of this.#committed.filter((entry) => entry !== undefined)) {
      const own = epochs.get(baseOffset)
      check(own === epoch, `Q5: ${nodeId} has epoch ${own} at ${baseOffset}, committed is ${epoch}`)
    }
  }

  #onElected(epoch: number, nodeId: number): void {
    this.counts.elections += 1
    const other = this.elected.get(epoch)
    check(other === undefined || other === nodeId, `Q1: ${other} and ${nodeId} lead epoch ${epoch}`)
    this.elected.set(epoch, nodeId)
  }

  #onVote(voter: number, epoch: number, candidate: number): void {
    this.counts.votes += 1
    const key = `${voter} in ${epoch}`
    const earlier = this.#votes.get(key) ?? candidate
    check(earlier === candidate, `Q2: ${key} voted for ${earlier} and ${candidate}`)
    this.#votes.set(key, candidate)
  }

  /** What a node said of its epoch is never taken back, crash or not (Q3). */
  #onEpoch(nodeId: number, epoch: number): void {
    const last = this.#epochs.get(nodeId) ?? 0
    check(epoch >= last, `Q3: ${nodeId} went from epoch ${last} back to ${epoch}`)
    this.#epochs.set(nodeId, epoch)
  }

  #onCommitted(nodeId: number, highWatermark: number): void {
    const last = this.#highWatermarks.get(nodeId) ?? 0
    check(highWatermark > last, `Q8: high watermark of ${nodeId} from ${last} to ${highWatermark}`)
    this.#highWatermarks.set(nodeId, highWatermark)
  }

  #onCommittedBatch(nodeId: number, batch: CommittedBatch): void {
    this.counts.commits += 1
    const { baseOffset, lastOffset, epoch } = batch
    const content = JSON.stringify([baseOffset, lastOffset, epoch, batch.records])
    const known = this.#committed[baseOffset]
    if (known === undefined) {
      check(baseOffset === this.#committed.length, `Q6: a hole before committed ${baseOffset}`)
      this.#committed[baseOffset] = { baseOffset, epoch, content }
      if (lastOffset > baseOffset) this.#committed.length = lastOffset + 1
    } else {
      check(known.content === content, `Q6: ${nodeId} applied ${content}, not ${known.content}`)
    }
  }
}

/** One read may stop early, at the end of a segment. */
function entriesOf(log: PartitionLog): Entry[] {
  const entries: Entry[] = []
  let chain = 0
  let offset = log.logStartOffset
  while (offset < log.logEndOffset) {
    const { records } = log.read({
      offset,
      maxBytes: 100_000_000,
      minOneBatch: true,
      endOffset: log.logEndOffset,
    })
    const start = offset
    forEachBatch(records, (header, position) => {
      chain = crc32(records.subarray(position, position + header.sizeBytes), chain)
      entries.push({ baseOffset: header.baseOffset, epoch: header.partitionLeaderEpoch, chain })
      offset = header.lastOffset + 1
    })
    check(
      offset > start,
      `a read at ${start} of a log that ends at ${log.logEndOffset} gave nothing`,
    )
  }
  return entries
}

function onlyPartition<P>(message: unknown): P | null {
  const { topics } = message as { topics?: { partitions: P[] }[] }
  return topics?.[0]?.partitions[0] ?? null
}

function check(condition: boolean, message: string): void {
  if (!condition) throw new Error(message)
}
