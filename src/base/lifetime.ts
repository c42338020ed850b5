/**
 * One life of a node that can be killed without its process. Every callback into the node goes through
 * `run`, so nothing of a dead life runs again.
 */
export class Lifetime {
  #isAlive = true

  get isAlive(): boolean {
    return this.#isAlive
  }

  end(): void {
    this.#isAlive = false
  }

  /** Runs `fn` if this life lasts. What a step throws after its own node was killed is nobody's concern. */
  run(fn: () => void): void {
    if (!this.#isAlive) return
    try {
      fn()
    } catch (error) {
      if (this.#isAlive) throw error
    }
  }
}
