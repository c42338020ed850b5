import type { Fault } from '../plan/fault.ts'

/** Fires the rows of a schedule in real time: at their times, or at the hits of their probes. */
export class FaultSchedule {
  readonly #faults: readonly Fault[]
  readonly #fire: (fault: Fault) => void
  readonly #timers = new Set<NodeJS.Timeout>()
  /** Rows whose time has come and that wait for their probe, with the hits since. */
  readonly #armed = new Map<Fault, number>()

  constructor(faults: readonly Fault[], fire: (fault: Fault) => void) {
    this.#faults = faults
    this.#fire = fire
  }

  /** The chaos phase begins now. */
  begin(): void {
    for (const fault of this.#faults) {
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        if (fault.atProbe === undefined) this.#fire(fault)
        else this.#armed.set(fault, 0)
      }, fault.atMs)
      this.#timers.add(timer)
    }
  }

  probeHit(name: string): void {
    for (const [fault, hits] of this.#armed) {
      if (fault.atProbe?.name !== name) continue
      this.#armed.set(fault, hits + 1)
      if (hits + 1 < fault.atProbe.hit) continue
      this.#armed.delete(fault)
      this.#fire(fault)
    }
  }

  /** What has not fired by now does not. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    this.#armed.clear()
  }
}
