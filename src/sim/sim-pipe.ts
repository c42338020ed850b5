import { present } from '../base/assert.ts'
import { isBlocked, type SimLink } from './sim-link.ts'
import type { ScheduledEvent, Scheduler } from './scheduler.ts'
import type { SimRandom } from './sim-random.ts'

/** What travels from one end of a connection to the other. */
export type PipeItem =
  | { readonly kind: 'open' | 'accepted' | 'refused' | 'end' | 'reset' }
  | { readonly kind: 'data'; readonly bytes: Buffer }

export interface SimPipeOptions {
  readonly scheduler: Scheduler
  readonly link: SimLink
  readonly latencyUs: (link: SimLink) => number
  /** Called once when items begin to wait for `resume`. */
  readonly onStalled: (pipe: SimPipe) => void
  readonly onArrived: (item: PipeItem) => void
  /** Data was swallowed: see `lose`. */
  readonly onLost: () => void
}

interface UnderWay {
  readonly item: PipeItem
  atUs: number
}

const RESET: PipeItem = { kind: 'reset' }

/** One direction of a simulated connection: items arrive late, in order, and not while the link is cut. */
export class SimPipe {
  readonly link: SimLink
  /** Data sent and not yet taken by the receiver's handler. */
  bufferedBytes = 0
  readonly #options: SimPipeOptions
  readonly #items: UnderWay[] = []
  #lastArrivalUs = 0
  /** Of the first item; only one event at a time is on the way. */
  #arrival: ScheduledEvent | null = null
  #isStalled = false
  #isHeld = false
  #isLosing = false
  #isBroken = false

  constructor(options: SimPipeOptions) {
    this.#options = options
    this.link = options.link
  }

  get isEmpty(): boolean {
    return this.#items.length === 0
  }

  send(item: PipeItem): void {
    if (this.#isBroken) return
    if (item.kind === 'data') {
      if (this.#isLosing) {
        this.#options.onLost()
        return
      }
      this.bufferedBytes += item.bytes.length
    }
    this.#items.push({ item, atUs: this.#nextArrivalUs() })
    if (this.#arrival === null && !this.#isStalled) this.#scheduleArrival()
  }

  /** Microseconds until all that was sent so far has arrived, if the link holds. */
  untilLastArrivalUs(): number {
    return Math.max(0, this.#lastArrivalUs - this.#options.scheduler.nowUs)
  }

  /** Nothing arrives until the release. */
  hold(): void {
    this.#isHeld = true
  }

  release(): void {
    this.#isHeld = false
    this.resume()
  }

  /** The link may be free again: then what waited sets out. Says whether nothing waits any more. */
  resume(): boolean {
    if (!this.#isStalled) return true
    if (this.#isStopped()) return false
    this.#isStalled = false
    this.#lastArrivalUs = 0
    for (const underWay of this.#items) underWay.atUs = this.#nextArrivalUs()
    this.#scheduleArrival()
    return true
  }

  /** Data under way and data sent later is swallowed; `onLost` is called at each loss. */
  lose(): void {
    this.#isLosing = true
    if (this.#items.some(({ item }) => item.kind === 'data')) this.#options.onLost()
  }

  /** Ends a loss that has hit nothing. */
  stopLosing(): void {
    this.#isLosing = false
  }

  /**
   * All under way is lost, but with `random` perhaps a first part of the next data, cut anywhere; then a
   * reset arrives, and nothing after it.
   */
  breakOff(random: SimRandom | null): void {
    if (this.#isBroken) return
    const first = this.#items[0]?.item
    for (const { item } of this.#items.splice(0)) {
      if (item.kind === 'data') this.bufferedBytes -= item.bytes.length
    }
    if (this.#arrival !== null) this.#options.scheduler.cancel(this.#arrival)
    this.#arrival = null
    this.#isLosing = false
    if (random !== null && first?.kind === 'data' && random.chance(500)) {
      const bytes = first.bytes.subarray(0, random.below(first.bytes.length))
      if (bytes.length > 0) this.send({ kind: 'data', bytes })
    }
    this.send(RESET)
    this.#isBroken = true
  }

  #isStopped(): boolean {
    return this.#isHeld || isBlocked(this.link)
  }

  #nextArrivalUs(): number {
    const { scheduler, latencyUs } = this.#options
    const atUs = Math.max(scheduler.nowUs + latencyUs(this.link), this.#lastArrivalUs)
    this.#lastArrivalUs = atUs
    return atUs
  }

  #scheduleArrival(): void {
    const first = this.#items[0]
    if (first === undefined) return
    const { scheduler } = this.#options
    const delayUs = Math.max(0, first.atUs - scheduler.nowUs)
    this.#arrival = scheduler.after(delayUs, 'network.arrival', this.#arrive)
  }

  readonly #arrive = (): void => {
    this.#arrival = null
    if (this.#isStopped()) {
      this.#isStalled = true
      this.#options.onStalled(this)
      return
    }
    const items = this.#items
    // Nearly always it is the only one; `shift` is the dearer way to the same.
    const { item } = present(items.length === 1 ? items.pop() : items.shift(), 'item of an arrival')
    this.#scheduleArrival()
    this.#options.onArrived(item)
  }
}
