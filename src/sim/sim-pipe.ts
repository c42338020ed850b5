import { present } from '../base/assert.ts'
import type { Scheduler } from './scheduler.ts'

/** What travels from one end of a connection to the other. */
export type PipeItem =
  | { readonly kind: 'open' | 'accepted' | 'refused' | 'end' | 'reset' }
  | { readonly kind: 'data'; readonly bytes: Buffer }

export interface SimPipeOptions {
  readonly scheduler: Scheduler
  readonly from: string
  readonly to: string
  readonly latencyUs: () => number
  readonly isCut: () => boolean
  /** Called once when items begin to wait for the link to heal. */
  readonly onStalled: (pipe: SimPipe) => void
  readonly onArrived: (item: PipeItem) => void
}

/** One direction of a simulated connection: items arrive late, in order, and not while the link is cut. */
export class SimPipe {
  readonly from: string
  readonly to: string
  /** Data sent and not yet taken by the receiver's handler. */
  bufferedBytes = 0
  readonly #options: SimPipeOptions
  readonly #items: PipeItem[] = []
  #lastArrivalUs = 0
  #stalledArrivals = 0

  constructor(options: SimPipeOptions) {
    this.#options = options
    this.from = options.from
    this.to = options.to
  }

  send(item: PipeItem): void {
    if (item.kind === 'data') this.bufferedBytes += item.bytes.length
    this.#items.push(item)
    this.#scheduleArrival()
  }

  /** Microseconds until all that was sent so far has arrived, if the link holds. */
  untilLastArrivalUs(): number {
    return Math.max(0, this.#lastArrivalUs - this.#options.scheduler.nowUs)
  }

  /** The link is healed: what waited sets out again. */
  resume(): void {
    const count = this.#stalledArrivals
    this.#stalledArrivals = 0
    for (let arrival = 0; arrival < count; arrival += 1) this.#scheduleArrival()
  }

  #scheduleArrival(): void {
    const { scheduler, latencyUs } = this.#options
    const arrivalUs = Math.max(scheduler.nowUs + latencyUs(), this.#lastArrivalUs)
    this.#lastArrivalUs = arrivalUs
    scheduler.after(arrivalUs - scheduler.nowUs, 'network.arrival', () => this.#arrive())
  }

  #arrive(): void {
    if (this.#stalledArrivals > 0 || this.#options.isCut()) {
      if (this.#stalledArrivals === 0) this.#options.onStalled(this)
      this.#stalledArrivals += 1
      return
    }
    this.#options.onArrived(present(this.#items.shift(), 'item of an arrival'))
  }
}
