import type { HistoryEntry } from '../history/history.ts'
import type { OwnershipOperation } from '../history/operation.ts'
import type { WorkloadPlan } from '../plan/workload-plan.ts'

/** How far the clients of a workload have come, kept as their history grows. */
export class ClientProgress {
  readonly #readers = new Map<string, string>()
  readonly #groups = new Map<string, string>()
  readonly #producers = new Set<string>()
  readonly #acknowledged = new Set<string>()
  /** Next offset by reader (in its last life) or group, and by partition. */
  readonly #next = new Map<string, Map<string, number>>()
  /** What the newest generation of each group gave to its members. */
  readonly #given = new Map<string, { generation: number; readonly keys: Set<string> }>()
  /** The last life of each reader. */
  readonly #lives = new Map<string, number>()

  constructor(workload: readonly WorkloadPlan[]) {
    for (const plan of workload) {
      if (plan.kind === 'producer') this.#producers.add(plan.name)
      if (plan.kind === 'reader') this.#readers.set(plan.name, plan.topic)
      if (plan.kind === 'group') this.#groups.set(plan.name, plan.topic)
    }
  }

  onEntry({ kind, process, operation }: HistoryEntry): void {
    const actor = actorOf(process)
    if (kind === 'invoke') this.#noteLife(actor, process)
    if (kind !== 'ok') return
    if (operation.op === 'send') {
      this.#acknowledged.add(actor)
      return
    }
    if (operation.op === 'assigned') return this.#noteAssigned(groupOf(actor), operation)
    if (operation.op !== 'poll') return
    const last = operation.records?.at(-1)
    if (last === undefined) return
    const next = this.#nextOf(operation.purpose === 'group' ? groupOf(actor) : actor)
    const key = `${operation.topic}-${operation.partition}`
    next.set(key, Math.max(next.get(key) ?? 0, last.offset + 1))
  }

  /** A producer without any acknowledged record yet; null when there is none. */
  silentProducer(): string | null {
    for (const name of this.#producers) {
      if (!this.#acknowledged.has(name)) return name
    }
    return null
  }

  /**
   * A reader or a group that is behind the ends (by `topic-partition`), or a group whose newest generation leaves a
   * partition to nobody; null when there is none.
   */
  behind(
    ends: ReadonlyMap<string, { readonly topic: string; readonly end: number }>,
    readsPartition: (reader: string, key: string) => boolean,
  ): string | null {
    for (const [who, topic] of [...this.#readers, ...this.#groups]) {
      for (const [key, place] of ends) {
        if (place.topic !== topic || !readsPartition(who, key)) continue
        const next = this.#nextOf(who).get(key) ?? 0
        if (next < place.end) return `${who} is at ${next} of ${place.end} of ${key}`
        const isGiven = !this.#groups.has(who) || this.#given.get(who)?.keys.has(key) === true
        if (!isGiven) return `${who} has given ${key} to nobody`
      }
    }
    return null
  }

  /** A reader that crashed begins at the beginning again; a group goes on where it was. */
  #noteLife(actor: string, process: string): void {
    if (!this.#readers.has(actor)) return
    const life = lifeOf(process)
    if (life <= (this.#lives.get(actor) ?? 1)) return
    this.#lives.set(actor, life)
    this.#next.delete(actor)
  }

  #noteAssigned(
    group: string,
    {
      generation,
      topic,
      partitions,
    }: Pick<OwnershipOperation, 'generation' | 'topic' | 'partitions'>,
  ): void {
    let given = this.#given.get(group)
    if (given !== undefined && generation < given.generation) return
    if (given === undefined || generation > given.generation) {
      given = { generation, keys: new Set() }
      this.#given.set(group, given)
    }
    for (const partition of partitions) given.keys.add(`${topic}-${partition}`)
  }

  #nextOf(who: string): Map<string, number> {
    let next = this.#next.get(who)
    if (next === undefined) {
      next = new Map()
      this.#next.set(who, next)
    }
    return next
  }
}

/** 1 for `name`, 2 for `name/2`. */
function lifeOf(process: string): number {
  const slash = process.indexOf('/')
  return slash === -1 ? 1 : Number(process.slice(slash + 1))
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
