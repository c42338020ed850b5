import type { HistoryEntry } from '../history/history.ts'
import type { PollOperation, SendOperation } from '../history/operation.ts'
import { batchAt, type Batch } from './batch.ts'
import type { PartitionGhost } from './ghosts.ts'
import type { HighWatermarkCheck } from './high-watermark.ts'
import type { ReplicaWatch } from './replica-watch.ts'
import type { StateCheck } from './state-check.ts'

const SEQUENCES = 0x8000_0000

/**
 * What clients are told, against the state at that moment.
 * D3 No dirty read: a record that a client was given lies below the true high watermark, and so does the high
 * watermark that it was told. D8 acks=all gate: an acknowledged offset lies below it too, and was committed
 * with min.insync.replicas in sync. D6 The acknowledged offset is the real one: the committed batch there is of
 * this producer session, with this sequence number.
 * A topic that was made again has several ghosts; one of them must fit.
 */
export class AcknowledgementsCheck implements StateCheck {
  readonly invariants = ['D3', 'D6', 'D8'] as const
  readonly #watch: ReplicaWatch
  readonly #highWatermarks: HighWatermarkCheck

  constructor(watch: ReplicaWatch, highWatermarks: HighWatermarkCheck) {
    this.#watch = watch
    this.#highWatermarks = highWatermarks
  }

  onHistory({ kind, operation }: HistoryEntry): void {
    if (kind !== 'ok') return
    if (operation.op === 'send' && operation.acks === -1) this.#onAck(operation)
    if (operation.op === 'poll') this.#onPoll(operation)
  }

  #onAck(send: SendOperation): void {
    const { offset = -1 } = send
    const ghosts = this.#ghostsOf(send)
    if (ghosts.length === 0 || offset < 0) return
    const { report } = this.#watch
    const where = `"${send.value}" is acknowledged at ${offset} of ${send.topic}-${send.partition}`
    report.evaluated('D8')
    const committing = ghosts.filter((ghost) => ghost.trueHighWatermark > offset)
    if (committing.length === 0) {
      const most = Math.max(...ghosts.map((ghost) => ghost.trueHighWatermark))
      report.violated('D8', `${where}, committed is up to ${most}`)
      return
    }
    const weak = committing.map((ghost) => this.#highWatermarks.weakCommitOf(ghost, offset))
    const inSync = weak[0]
    if (typeof inSync === 'number' && weak.every((count) => count !== null)) {
      report.violated('D8', `${where}, committed with ${inSync} in sync`)
    }
    this.#checkPlace(send, offset, committing, where)
  }

  #checkPlace(
    send: SendOperation,
    offset: number,
    ghosts: readonly PartitionGhost[],
    where: string,
  ): void {
    // After losses that are allowed the offset may have been given out again.
    if (!this.#watch.state.budget.holdsDurability || ghosts.some((ghost) => ghost.isUnclean)) return
    const batches = ghosts.map((ghost) => batchAt(ghost.committed, offset))
    if (batches.some((batch) => batch === null)) return
    this.#watch.report.evaluated('D6')
    if (batches.some((batch) => batch !== null && isOf(batch, send, offset))) return
    const found = batches.map((batch) => describe(batch, offset)).join(', ')
    const sent = `${send.producerId}/${send.producerEpoch}, sequence ${send.sequence ?? -1}`
    this.#watch.report.violated('D6', `${where} as of ${sent}; there is a record of ${found}`)
  }

  #onPoll(poll: PollOperation): void {
    const ghosts = this.#ghostsOf(poll)
    const last = poll.records?.at(-1)
    if (ghosts.length === 0 || last === undefined) return
    const { report } = this.#watch
    report.evaluated('D3')
    const committed = Math.max(...ghosts.map((ghost) => ghost.trueHighWatermark))
    const where = `${poll.topic}-${poll.partition}`
    if (last.offset >= committed) {
      const what = `"${last.value}" was read at ${last.offset} of ${where}`
      report.violated('D3', `${what}, committed is up to ${committed}`)
    }
    if ((poll.highWatermark ?? 0) > committed) {
      const told = `${where}: a reader was told the high watermark ${poll.highWatermark}`
      report.violated('D3', `${told}, committed is up to ${committed}`)
    }
  }

  #ghostsOf(at: { readonly topic: string; readonly partition: number }): readonly PartitionGhost[] {
    return this.#watch.ghostsByKey.get(`${at.topic}-${at.partition}`) ?? []
  }
}

function isOf(batch: Batch, send: SendOperation, offset: number): boolean {
  // A client that keeps its session to itself, as kafkajs does; its values are read again at rest.
  if (send.idempotent && send.producerId === -1) return batch.producerId !== -1
  if (batch.producerId !== send.producerId) return false
  if (send.producerId === -1 || send.expects !== undefined) return true
  if (batch.producerEpoch !== send.producerEpoch) return false
  return send.sequence === undefined || sequenceAt(batch, offset) === send.sequence
}

function sequenceAt(batch: Batch, offset: number): number {
  return (batch.firstSequence + offset - batch.base) % SEQUENCES
}

function describe(batch: Batch | null, offset: number): string {
  if (batch === null) return 'nobody'
  return `${batch.producerId}/${batch.producerEpoch}, sequence ${sequenceAt(batch, offset)}`
}
