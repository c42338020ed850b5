import type { ReplicaGhost, ReplicaObserver } from './ghosts.ts'
import type { ReplicaWatch } from './replica-watch.ts'
import type { StateCheck } from './state-check.ts'

/**
 * R13 Retention safety: the log start of a replica only grows, never passes the high watermark, and the
 * newest segment stays. (Across a restart it may begin lower: what DeleteRecords raised is stored later.)
 */
export class LogStartCheck implements StateCheck, ReplicaObserver {
  readonly invariants = ['R13'] as const
  readonly #watch: ReplicaWatch

  constructor(watch: ReplicaWatch) {
    this.#watch = watch
    watch.observe(this)
  }

  onLogStart(replica: ReplicaGhost, before: number, now: number): void {
    const { report } = this.#watch
    const { log } = replica.partition
    report.evaluated('R13')
    if (now < before) {
      report.violated('R13', `${replica.name}: the log start went from ${before} back to ${now}`)
    }
    if (now > log.highWatermark) {
      const limit = log.highWatermark
      report.violated(
        'R13',
        `${replica.name}: the log start ${now} passed the high watermark ${limit}`,
      )
    }
    if (log.segmentBaseOffsets.length === 0) {
      report.violated('R13', `${replica.name}: no segment is left`)
    }
  }
}
