import {
  HISTORY_CHECKS,
  type CheckOutcome,
  type HistoryEvidence,
} from '../../src/chaos/checks/index.ts'
import { History, type HistoryEntry } from '../../src/chaos/history/history.ts'
import type { PollOperation, SendOperation } from '../../src/chaos/history/operation.ts'
import type { InvariantId } from '../../src/chaos/invariants.ts'
import type { Fault } from '../../src/chaos/plan/fault.ts'
import type { Plan, TopicPlan } from '../../src/chaos/plan/plan.ts'
import type {
  GroupPlan,
  ProducerPlan,
  ReaderPlan,
  WorkloadPlan,
} from '../../src/chaos/plan/workload-plan.ts'

export const TOPIC = 't-0'

/** A plan of which only what a test names matters. */
export function planOf(
  parts: {
    readonly faults?: readonly Fault[]
    readonly workload?: readonly WorkloadPlan[]
    readonly topic?: Partial<TopicPlan>
  } = {},
): Plan {
  return {
    name: 'test',
    seed: 1,
    profile: 'data',
    cluster: {
      layout: 'separate',
      brokers: 3,
      controllers: 3,
      properties: {},
      network: { minUs: 1, maxUs: 1, tailPermille: 0, tailFactor: 1, cutPermille: 0 },
      disk: { fsyncMinUs: 1, fsyncMaxUs: 1, tailPermille: 0, tailFactor: 1 },
    },
    topics: [{ name: TOPIC, partitions: 2, replicationFactor: 3, configs: {}, ...parts.topic }],
    workload: parts.workload ?? [],
    faults: parts.faults ?? [],
    chaosMs: 1000,
    healLimitMs: 1000,
  }
}

export const GROUP: GroupPlan = {
  kind: 'group',
  name: 'g',
  groupId: 'group',
  topic: TOPIC,
  members: 2,
  assignor: 'range',
  commit: 'after-processing',
  commitEveryMs: 10,
  sessionTimeoutMs: 1000,
  isStatic: false,
  churnEveryMs: 0,
}

export const READER: ReaderPlan = {
  kind: 'reader',
  name: 'r',
  topic: TOPIC,
  partitions: [0],
  isolation: 'read_uncommitted',
  everyMs: 10,
}

export const PRODUCER: ProducerPlan = {
  kind: 'producer',
  name: 'p',
  topic: TOPIC,
  partitions: [0],
  acks: -1,
  idempotent: true,
  inFlight: 5,
  everyMs: 10,
  batchRecords: 1,
  valueBytes: 10,
  compression: 'none',
  keys: 0,
  requestTimeoutMs: 100,
}

type SendOptions = Partial<Omit<SendOperation, 'op' | 'value'>> & { readonly process?: string }
type PollOptions = Partial<Omit<PollOperation, 'op' | 'position' | 'records'>>
/** Offset, value, and a key when it has one. */
export type Row = readonly [offset: number, value: string, key?: string]

/** Writes a history by hand, one entry a millisecond. */
export class HistoryScript {
  #nowMs = 0
  readonly history = new History(() => (this.#nowMs += 1))
  readonly #sends = new Map<
    number,
    { readonly process: string; readonly operation: SendOperation }
  >()

  idle(ms: number): this {
    this.#nowMs += ms
    return this
  }

  send(value: string, { process = 'p', ...more }: SendOptions = {}): number {
    const operation: SendOperation = {
      op: 'send',
      topic: TOPIC,
      partition: 0,
      value,
      key: null,
      acks: -1,
      idempotent: true,
      producerId: 7,
      producerEpoch: 0,
      ...more,
    }
    const index = this.history.invoke(process, operation)
    this.#sends.set(index, { process, operation })
    return index
  }

  ok(send: number, offset: number): this {
    return this.#end(send, 'ok', { offset })
  }

  fail(send: number, error = 'NOT_ENOUGH_REPLICAS'): this {
    return this.#end(send, 'fail', { error })
  }

  info(send: number, error = 'TIMEOUT'): this {
    return this.#end(send, 'info', { error })
  }

  /** Sent, and acknowledged before anything else happens. */
  acked(value: string, offset: number, options: SendOptions = {}): this {
    return this.ok(this.send(value, options), offset)
  }

  poll(process: string, position: number, rows: readonly Row[], options: PollOptions = {}): this {
    this.history.note(process, {
      ...pollOf(position, options),
      records: rows.map(([offset, value, key]) => ({ offset, value, key: key ?? null })),
    })
    return this
  }

  refused(process: string, position: number, error: string, options: PollOptions = {}): this {
    const operation = pollOf(position, options)
    const index = this.history.invoke(process, operation)
    this.history.end(index, process, 'fail', { ...operation, error })
    return this
  }

  /** The final read of a partition. */
  final(rows: readonly Row[], partition = 0, more: PollOptions = {}): this {
    return this.poll('final', 0, rows, { partition, purpose: 'final', isFirst: true, ...more })
  }

  latest(process: string, offset: number, partition = 0): this {
    const operation = { op: 'list-offsets', topic: TOPIC, partition, which: 'latest' } as const
    const index = this.history.invoke(process, operation)
    this.history.end(index, process, 'ok', { ...operation, offset })
    return this
  }

  own(
    op: 'assigned' | 'revoked' | 'lost',
    member: string,
    generation: number,
    partitions: readonly number[],
  ): this {
    this.history.note(member, { op, group: 'group', member, generation, topic: TOPIC, partitions })
    return this
  }

  commit(
    member: string,
    generation: number,
    offset: number,
    kind: 'ok' | 'fail' | 'info' = 'ok',
  ): this {
    const operation = {
      op: 'commit',
      group: 'group',
      member,
      generation,
      topic: TOPIC,
      partition: 0,
      offset,
    } as const
    const index = this.history.invoke(member, operation)
    this.history.end(index, member, kind, operation)
    return this
  }

  committed(process: string, offset: number, partition = 0): this {
    const operation = { op: 'committed', group: 'group', topic: TOPIC, partition } as const
    const index = this.history.invoke(process, operation)
    this.history.end(index, process, 'ok', { ...operation, offset })
    return this
  }

  line(op: 'line-committed' | 'line-sunk', task: string, sequence: number): this {
    this.history.note('connect', { op, task, sequence })
    return this
  }

  taskFailed(task: string, error: string): this {
    this.history.note('connect', { op: 'task-failed', task, error })
    return this
  }

  #end(send: number, kind: 'ok' | 'fail' | 'info', more: Partial<SendOperation>): this {
    const { process, operation } = this.#sends.get(send)!
    this.history.end(send, process, kind, { ...operation, ...more })
    return this
  }
}

function pollOf(position: number, options: PollOptions): PollOperation {
  return {
    op: 'poll',
    topic: TOPIC,
    partition: 0,
    position,
    isolation: 'read_uncommitted',
    isFirst: position === 0,
    purpose: 'reader',
    ...options,
  }
}

export interface Circumstances {
  readonly plan?: Plan
  readonly isOverBudget?: boolean
  readonly isUnfinished?: boolean
}

export function evidenceOf(
  entries: readonly HistoryEntry[],
  { plan = planOf(), isOverBudget = false, isUnfinished = false }: Circumstances = {},
): HistoryEvidence {
  return {
    plan,
    entries,
    budget: { holdsDurability: !isOverBudget, isUnclean: false, holdsQuorum: true },
    isFinalReadComplete: !isUnfinished,
  }
}

export function outcome(
  invariant: InvariantId,
  script: HistoryScript,
  circumstances: Circumstances = {},
): CheckOutcome {
  const check = HISTORY_CHECKS.find((one) => one.invariant === invariant)!
  return check.check(evidenceOf(script.history.entries, circumstances))
}

/** `valid 3`: the verdict, and how often it was looked at. */
export function verdict(...args: Parameters<typeof outcome>): string {
  const { verdict: answer, evaluated } = outcome(...args)
  return answer === 'valid' ? `${answer} ${evaluated}` : answer
}
