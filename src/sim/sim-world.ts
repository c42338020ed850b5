import type { NodeEvent } from '../ports/events.ts'
import type { Latency } from './latency.ts'
import type { PowerCutMode } from './power-cut.ts'
import { realTurn } from './real-turn.ts'
import { Scheduler } from './scheduler.ts'
import { SimDisk } from './sim-disk.ts'
import { SimNetwork } from './sim-network.ts'
import { SimNode } from './sim-node.ts'
import { SimProcessor, type StepNote } from './sim-processor.ts'
import { SimRandom } from './sim-random.ts'
import { SimStore } from './sim-store.ts'
import { Trace } from './trace.ts'

const NETWORK_LATENCY: Latency = { minUs: 50, maxUs: 500, tailPermille: 1, tailFactor: 20 }
const FSYNC_LATENCY: Latency = { minUs: 200, maxUs: 3000, tailPermille: 2, tailFactor: 10 }
const HIGH_WATER_BYTES = 1024 * 1024
const HANDLER_COST_US = 20

export interface SimWorldOptions {
  /** A safe integer of at least 0. The same seed and the same code give the same trace. */
  readonly seed: number
  /** One-way time of every piece of data; 0.05 to 0.5 ms, rarely 20 times that. */
  readonly networkLatency?: Latency
  /** Time of an fsync and of a store's sync; 0.2 to 3 ms, rarely 10 times that. */
  readonly fsyncLatency?: Latency
  /** Of a thousand writes, so many arrive in two pieces; 100. */
  readonly cutPermille?: number
  /** Bytes under way beyond which `Connection.write` asks to wait; 1 MiB. */
  readonly highWaterBytes?: number
  /** Virtual time that a message costs the node that handles it, a timer half; 20. See `SimNode.costFactor`. */
  readonly handlerCostUs?: number
  /** How power cuts treat bytes that were not synced; drawn at each cut when it is left out. */
  readonly powerCut?: PowerCutMode
}

/** After which events `runUntilAsync` lets promises settle. */
export interface AsyncRunOptions {
  /** `each` (the default) or only those of nodes that are marked `SimNode.mayAwait`. */
  readonly settles?: 'each' | 'marked'
}

type StepListener = (node: string | null) => void

/**
 * A world in one thread: nodes with a clock, links, disks and stores of their own, all driven by one
 * queue of events. Nothing happens outside `runFor`, `runUntil` and `scheduler.step`.
 */
export class SimWorld {
  readonly seed: number
  readonly scheduler = new Scheduler()
  readonly trace = new Trace()
  readonly network: SimNetwork
  readonly #random: SimRandom
  readonly #options: SimWorldOptions
  readonly #step: StepNote = { node: null, mayAwait: false }
  readonly #stepListeners: StepListener[] = []
  readonly #nodes = new Map<string, SimNode>()
  readonly #listeners: ((event: NodeEvent) => void)[] = []

  constructor(options: SimWorldOptions) {
    this.seed = options.seed
    this.#random = SimRandom.ofSeed(options.seed)
    this.#options = options
    this.scheduler.onStep = this.#onStep
    this.network = new SimNetwork({
      scheduler: this.scheduler,
      random: this.#random.fork('network'),
      trace: this.trace,
      latency: options.networkLatency ?? NETWORK_LATENCY,
      cutPermille: options.cutPermille ?? 100,
      highWaterBytes: options.highWaterBytes ?? HIGH_WATER_BYTES,
    })
  }

  /** The node of this name, created (and up) when it is asked for first. */
  node(name: string): SimNode {
    const known = this.#nodes.get(name)
    if (known !== undefined) return known
    const node = this.#createNode(name)
    this.#nodes.set(name, node)
    return node
  }

  /** An independent stream of the world's randomness, for workloads and faults. */
  random(label: string): SimRandom {
    return this.#random.fork(`world ${label}`)
  }

  /** Calls `listener` with every event of every node, as it is emitted. It may crash nodes. */
  onEvent(listener: (event: NodeEvent) => void): void {
    this.#listeners.push(listener)
  }

  /**
   * Calls `listener` after every event of the queue, with the node whose code ran; null when only links or
   * disks worked.
   */
  afterStep(listener: StepListener): void {
    this.#stepListeners.push(listener)
  }

  runFor(ms: number): void {
    this.scheduler.runUntilUs(this.scheduler.nowUs + Math.round(ms * 1000))
  }

  /** Runs until `predicate` holds after an event, at most `limitMs`. False when it never held. */
  runUntil(predicate: () => boolean, limitMs: number): boolean {
    const limitUs = this.scheduler.nowUs + Math.round(limitMs * 1000)
    while (!predicate()) {
      if (this.scheduler.step(limitUs)) continue
      this.scheduler.runUntilUs(limitUs)
      return predicate()
    }
    return true
  }

  /**
   * As `runUntil` for code that awaits: after an event a real turn of the event loop passes, in which every
   * promise and next tick that the event has set off runs, before the next event is taken.
   */
  async runUntilAsync(
    predicate: () => boolean,
    limitMs: number,
    options: AsyncRunOptions = {},
  ): Promise<boolean> {
    const limitUs = this.scheduler.nowUs + Math.round(limitMs * 1000)
    const settlesEach = options.settles !== 'marked'
    await realTurn()
    while (!predicate()) {
      this.#step.mayAwait = false
      if (this.scheduler.step(limitUs)) {
        if (settlesEach || this.#step.mayAwait) await realTurn()
        continue
      }
      this.scheduler.runUntilUs(limitUs)
      return predicate()
    }
    return true
  }

  readonly #onStep = (): void => {
    const { node } = this.#step
    this.#step.node = null
    for (const listener of this.#stepListeners) listener(node)
  }

  #createNode(name: string): SimNode {
    const random = this.#random.fork(`node ${name}`)
    const { scheduler, network } = this
    const { fsyncLatency = FSYNC_LATENCY, powerCut, handlerCostUs } = this.#options
    const disk = new SimDisk({
      scheduler,
      random: random.fork('disk'),
      fsyncLatency,
      note: (kind, fields) => this.trace.add(scheduler.nowUs, name, kind, fields),
      ...(powerCut === undefined ? {} : { powerCut }),
    })
    return new SimNode({
      name,
      scheduler,
      network,
      disk,
      store: new SimStore({
        scheduler,
        random: random.fork('store'),
        syncLatency: fsyncLatency,
        disk,
      }),
      processor: new SimProcessor({
        scheduler,
        name,
        handlerCostUs: handlerCostUs ?? HANDLER_COST_US,
        step: this.#step,
      }),
      random,
      emit: (kind, fields) => this.#emit(name, kind, fields),
    })
  }

  #emit(node: string, kind: string, fields: NodeEvent['fields']): void {
    this.trace.add(this.scheduler.nowUs, node, kind, fields)
    if (this.#listeners.length === 0) return
    const event: NodeEvent = { atMs: this.scheduler.nowMs, node, kind, fields }
    for (const listener of this.#listeners) listener(event)
  }
}
