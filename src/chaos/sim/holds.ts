import type { SimWorld } from '../../sim/sim-world.ts'

/** A state of the world that several faults may want at the same time; it ends with the last of them. */
export class Holds {
  readonly #world: SimWorld
  readonly #counts = new Map<string, number>()
  readonly #values = new Map<string, number[]>()

  constructor(world: SimWorld) {
    this.#world = world
  }

  /** Cuts one direction; the result joins it again. */
  cut(from: string, to: string): () => void {
    const { network } = this.#world
    return this.#counted(
      `cut ${from} ${to}`,
      () => network.cut(from, to),
      () => network.heal(from, to),
    )
  }

  /** Holds what is under way between two hosts, both ways. */
  hold(one: string, other: string): () => void {
    const { network } = this.#world
    const [a, b] = one < other ? [one, other] : [other, one]
    return this.#counted(
      `hold ${a} ${b}`,
      () => network.hold(a, b),
      () => network.release(a, b),
    )
  }

  /** While several lasts, the newest value counts; `apply` is told of each change, last of `usual`. */
  value(key: string, value: number, usual: number, apply: (value: number) => void): () => void {
    const values = this.#values.get(key) ?? []
    this.#values.set(key, values)
    values.push(value)
    apply(value)
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      values.splice(values.lastIndexOf(value), 1)
      apply(values.at(-1) ?? usual)
    }
  }

  #counted(key: string, begin: () => void, end: () => void): () => void {
    const count = this.#counts.get(key) ?? 0
    this.#counts.set(key, count + 1)
    if (count === 0) begin()
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      const left = (this.#counts.get(key) ?? 1) - 1
      this.#counts.set(key, left)
      if (left === 0) end()
    }
  }
}
