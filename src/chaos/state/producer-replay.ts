import type { ReplicaGhost } from './ghosts.ts'
import type { ReplicaWatch } from './replica-watch.ts'
import type { StateCheck } from './state-check.ts'

const EXPIRATION_MIN_MS = 3_600_000

interface Replayed {
  epoch: number
  lastSequence: number
  lastOffset: number
}

/**
 * P4 State equals replay: what a leader knows of its producers is what its log says, whatever became of it
 * by failover, truncation, snapshot and restart. Checked at barriers. A producer whose batches are all below
 * the log start may be known still, by a snapshot, and one whose batches are compacted by what is left of them, which
 * is not looked at here; transactions are left out.
 */
export class ProducerReplayCheck implements StateCheck {
  readonly invariants = ['P4'] as const
  readonly #watch: ReplicaWatch
  /** Log end of each replica at its last comparison: without news there is nothing to compare. */
  readonly #compared = new Map<ReplicaGhost, number>()

  constructor(watch: ReplicaWatch) {
    this.#watch = watch
  }

  atBarrier(): void {
    for (const ghost of this.#watch.ghosts.values()) {
      for (const nodeId of ghost.replicas.keys()) {
        const replica = this.#watch.live(ghost, nodeId)
        if (replica?.partition.isLeader === true) this.#compare(replica)
      }
    }
  }

  #compare(replica: ReplicaGhost): void {
    const { log } = replica.partition
    const isKnown = replica.log.isRooted && replica.log.endOffset === log.logEndOffset
    if (!isKnown || log.config.producerIdExpirationMs < EXPIRATION_MIN_MS) return
    if (this.#compared.get(replica) === log.logEndOffset) return
    this.#compared.set(replica, log.logEndOffset)
    const replayed = this.#replay(replica)
    if (replayed === null) return
    const { report } = this.#watch
    const seen = new Set<number>()
    for (const entry of log.producerEntries()) {
      const expected = replayed.get(entry.producerId)
      seen.add(entry.producerId)
      if (expected === undefined) {
        if (log.logStartOffset > 0 || replica.ghost.compactedTo > 0) continue
        report.violated(
          'P4',
          `${replica.name} knows producer ${entry.producerId}, its log does not`,
        )
        continue
      }
      report.evaluated('P4')
      const own = wordsOf(entry.producerEpoch, entry.lastSequence, entry.lastOffset)
      const due = wordsOf(expected.epoch, expected.lastSequence, expected.lastOffset)
      if (own === due) continue
      const where = `${replica.name}: producer ${entry.producerId}`
      report.violated('P4', `${where} has ${own}, the log says ${due}`)
    }
    const missing = [...replayed.keys()].find((producerId) => !seen.has(producerId))
    if (missing === undefined) return
    report.violated('P4', `${replica.name} has forgotten producer ${missing}, which is in its log`)
  }

  /** Null when there are control batches. */
  #replay({ log, partition }: ReplicaGhost): Map<number, Replayed> | null {
    const producers = new Map<number, Replayed>()
    const start = partition.log.logStartOffset
    for (const batch of log.batches) {
      if (batch.isControl) return null
      if (batch.producerId < 0 || batch.end <= start) continue
      const { producerEpoch: epoch, lastSequence } = batch
      producers.set(batch.producerId, { epoch, lastSequence, lastOffset: batch.end - 1 })
    }
    return producers
  }
}

function wordsOf(epoch: number, sequence: number, offset: number): string {
  return `epoch ${epoch}, sequence ${sequence} at ${offset}`
}
