import { History, type HistoryEntry } from '../../src/chaos/history/history.ts'
import type { Operation, PollOperation, SendOperation } from '../../src/chaos/history/operation.ts'
import type { Actor } from '../../src/chaos/run/stage.ts'
import type { WorkloadContext } from '../../src/chaos/workload/workload-actor.ts'
import { SimClient } from './sim-client.ts'
import { SimCluster } from './sim-cluster.ts'

type OperationOf<Op extends Operation['op'], Each = Operation> = Each extends Operation
  ? Op extends Each['op']
    ? Each
    : never
  : never

/** Real brokers in a simulated world, a history, and actors on machines of their own. */
export class ChaosWorld {
  readonly cluster: SimCluster
  readonly history: History
  readonly context: WorkloadContext
  readonly admin: SimClient

  constructor(
    options: {
      readonly seed?: number
      readonly brokers?: number
      readonly properties?: Readonly<Record<string, string>>
    } = {},
  ) {
    const { seed = 1, brokers = 3, properties = {} } = options
    this.cluster = new SimCluster({ seed, brokers, properties })
    const { world } = this.cluster
    this.history = new History(() => world.scheduler.nowMs)
    this.context = {
      history: this.history,
      bootstrap: this.cluster.bootstrap(),
      random: world.random('workload'),
    }
    this.admin = new SimClient(world.node('admin').ports, this.cluster.bootstrap())
    if (!this.cluster.waitReady()) throw new Error('the cluster did not become ready')
  }

  createTopic(name: string, partitions: number): void {
    let isDone = false
    this.admin.createTopic(name, partitions, () => this.admin.refresh(() => (isDone = true)))
    const { world } = this.cluster
    if (!world.runUntil(() => isDone, 10_000)) throw new Error(`no topic ${name}`)
    world.runFor(200)
  }

  start(actor: Actor): void {
    actor.start(this.cluster.world.node(actor.name).ports)
  }

  /** The client's machine dies and comes back `downMs` later. */
  crashClient(actor: Actor, downMs = 100): void {
    const node = this.cluster.world.node(actor.name)
    node.crash()
    this.cluster.world.runFor(downMs)
    actor.start(node.restart())
  }

  /** Waits until a stopped or finite actor has nothing open; its reason when it does not come to an end. */
  settle(actor: Actor, limitMs = 20_000): string | null {
    this.cluster.world.runUntil(() => actor.pending() === null, limitMs)
    return actor.pending()
  }

  stop(actor: Actor, limitMs = 20_000): string | null {
    actor.stop()
    return this.settle(actor, limitMs)
  }

  leaderOf(topic: string, partition: number): number {
    let isDone = false
    this.admin.refresh(() => (isDone = true))
    this.cluster.world.runUntil(() => isDone, 5000)
    return this.admin.partition(topic, partition)?.leaderId ?? -1
  }

  crashLeader(topic: string, partition: number): number {
    const leader = this.leaderOf(topic, partition)
    this.cluster.crash(leader)
    return leader
  }

  entries<Op extends Operation['op']>(
    op: Op,
    kind?: HistoryEntry['kind'],
  ): readonly (HistoryEntry & { readonly operation: OperationOf<Op> })[] {
    return this.history.entries.filter(
      (entry) => entry.operation.op === op && (kind === undefined || entry.kind === kind),
    ) as never
  }

  /** Sends by their end. */
  sends(kind: HistoryEntry['kind']): readonly SendOperation[] {
    return this.entries('send', kind).map(({ operation }) => operation)
  }

  /** What polls of one purpose read of a partition, in their order. */
  read(purpose: PollOperation['purpose'], partition: number, process?: string): readonly string[] {
    return this.entries('poll', 'ok')
      .filter((entry) => process === undefined || entry.process === process)
      .map(({ operation }) => operation)
      .filter((poll) => poll.purpose === purpose && poll.partition === partition)
      .flatMap((poll) => poll.records?.map(({ value }) => value) ?? [])
  }
}

/** Every invocation has exactly one end, and ends only what was invoked. Texts of what is wrong. */
export function historyProblems(entries: readonly HistoryEntry[]): readonly string[] {
  const problems: string[] = []
  const open = new Map<number, HistoryEntry>()
  for (const entry of entries) {
    if (entry.kind === 'invoke') open.set(entry.index, entry)
    else if (entry.of !== entry.index && !open.delete(entry.of)) {
      problems.push(`entry ${entry.index} ends ${entry.of}, which is not open`)
    }
  }
  for (const { index, operation } of open.values())
    problems.push(`${operation.op} ${index} is open`)
  return problems
}
