interface Held {
  readonly version: number
  readonly send: () => void
}

/**
 * What this node wants to say to others, in order, each with the version of the quorum state it stands on.
 * Nothing leaves before that version is durable, so that a crash can take no vote and no epoch back (Q2, Q3).
 * Its length is bounded by the requests under way to and from the peers.
 */
export class Outbox {
  #held: Held[] = []

  add(version: number, send: () => void): void {
    this.#held.push({ version, send })
  }

  release(durableVersion: number): void {
    if (this.#held.length === 0) return
    const held = this.#held
    const firstHeld = held.findIndex(({ version }) => version > durableVersion)
    if (firstHeld === 0) return
    this.#held = firstHeld < 0 ? [] : held.slice(firstHeld)
    const ready = firstHeld < 0 ? held : held.slice(0, firstHeld)
    for (const { send } of ready) send()
  }

  clear(): void {
    this.#held = []
  }
}
