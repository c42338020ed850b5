import type { NodeView } from '../../../broker/index.ts'
import type { NodeEvent } from '../../ports/events.ts'
import type { Violation } from '../checks/history-check.ts'
import type { HistoryEntry } from '../history/history.ts'
import type { InvariantId } from '../invariants.ts'
import type { StateCheck, StateReport } from '../state/state-check.ts'

const EVENTS_PER_BARRIER = 2000
/** At the next end of a step after one of these, whole logs are looked at. */
const BARRIER_EVENTS: ReadonlySet<string> = new Set([
  'partition.leader-changed',
  'quorum.leader-changed',
  'node.restarted',
])

type Hook<Name extends keyof StateCheck> = NonNullable<StateCheck[Name]>

/** Drives the state checks of a run: who is called, and when. What they find is collected here. */
export class StateWatch implements StateReport {
  /** The first of each invariant: what is broken once is often found broken at every event that follows. */
  readonly violations: Violation[] = []
  /** Committed metadata were destroyed by faults over the budget. */
  isMetadataLost = false
  readonly #nowMs: () => number
  readonly #evaluated = new Map<InvariantId, { looks: number }>()
  /** The hooks of those that have them: these three are called all the time. */
  #afterNode: readonly Hook<'afterNode'>[] = []
  #onEvent: readonly Hook<'onEvent'>[] = []
  #onHistory: readonly Hook<'onHistory'>[] = []
  #checks: readonly StateCheck[] = []
  #stepsLeft = EVENTS_PER_BARRIER
  #isBarrierDue = false

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** The checks report to this watch, so they are made after it. */
  use(checks: readonly StateCheck[]): void {
    this.#checks = checks
    this.#afterNode = checks.flatMap((check) => check.afterNode?.bind(check) ?? [])
    this.#onEvent = checks.flatMap((check) => check.onEvent?.bind(check) ?? [])
    this.#onHistory = checks.flatMap((check) => check.onHistory?.bind(check) ?? [])
  }

  get hasViolation(): boolean {
    return this.violations.length > 0
  }

  violated(invariant: InvariantId, message: string): void {
    if (this.violations.some((known) => known.invariant === invariant)) return
    this.violations.push({ invariant, message, atMs: this.#nowMs() })
  }

  evaluated(invariant: InvariantId): void {
    const counted = this.#evaluated.get(invariant)
    if (counted === undefined) this.#evaluated.set(invariant, { looks: 1 })
    else counted.looks += 1
  }

  metadataLost(): void {
    this.isMetadataLost = true
  }

  /** Looks by invariant. */
  counts(): ReadonlyMap<InvariantId, number> {
    return new Map([...this.#evaluated].map(([invariant, { looks }]) => [invariant, looks]))
  }

  /** A step has ended; `view` is that of the node whose code ran, null when none did. */
  afterStep(view: NodeView | null): void {
    if (view !== null) for (const afterNode of this.#afterNode) afterNode(view)
    this.#stepsLeft -= 1
    if (this.#isBarrierDue || this.#stepsLeft <= 0) this.barrier()
  }

  onEvent(event: NodeEvent): void {
    if (BARRIER_EVENTS.has(event.kind)) this.#isBarrierDue = true
    for (const onEvent of this.#onEvent) onEvent(event)
  }

  onHistory(entry: HistoryEntry): void {
    for (const onHistory of this.#onHistory) onHistory(entry)
  }

  onStart(view: NodeView, life: { readonly lostDisk: boolean; readonly lostTail: boolean }): void {
    for (const check of this.#checks) check.onStart?.(view, life)
  }

  barrier(): void {
    this.#isBarrierDue = false
    this.#stepsLeft = EVENTS_PER_BARRIER
    for (const check of this.#checks) check.atBarrier?.()
  }

  atEnd(): void {
    for (const check of this.#checks) check.atEnd?.()
  }
}
