import { setTimeout as pause } from 'node:timers/promises'
import type { StageNode } from './stage-node.ts'

const POLL_MS = 20

/**
 * Starts nodes in the background and takes them down again. A fault may hit a node that is still starting: that start
 * fails because of the fault, which is no failure of the node.
 */
export class NodeLives {
  readonly #starts = new Map<StageNode, Promise<void>>()
  /** Nodes whose start was ended on purpose. */
  readonly #takenDown = new Set<StageNode>()
  readonly #onFailed: (node: StageNode, error: unknown) => void
  #isClosed = false

  /** `onFailed` hears of a start that failed by itself. */
  constructor(onFailed: (node: StageNode, error: unknown) => void) {
    this.#onFailed = onFailed
  }

  /** The name of a node whose start is under way; null when there is none. */
  get starting(): string | null {
    const [node] = this.#starts.keys()
    return node?.name ?? null
  }

  /** Nothing happens when it is up or starts already. */
  start(node: StageNode): void {
    if (this.#isClosed || node.isUp || this.#starts.has(node)) return
    this.#starts.set(node, this.#run(node))
  }

  /** SIGKILL; resolves when it is over, its start too. */
  kill(node: StageNode): Promise<void> {
    return this.#takeDown(node, () => node.kill())
  }

  /** A controlled shutdown; resolves when it is over, its start too. */
  shutDown(node: StageNode): Promise<void> {
    return this.#takeDown(node, () => node.shutdown())
  }

  /** Kills all of them, what is about to start as well; none starts any more. */
  async close(nodes: readonly StageNode[]): Promise<void> {
    this.#isClosed = true
    await Promise.all(nodes.map((node) => this.kill(node)))
  }

  async #run(node: StageNode): Promise<void> {
    try {
      await node.start()
    } catch (error) {
      if (!this.#takenDown.has(node)) this.#onFailed(node, error)
    } finally {
      this.#starts.delete(node)
    }
  }

  async #takeDown(node: StageNode, end: () => Promise<void>): Promise<void> {
    const start = this.#starts.get(node)
    if (start === undefined) return end()
    this.#takenDown.add(node)
    await end()
    const over = start.then(() => true)
    // A start that still waited for something, such as the end of the last life, has its process only now.
    while (!(await Promise.race([over, pause(POLL_MS, false)]))) if (node.isUp) await node.kill()
    this.#takenDown.delete(node)
  }
}
