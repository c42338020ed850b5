import type { NodeEvent } from '../../ports/events.ts'
import type { EventProbe } from '../probes/index.ts'

interface Counted {
  readonly probe: EventProbe
  hits: number
}

const NONE: readonly Counted[] = []

/** Counts the hits of probes over the events of a run. */
export class ProbeCounter {
  readonly #all: readonly Counted[]
  /** By the kind of event: most events are of no interest to any probe. */
  readonly #byKind = new Map<string, Counted[]>()
  readonly #onHit: (name: string) => void

  constructor(probes: readonly EventProbe[], onHit: (name: string) => void) {
    this.#all = probes.map((probe) => ({ probe, hits: 0 }))
    this.#onHit = onHit
    for (const counted of this.#all) {
      const { kind } = counted.probe
      const others = this.#byKind.get(kind)
      if (others === undefined) this.#byKind.set(kind, [counted])
      else others.push(counted)
    }
  }

  onEvent(event: NodeEvent): void {
    for (const counted of this.#byKind.get(event.kind) ?? NONE) {
      if (!counted.probe.isHit(event)) continue
      counted.hits += 1
      this.#onHit(counted.probe.name)
    }
  }

  /** Hits of every probe, also of those without any. */
  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#all.map(({ probe, hits }) => [probe.name, hits]))
  }
}
