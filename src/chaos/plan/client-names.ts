import type { WorkloadPlan } from './workload-plan.ts'

/** Names of the clients that a part of a workload becomes, as targets of faults name them. */
export function clientNamesOf(plan: WorkloadPlan): readonly string[] {
  if (plan.kind !== 'group') return [plan.name]
  return Array.from({ length: plan.members }, (_, index) => `${plan.name}-${index + 1}`)
}
