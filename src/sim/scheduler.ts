import { assert, present } from '../base/assert.ts'

const EVENTS_PER_INSTANT_LIMIT = 50_000
const COMPACTION_THRESHOLD = 1024

/** One event to come. Good for `Scheduler.cancel`. */
export interface ScheduledEvent {
  readonly tag: string
  readonly atUs: number
  readonly seq: number
  /** Whose event it is, for `owners`. */
  readonly owner: object | null
  /** Null once the event has run or was cancelled. */
  fn: (() => void) | null
}

/**
 * The one clock and the one queue of a simulated world. Time is whole microseconds and moves only by
 * running the next event; events of one instant run in the order in which they were scheduled.
 */
export class Scheduler {
  #nowUs = 0
  #seq = 0
  #heap: ScheduledEvent[] = []
  #cancelled = 0
  #eventsAtInstant = 0
  #eventsRun = 0
  /** Called after every event, with the event's own effects done. */
  onStep: (() => void) | null = null

  get nowUs(): number {
    return this.#nowUs
  }

  get nowMs(): number {
    return this.#nowUs / 1000
  }

  /** Events run since the world began. */
  get eventsRun(): number {
    return this.#eventsRun
  }

  /** Events that will still run. */
  get pending(): number {
    return this.#heap.length - this.#cancelled
  }

  /** Runs `fn` after `delayUs` (at least 0, rounded). An infinite delay never ends. */
  after(delayUs: number, tag: string, fn: () => void, owner: object | null = null): ScheduledEvent {
    if (!(delayUs >= 0)) assert(false, `${tag}: a delay of ${delayUs} us`)
    const event: ScheduledEvent = {
      tag,
      // Never early, by no fraction: who waits for a deadline must find it passed when it wakes.
      atUs: this.#nowUs + Math.ceil(delayUs),
      seq: this.#seq++,
      owner,
      fn,
    }
    if (event.atUs !== Infinity) this.#push(event)
    return event
  }

  /** Safe on an event that has run or was cancelled. */
  cancel(event: ScheduledEvent): void {
    if (event.fn === null) return
    event.fn = null
    if (event.atUs === Infinity) return
    this.#cancelled += 1
    if (this.#cancelled > COMPACTION_THRESHOLD && this.#cancelled * 2 > this.#heap.length) {
      this.#dropCancelled()
    }
  }

  /** Owners of all events that will still run, in the order in which they would. */
  owners(): readonly object[] {
    return this.#heap
      .filter((event) => event.fn !== null)
      .sort((left, right) => (isBefore(left, right) ? -1 : 1))
      .flatMap(({ owner }) => owner ?? [])
  }

  /** Time of the next event; Infinity when there is none. */
  nextAtUs(): number {
    while (this.#heap[0]?.fn === null) {
      this.#pop()
      this.#cancelled -= 1
    }
    return this.#heap[0]?.atUs ?? Infinity
  }

  /** Runs the next event unless it lies after `limitUs`; says whether it ran one. */
  step(limitUs = Infinity): boolean {
    const atUs = this.nextAtUs()
    if (atUs > limitUs || atUs === Infinity) return false
    const event = this.#pop()
    this.#eventsAtInstant = atUs === this.#nowUs ? this.#eventsAtInstant + 1 : 1
    if (this.#eventsAtInstant > EVENTS_PER_INSTANT_LIMIT) {
      throw new Error(
        `livelock: over ${EVENTS_PER_INSTANT_LIMIT} events at ${atUs} us, ${event.tag}`,
      )
    }
    this.#nowUs = atUs
    this.#eventsRun += 1
    const fn = present(event.fn, 'function of an event')
    event.fn = null
    fn()
    this.onStep?.()
    return true
  }

  /** Runs all events up to and at `atUs`; then it is `atUs`. */
  runUntilUs(atUs: number): void {
    assert(atUs >= this.#nowUs && atUs < Infinity, `run until ${atUs} us at ${this.#nowUs} us`)
    while (this.step(atUs));
    if (atUs > this.#nowUs) this.#eventsAtInstant = 0
    this.#nowUs = atUs
  }

  #push(event: ScheduledEvent): void {
    this.#heap.push(event)
    this.#siftUp(this.#heap.length - 1)
  }

  #pop(): ScheduledEvent {
    const first = present(this.#heap[0], 'first event')
    const last = present(this.#heap.pop(), 'last event')
    if (this.#heap.length > 0) {
      this.#heap[0] = last
      this.#siftDown(0)
    }
    return first
  }

  #siftUp(from: number): void {
    const heap = this.#heap
    const event = eventAt(heap, from)
    let index = from
    while (index > 0) {
      const parentIndex = (index - 1) >>> 1
      const parent = eventAt(heap, parentIndex)
      if (!isBefore(event, parent)) break
      heap[index] = parent
      index = parentIndex
    }
    heap[index] = event
  }

  #siftDown(from: number): void {
    const heap = this.#heap
    const event = eventAt(heap, from)
    let index = from
    for (;;) {
      let childIndex = 2 * index + 1
      let child = heap[childIndex]
      if (child === undefined) break
      const right = heap[childIndex + 1]
      if (right !== undefined && isBefore(right, child)) {
        childIndex += 1
        child = right
      }
      if (!isBefore(child, event)) break
      heap[index] = child
      index = childIndex
    }
    heap[index] = event
  }

  #dropCancelled(): void {
    this.#heap = this.#heap.filter((event) => event.fn !== null)
    this.#cancelled = 0
    for (let index = (this.#heap.length >>> 1) - 1; index >= 0; index -= 1) this.#siftDown(index)
  }
}

function eventAt(heap: readonly ScheduledEvent[], index: number): ScheduledEvent {
  const event = heap[index]
  if (event === undefined) assert(false, `event ${index} of ${heap.length}`)
  return event
}

function isBefore(left: ScheduledEvent, right: ScheduledEvent): boolean {
  return left.atUs < right.atUs || (left.atUs === right.atUs && left.seq < right.seq)
}
