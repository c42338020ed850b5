import type { HistoryEntry } from '../../src/chaos/history/history.ts'
import type { SendOperation } from '../../src/chaos/history/operation.ts'
import type { Plan } from '../../src/chaos/plan/plan.ts'
import type { FiredFault } from '../../src/chaos/run/run-result.ts'
import type { NodeEvent } from '../../src/ports/events.ts'

export const MODES = ['sim', 'real', 'kafka'] as const
/** In simulation, with real processes, sockets and files, or against Apache Kafka. */
export type Mode = (typeof MODES)[number]

/** An event of a node with the time of the run at which it was heard, on the history's clock. */
export interface HeardEvent {
  readonly atMs: number
  readonly event: NodeEvent
}

/** All that one run left behind: what expectations, figures and the story look at. */
export interface Evidence {
  readonly mode: Mode
  readonly plan: Plan
  readonly history: readonly HistoryEntry[]
  readonly events: readonly HeardEvent[]
  readonly fired: readonly FiredFault[]
  readonly probes: Readonly<Record<string, number>>
}

export interface EndedSend {
  readonly atMs: number
  readonly process: string
  readonly kind: 'ok' | 'fail' | 'info'
  readonly operation: SendOperation
}

/** Milliseconds of the run at which the chaos phase began: faults count from there. */
export function chaosBeginMs({ fired }: Evidence): number {
  const timed = fired.find(({ row }) => row.atProbe === undefined)
  return timed === undefined ? 0 : timed.atMs - timed.row.atMs
}

/** When the first fault that applied was injected; null when none was. */
export function firstFaultMs({ fired }: Evidence): number | null {
  return fired.find(({ isIdle }) => !isIdle)?.atMs ?? null
}

/** Every send that has an end, in the order of the ends. */
export function endedSends({ history }: Evidence): readonly EndedSend[] {
  const ended: EndedSend[] = []
  for (const { atMs, process, kind, operation } of history) {
    if (operation.op === 'send' && kind !== 'invoke') ended.push({ atMs, process, kind, operation })
  }
  return ended
}

/** Values that the final read found in the topic; each as often as it is there. */
export function finalValues({ history }: Evidence, topic?: string): readonly string[] {
  const values: string[] = []
  for (const { kind, operation } of history) {
    if (kind !== 'ok' || operation.op !== 'poll' || operation.purpose !== 'final') continue
    if (topic !== undefined && operation.topic !== topic) continue
    for (const { value } of operation.records ?? []) values.push(value)
  }
  return values
}

/** Acknowledged values that the final read did not find. */
export function lostValues(evidence: Evidence, acks?: -1 | 0 | 1): readonly string[] {
  const present = new Set(finalValues(evidence))
  return endedSends(evidence)
    .filter(({ kind, operation }) => kind === 'ok' && (acks ?? operation.acks) === operation.acks)
    .map(({ operation }) => operation.value)
    .filter((value) => !present.has(value))
}
