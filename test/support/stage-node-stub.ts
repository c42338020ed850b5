import type { NodeAddresses, StageNode } from '../../src/chaos/real/stage-node.ts'

/** A node of a stage without a process: a test says when its start ends, and how. */
export class StageNodeStub implements StageNode {
  readonly id = 1
  readonly isVoter = true
  readonly directory = 'data'
  readonly isPaused = false
  readonly addresses: NodeAddresses = {
    host: 'n1',
    client: { port: 1, proxyPort: 2 },
    controller: null,
  }
  readonly name: string
  /** A start waits for the end of an earlier life: it has no process until `beginNow`. */
  isWaiting = false
  isUp = false
  starts = 0
  #begun = Promise.withResolvers<void>()
  #served = Promise.withResolvers<void>()
  #last: Promise<void> = Promise.resolve()

  constructor(name: string) {
    this.name = name
  }

  start(): Promise<void> {
    this.starts += 1
    this.#begun = Promise.withResolvers()
    this.#served = Promise.withResolvers()
    this.#last = this.#run()
    if (!this.isWaiting) this.beginNow()
    return this.#last
  }

  beginNow(): void {
    this.isUp = true
    this.#begun.resolve()
  }

  serve(): void {
    this.#served.resolve()
  }

  fail(reason: string): void {
    this.isUp = false
    this.#served.reject(new Error(reason))
  }

  /** Resolves when the last start has ended and everybody has heard of it. */
  async settled(): Promise<void> {
    await this.#last.catch(() => undefined)
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }

  kill(): Promise<void> {
    if (this.isUp) this.fail('it was ended')
    return Promise.resolve()
  }

  shutdown(): Promise<void> {
    return this.kill()
  }

  pause(): void {}

  resume(): void {}

  abandon(): void {}

  async #run(): Promise<void> {
    await this.#begun.promise
    await this.#served.promise
  }
}
