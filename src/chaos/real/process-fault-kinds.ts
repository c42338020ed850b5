import { FAULT_KINDS, type FaultKind } from '../plan/fault.ts'
import type { Plan } from '../plan/plan.ts'

/**
 * Faults that need a disk or a clock under the harness's control: no process can be given them without root. Where
 * the page cache survives a SIGKILL there is no power cut either.
 */
const SIMULATION_ONLY: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'power-cut',
  'power-cut-all',
  'stale-disk',
  'lose-write',
  'misdirect-write',
  'read-error',
  'write-error',
  'fsync-error',
  'lying-fsync',
  'disk-full',
  'slow-disk',
  'log-dir-failure',
  'clock-skew',
  'clock-jump',
  'clock-drift',
])

/** Faults that need nothing but a client: what can be done to a cluster that somebody else started. */
const CLIENT_SIDE: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'elect-preferred',
  'create-partitions',
  'recreate-topic',
  'alter-topic',
  'client-crash',
  'client-pause',
])

export type FaultReach = 'processes' | 'clients-only'

export function canInject(kind: FaultKind, reach: FaultReach): boolean {
  return reach === 'clients-only' ? CLIENT_SIDE.has(kind) : !SIMULATION_ONLY.has(kind)
}

/** Kinds of the plan's faults that cannot be injected there, in the order of the catalogue. */
export function outOfReach(plan: Plan, reach: FaultReach): readonly FaultKind[] {
  const wanted = new Set(plan.faults.map(({ kind }) => kind))
  return FAULT_KINDS.filter((kind) => wanted.has(kind) && !canInject(kind, reach))
}
