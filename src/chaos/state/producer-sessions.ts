import type { Batch } from './batch.ts'
import type { PartitionGhost, ReplicaObserver } from './ghosts.ts'
import type { ReplicaWatch } from './replica-watch.ts'
import type { StateCheck } from './state-check.ts'

const SEQUENCES = 0x8000_0000
/** Producers that are silent for less than this are never forgotten in a run that is checked. */
const EXPIRATION_MIN_MS = 3_600_000

interface Session {
  epoch: number
  lastSequence: number
}

/**
 * The sessions of idempotent producers (KIP-98) in what is committed, batch by batch:
 * P1 no sequence number twice, P2 none left out, and a new epoch begins at 0, P3 no batch of an older epoch
 * after a newer one. The first batch of a producer may have any sequence: a leader that knows nothing of it
 * takes it, as Kafka does.
 */
export class ProducerSessionsCheck implements StateCheck, ReplicaObserver {
  readonly invariants = ['P1', 'P2', 'P3'] as const
  readonly #watch: ReplicaWatch
  readonly #sessions = new Map<PartitionGhost, Map<number, Session>>()

  constructor(watch: ReplicaWatch) {
    this.#watch = watch
    watch.observe(this)
  }

  onCommitted(ghost: PartitionGhost, fromIndex: number): void {
    if (ghost.isUnclean || !this.#watch.state.budget.holdsDurability) return
    const sessions = this.#sessions.get(ghost) ?? new Map<number, Session>()
    this.#sessions.set(ghost, sessions)
    for (let index = fromIndex; index < ghost.committed.length; index += 1) {
      const batch = ghost.committed[index]
      if (batch === undefined || batch.producerId < 0 || batch.isControl) continue
      this.#take(ghost, sessions, batch)
    }
  }

  #take(ghost: PartitionGhost, sessions: Map<number, Session>, batch: Batch): void {
    const session = sessions.get(batch.producerId)
    if (session === undefined) {
      const { producerEpoch: epoch, lastSequence } = batch
      sessions.set(batch.producerId, { epoch, lastSequence })
      return
    }
    if (!this.#forgets(ghost)) this.#check(ghost, session, batch)
    session.epoch = batch.producerEpoch
    session.lastSequence = batch.lastSequence
  }

  #check(ghost: PartitionGhost, session: Session, batch: Batch): void {
    const { report } = this.#watch
    const { producerEpoch, firstSequence } = batch
    const where = `${ghost.key} at ${batch.base}: producer ${batch.producerId}, epoch ${producerEpoch}`
    if (producerEpoch !== session.epoch) {
      report.evaluated('P3')
      if (producerEpoch < session.epoch) {
        report.violated('P3', `${where}, after epoch ${session.epoch}`)
      } else if (firstSequence !== 0) {
        report.violated('P2', `${where}, begins with sequence ${firstSequence}`)
      }
      return
    }
    report.evaluated('P1')
    report.evaluated('P2')
    const expected = (session.lastSequence + 1) % SEQUENCES
    if (firstSequence === expected) return
    // Half the circle ahead is a gap, half behind was there before.
    const isAhead = (firstSequence - expected + SEQUENCES) % SEQUENCES < SEQUENCES / 2
    const message = `${where}, sequence ${firstSequence} where ${expected} is due`
    report.violated(isAhead ? 'P2' : 'P1', message)
  }

  #forgets(ghost: PartitionGhost): boolean {
    for (const { partition } of ghost.replicas.values()) {
      return partition.log.config.producerIdExpirationMs < EXPIRATION_MIN_MS
    }
    return true
  }
}
