import type { Lifetime } from '../base/lifetime.ts'
import type { Scheduler } from './scheduler.ts'

/** What the world's listeners want to know of the event that has just run. */
export interface StepNote {
  /** The node whose code ran; null when none did. */
  node: string | null
  /** Promises of that node may have been resolved. */
  mayAwait: boolean
}

/** How heavy a piece of work is, of a thousand parts of the node's handler cost. */
export const WORK_PERMILLE = {
  message: 1000,
  timer: 500,
  completion: 500,
} as const

export type Work = keyof typeof WORK_PERMILLE

export interface SimProcessorOptions {
  readonly scheduler: Scheduler
  readonly name: string
  /** Virtual time that a message costs the node that handles it. */
  readonly handlerCostUs: number
  readonly step: StepNote
}

interface Task {
  readonly lifetime: Lifetime
  readonly work: Work
  readonly fn: () => void
}

/**
 * The one processor of a simulated node. Everything that runs on the node goes through `deliver`: at once
 * when the node is idle, in order of arrival later when it is busy or paused.
 */
export class SimProcessor {
  /** Multiplies what work costs; a slow node has more than 1. */
  costFactor = 1
  /** The node's code uses promises, so the world lets them settle after each of its events. */
  mayAwait = false
  readonly #options: SimProcessorOptions
  #isPaused = false
  #busyUntilUs = 0
  #queue: Task[] = []
  #queueHead = 0
  #isWakeSet = false

  constructor(options: SimProcessorOptions) {
    this.#options = options
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Work that waits. */
  get backlog(): number {
    return this.#queue.length - this.#queueHead
  }

  deliver(lifetime: Lifetime, work: Work, fn: () => void): void {
    if (!lifetime.isAlive) return
    if (!this.#isPaused && this.backlog === 0 && this.#isIdle()) {
      this.#run(lifetime, work, fn)
      return
    }
    this.#queue.push({ lifetime, work, fn })
    this.#setWake()
  }

  pause(): void {
    this.#isPaused = true
  }

  /** What waited runs now, in its order, as fast as the processor can. */
  resume(): void {
    this.#isPaused = false
    this.#setWake()
  }

  /** The life that ran here is over, and all that waited for it. */
  reset(): void {
    this.#isPaused = false
    this.#busyUntilUs = 0
    this.#queue = []
    this.#queueHead = 0
  }

  #isIdle(): boolean {
    return this.#busyUntilUs <= this.#options.scheduler.nowUs
  }

  #run(lifetime: Lifetime, work: Work, fn: () => void): void {
    const { scheduler, name, handlerCostUs, step } = this.#options
    const costUs = handlerCostUs * this.costFactor * (WORK_PERMILLE[work] / 1000)
    this.#busyUntilUs = scheduler.nowUs + costUs
    step.node = name
    step.mayAwait ||= this.mayAwait
    lifetime.run(fn)
  }

  #setWake(): void {
    if (this.#isWakeSet || this.#isPaused || this.backlog === 0) return
    this.#isWakeSet = true
    const { scheduler } = this.#options
    scheduler.after(Math.max(0, this.#busyUntilUs - scheduler.nowUs), 'processor.next', this.#next)
  }

  // One piece of work an event, so that the world's listeners see the state after each.
  readonly #next = (): void => {
    this.#isWakeSet = false
    if (this.#isPaused) return
    const task = this.#takeLiving()
    if (task !== null && this.#isIdle()) this.#run(task.lifetime, task.work, task.fn)
    this.#setWake()
  }

  #takeLiving(): Task | null {
    if (!this.#isIdle()) return null
    for (;;) {
      const task = this.#queue[this.#queueHead]
      if (task === undefined) return null
      this.#queueHead += 1
      if (this.#queueHead === this.#queue.length) {
        this.#queue = []
        this.#queueHead = 0
      }
      if (task.lifetime.isAlive) return task
    }
  }
}
