import type { NodeEvent } from '../../src/ports/events.ts'

/** Follows the brokers' events to know who leads the controller quorum. */
export class ControllerWatch {
  #leaderId = -1
  #epoch = -1

  /** The active controller; the last known one while an election is under way, -1 before the first. */
  get controllerId(): number {
    return this.#leaderId
  }

  get epoch(): number {
    return this.#epoch
  }

  observe(event: NodeEvent): void {
    if (event.kind !== 'quorum.leader-changed') return
    const { leader, epoch } = event.fields
    if (typeof leader !== 'number' || typeof epoch !== 'number') return
    if (epoch < this.#epoch || leader === -1) return
    this.#epoch = epoch
    this.#leaderId = leader
  }
}
