import { liveStateOf, rebuiltStateOf } from '../../../broker/index.ts'
import type { ReplicaWatch } from './replica-watch.ts'
import type { StateCheck } from './state-check.ts'

const EXPIRATION_MIN_MS = 3_600_000

/**
 * D9, the other half: at rest what a replica keeps beside its batches (indexes, epochs, producers) is what its
 * files give when they are read from the first byte on.
 */
export class RebuiltStateCheck implements StateCheck {
  readonly invariants = ['D9'] as const
  readonly #watch: ReplicaWatch

  constructor(watch: ReplicaWatch) {
    this.#watch = watch
  }

  atEnd(): void {
    const { report } = this.#watch
    for (const ghost of this.#watch.ghosts.values()) {
      for (const nodeId of ghost.replicas.keys()) {
        const replica = this.#watch.live(ghost, nodeId)
        if (replica === null || replica.log.batches.length === 0) continue
        const { log } = replica.partition
        // Producers that were forgotten in time are still in the files.
        if (log.config.producerIdExpirationMs < EXPIRATION_MIN_MS) continue
        report.evaluated('D9')
        const [live, rebuilt] = [liveStateOf(log).split('\n'), rebuiltStateOf(log).split('\n')]
        const at = live.findIndex((line, index) => line !== rebuilt[index])
        if (at === -1 && live.length === rebuilt.length) continue
        const index = at === -1 ? live.length : at
        const [own, due] = [live[index] ?? 'no more', rebuilt[index] ?? 'no more']
        report.violated('D9', `${replica.name}: memory has "${own}", the files give "${due}"`)
      }
    }
  }
}
