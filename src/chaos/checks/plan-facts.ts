import type { FaultKind } from '../plan/fault.ts'
import type { Plan } from '../plan/plan.ts'
import type { GroupPlan, ReaderPlan } from '../plan/workload-plan.ts'

/** A clock that jumps further than this may make records expire that are seconds old. */
const EXPIRING_JUMP_MS = 86_400_000

/**
 * Faults after which no broker goes on as a leader that was replaced: it is dead, or it stays in the ISR of its
 * successor until it knows. All others may leave one that answers reads from an old state for a while, as
 * Apache Kafka's do, which have no lease.
 */
const WITHOUT_ZOMBIES: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'crash',
  'power-cut',
  'power-cut-all',
  'reset',
  'bit-flip',
  'elect-preferred',
  'create-partitions',
  'client-crash',
  'client-pause',
])

const DAMAGE: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'bit-flip',
  'lose-write',
  'misdirect-write',
  'stale-disk',
  'lying-fsync',
])

/** What a plan says about what may be expected of a history. */
export class PlanFacts {
  /** No leader is replaced without its knowledge while it lives. */
  readonly hasNoZombies: boolean
  /** So many faults flip bits of what was written. */
  readonly bitFlips: number
  /** No fault changes bytes that were written. */
  readonly hasNoDamage: boolean
  readonly groups: ReadonlyMap<string, GroupPlan>
  readonly readers: readonly ReaderPlan[]
  /** Topics that are written by others than recorded sends. */
  readonly foreignTopics: ReadonlySet<string>
  readonly #plan: Plan
  readonly #recreated = new Set<string>()
  readonly #compacted = new Set<string>()
  readonly #expiring = new Set<string>()
  #doesAllExpire: boolean

  constructor(plan: Plan) {
    this.#plan = plan
    this.hasNoZombies = plan.faults.every(({ kind }) => WITHOUT_ZOMBIES.has(kind))
    this.hasNoDamage = plan.faults.every(({ kind }) => !DAMAGE.has(kind))
    this.bitFlips = plan.faults.filter(({ kind }) => kind === 'bit-flip').length
    const groups = plan.workload.filter((part): part is GroupPlan => part.kind === 'group')
    this.groups = new Map(groups.map((group) => [group.groupId, group]))
    this.readers = plan.workload.filter((part): part is ReaderPlan => part.kind === 'reader')
    this.foreignTopics = new Set(
      plan.workload.flatMap((part) => (part.kind === 'connect' ? [part.topic] : [])),
    )
    this.#doesAllExpire = Object.keys(plan.cluster.properties).some(
      (name) => name.startsWith('log.retention.') && !name.startsWith('log.retention.check.'),
    )
    for (const topic of plan.topics) {
      for (const [name, value] of Object.entries(topic.configs)) this.#note(topic.name, name, value)
    }
    this.#readFaults()
  }

  /** Offsets of the topic began anew at some time. */
  isRecreated(topic: string): boolean {
    return this.#recreated.has(topic)
  }

  isCompacted(topic: string): boolean {
    return this.#compacted.has(topic)
  }

  /** Old records may be deleted by retention. */
  mayExpire(topic: string): boolean {
    return this.#doesAllExpire || this.#expiring.has(topic)
  }

  partitionsOf(topic: string): number {
    return this.#plan.topics.find(({ name }) => name === topic)?.partitions ?? 0
  }

  /** The group of the process: members are called after their plan, `name-1`, and in a later life `name-1/2`. */
  groupOf(process: string): GroupPlan | null {
    const [, name] = /^(.+)-\d+$/.exec(actorOf(process)) ?? []
    for (const group of this.groups.values()) if (group.name === name) return group
    return null
  }

  /** The process is an actor of the workload, not of the harness. */
  isWorkload(process: string): boolean {
    const actor = actorOf(process)
    return this.#plan.workload.some(({ name }) => actor === name || actor.startsWith(`${name}-`))
  }

  /** The process is of a client that does not look at the CRC of what it reads. */
  skipsCrc(process: string): boolean {
    const actor = actorOf(process)
    return this.#plan.workload.some(
      ({ kind, name }) => kind === 'kafkajs' && (actor === name || actor.startsWith(`${name}-`)),
    )
  }

  /**
   * How many flipped bits may mislead the process: one in the header of a batch (the count of its records), or in an offset
   * within it, makes a client that does not look at CRCs skip records that it was sent.
   */
  misleadingFlips(process: string): number {
    return this.skipsCrc(process) ? this.bitFlips : 0
  }

  #readFaults(): void {
    for (const { kind, target, params } of this.#plan.faults) {
      const topic = String(params?.['topic'] ?? target)
      if (kind === 'recreate-topic') this.#recreated.add(topic)
      if (kind === 'alter-topic') {
        this.#note(topic, String(params?.['name'] ?? ''), String(params?.['value'] ?? ''))
      }
      const isJump = kind === 'clock-jump' || kind === 'clock-skew'
      if (isJump && Math.abs(Number(params?.['ms'] ?? 0)) > EXPIRING_JUMP_MS) {
        this.#doesAllExpire = true
      }
    }
  }

  #note(topic: string, name: string, value: string): void {
    if (name.startsWith('retention.') && value !== '-1') this.#expiring.add(topic)
    if (name === 'cleanup.policy' && value.includes('compact')) this.#compacted.add(topic)
  }
}

/** The actor of a process: a process is an actor in one of its lives. */
export function actorOf(process: string): string {
  const slash = process.indexOf('/')
  return slash === -1 ? process : process.slice(0, slash)
}
