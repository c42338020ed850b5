import { HistoryScript, GROUP, PRODUCER, READER, planOf, type Row } from './chaos-history.ts'
import type { Plan } from '../../src/chaos/plan/plan.ts'

export const MODEL_PLAN: Plan = planOf({
  workload: [PRODUCER, GROUP, { ...READER, partitions: [0, 1] }],
})

interface Member {
  readonly name: string
  owned: number[]
  readonly positions: Map<number, number>
}

/** One producer's sends that are not decided yet, oldest first, by partition. */
interface Open {
  readonly handle: number
  readonly value: string
  readonly partition: number
}

/**
 * Writes the history of a correct Kafka: two logs, to which everything is appended at once and committed, two
 * idempotent producers, a reader, a watcher of offsets and a group of two. `pick` decides what happens next.
 */
export class ModelRun {
  readonly script = new HistoryScript()
  readonly #pick: (limit: number) => number
  readonly #logs: Row[][] = [[], []]
  readonly #open: Open[] = []
  readonly #acked: {
    readonly value: string
    readonly partition: number
    readonly offset: number
  }[] = []
  readonly #reader = new Map<number, number>()
  readonly #members: Member[] = ['g-1', 'g-2'].map((name) => ({
    name,
    owned: [],
    positions: new Map(),
  }))
  readonly #committed = [-1, -1]
  #generation = 0
  #values = 0

  constructor(pick: (limit: number) => number) {
    this.#pick = pick
  }

  run(steps: number): this {
    for (let step = 0; step < steps; step += 1) this.#step()
    this.#finish()
    return this
  }

  #step(): void {
    const choice = this.#pick(12)
    const partition = this.#pick(2)
    if (choice < 3) this.#send(partition)
    else if (choice < 5) this.#answer()
    else if (choice === 5) this.#probe()
    else if (choice < 8) this.#read('r', partition, this.#reader, 'reader')
    else if (choice === 8) this.script.latest('w', this.#log(partition).length, partition)
    else if (choice === 9) this.#rebalance()
    else this.#consume(this.#members[this.#pick(2)]!)
  }

  #log(partition: number): Row[] {
    return this.#logs[partition]!
  }

  #send(partition: number): void {
    const process = `p-${this.#pick(2)}`
    const value = `${process}:${(this.#values += 1)}`
    const handle = this.script.send(value, {
      process,
      partition,
      producerId: process === 'p-0' ? 1 : 2,
    })
    this.#open.push({ handle, value, partition })
  }

  /** The oldest open send is appended and answered, or lost on either way, or refused. */
  #answer(): void {
    const next = this.#open.shift()
    if (next === undefined) return
    const how = this.#pick(8)
    if (how === 0) return void this.script.fail(next.handle)
    if (how === 1) return void this.script.info(next.handle)
    const offset = this.#log(next.partition).length
    this.#log(next.partition).push([offset, next.value])
    if (how === 2) return void this.script.info(next.handle)
    this.#acked.push({ ...next, offset })
    this.script.ok(next.handle, offset)
  }

  #probe(): void {
    const last = this.#acked.at(-1)
    if (last === undefined) return
    const { value, partition, offset } = last
    const options = { process: 'x', partition }
    const repeat = { ...options, expects: 'duplicate', originalOffset: offset } as const
    this.script.ok(this.script.send(value, repeat), offset)
    const gap = this.script.send(`gap:${(this.#values += 1)}`, { ...options, expects: 'gap' })
    this.script.fail(gap, 'OUT_OF_ORDER_SEQUENCE_NUMBER')
    const fenced = this.script.send(`old:${(this.#values += 1)}`, { ...options, expects: 'fenced' })
    this.script.fail(fenced, 'INVALID_PRODUCER_EPOCH')
  }

  #read(
    process: string,
    partition: number,
    positions: Map<number, number>,
    purpose: 'reader' | 'group',
    all = false,
  ): void {
    const position = positions.get(partition)
    const from = position ?? Math.max(0, purpose === 'group' ? this.#committed[partition]! : 0)
    const end = all ? Infinity : from + 1 + this.#pick(4)
    const rows = this.#log(partition).slice(from, end)
    const isFirst = position === undefined
    if (rows.length > 0 || isFirst)
      this.script.poll(process, from, rows, { partition, purpose, isFirst })
    positions.set(partition, from + rows.length)
  }

  #rebalance(): void {
    for (const { name, owned, positions } of this.#members) {
      if (owned.length > 0) this.script.own('revoked', name, this.#generation, owned)
      positions.clear()
    }
    this.#generation += 1
    const first = this.#pick(3)
    const shares = [
      [[0], [1]],
      [[0, 1], []],
      [[], [0, 1]],
    ][first]!
    for (const [index, member] of this.#members.entries()) {
      member.owned = shares[index]!
      this.script.own('assigned', member.name, this.#generation, member.owned)
      for (const partition of member.owned) {
        this.script.committed(member.name, this.#committed[partition]!, partition)
      }
    }
    // A member that has not heard of it yet: refused.
    if (this.#generation > 1) this.script.commit('g-1', this.#generation - 1, 77, 'fail')
  }

  #consume(member: Member, all = false): void {
    for (const partition of member.owned) {
      this.#read(member.name, partition, member.positions, 'group', all)
      const position = member.positions.get(partition)!
      if (partition !== 0 || position === this.#committed[0]) continue
      this.script.commit(member.name, this.#generation, position)
      this.#committed[0] = position
    }
  }

  #finish(): void {
    while (this.#open.length > 0) this.#answer()
    this.#rebalance()
    for (const partition of [0, 1]) this.#read('r', partition, this.#reader, 'reader', true)
    for (const member of this.#members) this.#consume(member, true)
    this.script.idle(10_000)
    for (const partition of [0, 1]) this.script.final(this.#log(partition), partition)
  }
}
