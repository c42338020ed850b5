/** The greatest number seen so far; -1 before the first. */
export class Greatest {
  #value = -1

  get value(): number {
    return this.#value
  }

  raise(value: number): void {
    if (value > this.#value) this.#value = value
  }
}
