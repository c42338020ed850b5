import type { FaultBudget } from '../plan/fault-budget.ts'
import type { FaultKind } from '../plan/fault.ts'
import type { Plan } from '../plan/plan.ts'

/** Faults over processes that take data away. All the others leave every disk and page cache as it was. */
const TAKES_DATA: ReadonlySet<FaultKind> = new Set<FaultKind>(['wipe-disk', 'bit-flip'])

export function processBudget(plan: Plan): FaultBudget {
  const holds = plan.faults.every(({ kind }) => !TAKES_DATA.has(kind))
  const settings = [plan.cluster.properties, ...plan.topics.map(({ configs }) => configs)]
  return {
    holdsDurability: holds,
    holdsQuorum: holds,
    isUnclean: settings.some((each) => each['unclean.leader.election.enable'] === 'true'),
  }
}
