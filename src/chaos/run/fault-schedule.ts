import type { Fault } from '../plan/fault.ts'

export interface FaultScheduleOptions {
  after(delayMs: number, fn: () => void): void
  /** Injects; `isInStep` when it comes from inside a node's own step, by a probe. */
  fire(fault: Fault, isInStep: boolean): void
}

/** A fault that waits for a probe. */
interface Waiting {
  readonly fault: Fault
  hitsLeft: number
}

/** When the faults of a plan fire: at their time, or at a hit of a probe after it. */
export class FaultSchedule {
  readonly #options: FaultScheduleOptions
  readonly #waiting = new Map<string, Waiting[]>()
  #isOver = false

  constructor(options: FaultScheduleOptions) {
    this.#options = options
  }

  /** The times of the faults count from now on. */
  begin(faults: readonly Fault[]): void {
    for (const fault of faults) {
      this.#options.after(fault.atMs, () => {
        if (this.#isOver) return
        if (fault.atProbe === undefined) this.#options.fire(fault, false)
        else this.#await(fault, fault.atProbe.name, fault.atProbe.hit)
      })
    }
  }

  /** Nothing fires any more. */
  end(): void {
    this.#isOver = true
    this.#waiting.clear()
  }

  /** A probe was hit. */
  onProbe(name: string): void {
    const waiting = this.#waiting.get(name)
    if (waiting === undefined) return
    for (const each of waiting.slice()) {
      each.hitsLeft -= 1
      if (each.hitsLeft > 0) continue
      waiting.splice(waiting.indexOf(each), 1)
      this.#options.fire(each.fault, true)
    }
    if (waiting.length === 0) this.#waiting.delete(name)
  }

  #await(fault: Fault, name: string, hit: number): void {
    const waiting = this.#waiting.get(name) ?? []
    this.#waiting.set(name, waiting)
    waiting.push({ fault, hitsLeft: hit })
  }
}
