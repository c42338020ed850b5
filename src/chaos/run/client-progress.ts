import type { HistoryEntry } from '../history/history.ts'
import type { WorkloadPlan } from '../plan/workload-plan.ts'

/** How far the clients of a workload have come, kept as their history grows. */
export class ClientProgress {
  readonly #readers = new Map<string, string>()
  readonly #groups = new Map<string, string>()
  readonly #producers = new Set<string>()
  readonly #acknowledged = new Set<string>()
  /** Next offset by reader (or group) and partition. */
  readonly #next = new Map<string, number>()

  constructor(workload: readonly WorkloadPlan[]) {
    for (const plan of workload) {
      if (plan.kind === 'producer') this.#producers.add(plan.name)
      if (plan.kind === 'reader') this.#readers.set(plan.name, plan.topic)
      if (plan.kind === 'group') this.#groups.set(plan.name, plan.topic)
    }
  }

  onEntry({ kind, process, operation }: HistoryEntry): void {
    if (kind !== 'ok') return
    const actor = actorOf(process)
    if (operation.op === 'send') {
      this.#acknowledged.add(actor)
      return
    }
    if (operation.op !== 'poll') return
    const last = operation.records?.at(-1)
    if (last === undefined) return
    const who = operation.purpose === 'group' ? groupOf(actor) : actor
    const key = `${who} ${operation.topic}-${operation.partition}`
    this.#next.set(key, Math.max(this.#next.get(key) ?? 0, last.offset + 1))
  }

  /** A producer without any acknowledged record yet; null when there is none. */
  silentProducer(): string | null {
    for (const name of this.#producers) {
      if (!this.#acknowledged.has(name)) return name
    }
    return null
  }

  /** A reader or a group that is behind the ends (by `topic-partition`); null when none is. */
  behind(
    ends: ReadonlyMap<string, { readonly topic: string; readonly end: number }>,
    readsPartition: (reader: string, key: string) => boolean,
  ): string | null {
    for (const [who, topic] of [...this.#readers, ...this.#groups]) {
      for (const [key, place] of ends) {
        if (place.topic !== topic || !readsPartition(who, key)) continue
        const next = this.#next.get(`${who} ${key}`) ?? 0
        if (next < place.end) return `${who} is at ${next} of ${place.end} of ${key}`
      }
    }
    return null
  }
}

/** A process is an actor in one of its lives: `name`, `name/2`. */
function actorOf(process: string): string {
  const slash = process.indexOf('/')
  return slash === -1 ? process : process.slice(0, slash)
}

/** Members are `name-1`, `name-2`. */
function groupOf(member: string): string {
  const dash = member.lastIndexOf('-')
  return dash === -1 ? member : member.slice(0, dash)
}
