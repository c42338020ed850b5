import { Coordinator, CoordinatorType } from '../../client/coordinator.ts'
import type { GroupPlan } from '../plan/workload-plan.ts'
import type { Actor } from '../run/stage.ts'
import { ClientLink } from './client-link.ts'
import { CommittedOffsets } from './committed-offsets.ts'
import { GROUP_REQUEST_TIMEOUT_MS, GroupMemberLife } from './group-member-life.ts'
import { GroupProgress } from './group-progress.ts'
import {
  WorkloadActor,
  type Life,
  type LifeContext,
  type WorkloadContext,
} from './workload-actor.ts'

const WATCH_MS = 400
const CLOSING_MS = 100

/** The members `name-1`, `name-2`, ..., and `name-watch`, which reads the committed offsets from outside. */
export function createGroupActors(plan: GroupPlan, context: WorkloadContext): readonly Actor[] {
  const progress = new GroupProgress(plan.groupId, plan.topic)
  const members = Array.from({ length: plan.members }, (_, index) => {
    const name = `${plan.name}-${index + 1}`
    return new WorkloadActor(
      name,
      context,
      (life) => new GroupMemberLife(plan, name, life, progress),
    )
  })
  const watcher = new WorkloadActor(
    `${plan.name}-watch`,
    context,
    (life) => new GroupWatcherLife(plan, life),
  )
  return [...members, watcher]
}

/** Reads the committed offsets of the whole topic again and again (G4). */
class GroupWatcherLife implements Life {
  readonly #plan: GroupPlan
  readonly #context: LifeContext
  readonly #link: ClientLink
  readonly #offsets: CommittedOffsets
  #isOpen = false
  #isStopped = false

  constructor(plan: GroupPlan, context: LifeContext) {
    this.#plan = plan
    this.#context = context
    const { history, process, ports, bootstrap } = context
    const link = new ClientLink({
      clientId: process,
      ports,
      bootstrap,
      requestTimeoutMs: GROUP_REQUEST_TIMEOUT_MS,
      topics: [plan.topic],
    })
    this.#link = link
    const coordinator = new Coordinator(link.cluster, CoordinatorType.GROUP, plan.groupId)
    const { topic } = plan
    this.#offsets = new CommittedOffsets({ link, coordinator, history, process, topic })
    this.#wait()
  }

  stop(): void {
    this.#isStopped = true
    this.#closeWhenDone()
  }

  pending(): string | null {
    if (this.#link.isClosed || !this.#isOpen) return null
    return `watcher ${this.#context.process} waits for committed offsets`
  }

  abandon(): void {
    this.#link.abandon()
  }

  #wait(): void {
    const delayMs = (WATCH_MS * (500 + this.#context.random.below(1001))) / 1000
    this.#link.after(delayMs, 'group.watch', () => this.#look())
  }

  #look(): void {
    if (this.#isStopped) return
    const count = this.#link.partitionCount(this.#plan.topic)
    if (count === 0) {
      this.#link.updater.requestUpdate()
      return this.#wait()
    }
    const partitions = Array.from({ length: count }, (_, partition) => partition)
    this.#isOpen = true
    this.#offsets.read(partitions, () => {
      this.#isOpen = false
      this.#wait()
    })
  }

  #closeWhenDone(): void {
    if (this.pending() === null) return this.#link.close()
    this.#link.after(CLOSING_MS, 'group.closing', () => this.#closeWhenDone())
  }
}
