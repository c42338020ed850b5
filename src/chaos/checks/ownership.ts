import type { OwnershipOperation } from '../history/operation.ts'
import type { GroupPlan } from '../plan/workload-plan.ts'
import type { Finding } from './finding.ts'
import type { HistoryIndex } from './history-index.ts'
import type { HistoryRule } from './history-rule.ts'
import { actorOf } from './plan-facts.ts'

/**
 * G1: in a generation no partition has two owners. Members of different generations may overlap: one that was
 * thrown out does not know it yet.
 */
export const singleOwner: HistoryRule = {
  invariant: 'G1',
  judge(history, finding) {
    const owners = new Owners()
    for (const { operation, process, atMs } of history.ownerships) {
      for (const { name, other } of owners.apply(process, operation)) {
        finding.look()
        if (other === null) continue
        finding.violated(
          atMs,
          `${process} and ${other} both own ${name} in generation ${operation.generation} of ${operation.group}`,
        )
      }
    }
  },
}

/** A generation that lasted so many session timeouts was not just about to be replaced. */
const QUIET_SESSIONS = 3

/** G9: a generation that lasts gives every partition to somebody. Members that stop at the end leave without another. */
export const completeAssignment: HistoryRule = {
  invariant: 'G9',
  judge(history, finding) {
    for (const [group, plan] of history.facts.groups) checkComplete(history, group, plan, finding)
  },
}

interface Holding {
  readonly group: string
  generation: number
  readonly partitions: Set<string>
}

interface Acquired {
  readonly name: string
  /** Who has it in the same generation. */
  readonly other: string | null
}

/** Who owns what, by generation. What a member keeps through a rebalance it owns in the new generation. */
class Owners {
  readonly #holdings = new Map<string, Holding>()
  /** By group, generation and partition. */
  readonly #owners = new Map<string, string>()
  readonly #lives = new Map<string, string>()

  apply(
    process: string,
    { op, group, generation, topic, partitions }: OwnershipOperation,
  ): Acquired[] {
    this.#endEarlierLife(process)
    const held = this.#holdings.get(process) ?? { group, generation, partitions: new Set() }
    this.#holdings.set(process, held)
    const names = partitions.map((partition) => `${topic}-${partition}`)
    if (op !== 'assigned') {
      for (const name of names) this.#release(process, held, name)
      return []
    }
    const kept = generation > held.generation ? [...held.partitions] : []
    for (const name of kept) this.#release(process, held, name)
    held.generation = generation
    const acquired: Acquired[] = []
    for (const name of new Set([...kept, ...names])) {
      acquired.push({ name, other: this.#acquire(process, held, name) })
    }
    return acquired
  }

  #acquire(process: string, held: Holding, name: string): string | null {
    const key = `${held.group} ${held.generation} ${name}`
    const other = this.#owners.get(key)
    this.#owners.set(key, process)
    held.partitions.add(name)
    return other === undefined || other === process ? null : other
  }

  #release(process: string, held: Holding, name: string): void {
    held.partitions.delete(name)
    const key = `${held.group} ${held.generation} ${name}`
    if (this.#owners.get(key) === process) this.#owners.delete(key)
  }

  /** A crashed client gives nothing up; its next life begins without anything. */
  #endEarlierLife(process: string): void {
    const actor = actorOf(process)
    const earlier = this.#lives.get(actor)
    this.#lives.set(actor, process)
    if (earlier === undefined || earlier === process) return
    const held = this.#holdings.get(earlier)
    for (const name of [...(held?.partitions ?? [])]) if (held) this.#release(earlier, held, name)
    this.#holdings.delete(earlier)
  }
}

function checkComplete(
  history: HistoryIndex,
  group: string,
  { topic, sessionTimeoutMs }: GroupPlan,
  finding: Finding,
): void {
  const final = history.polls.find(({ operation }) => operation.purpose === 'final')
  if (final === undefined || !history.evidence.isFinalReadComplete) return finding.unknown()
  let newest = -1
  let beganMs = 0
  const owned = new Set<string>()
  for (const { operation, atMs } of history.ownerships) {
    if (operation.group !== group || operation.op !== 'assigned') continue
    if (operation.generation > newest) {
      newest = operation.generation
      beganMs = atMs
      owned.clear()
    }
    if (operation.generation < newest) continue
    for (const partition of operation.partitions) owned.add(`${operation.topic}-${partition}`)
  }
  const { healedAtMs = 0, membersStoppedAtMs = final.atMs } = history.evidence
  if (newest === -1) beganMs = healedAtMs
  const lasted = (fromMs: number): boolean =>
    fromMs + QUIET_SESSIONS * sessionTimeoutMs <= membersStoppedAtMs
  if (!lasted(beganMs)) return
  const names = Array.from(
    { length: history.facts.partitionsOf(topic) },
    (_, index) => `${topic}-${index}`,
  )
  const missing = names.filter((name) => !owned.has(name))
  // A group that faults kept from its next generation has as long from the heal on.
  if (missing.length > 0 && !lasted(healedAtMs)) return
  finding.look()
  for (const name of missing) {
    finding.violated(
      final.atMs,
      `nobody was given ${name} in generation ${newest} of ${group}, its last`,
    )
  }
}
