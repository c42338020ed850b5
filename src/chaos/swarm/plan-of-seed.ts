import { assert } from '../../base/assert.ts'
import type { Fault } from '../plan/fault.ts'
import { budgetOf } from '../plan/fault-budget.ts'
import type { Plan } from '../plan/plan.ts'
import { clusterOfSeed } from './cluster-of-seed.ts'
import { Draw } from './draw.ts'
import { BOUNDARY_PROBES } from './boundary-probes.ts'
import { DAMAGE_KINDS, enabledKinds, faultsOfSeed } from './faults-of-seed.ts'
import { withRoomForFollowers } from './room-for-followers.ts'
import { profileOf, type Swarm } from './swarm-profile.ts'
import { SIZE_RULES } from './swarm-size.ts'
import { topicsOfSeed } from './topics-of-seed.ts'
import { workloadOfSeed } from './workload-of-seed.ts'

const OVER_BUDGET_PERMILLE = 150
const HEAL_LIMIT_MS = 60_000

/**
 * The plan of a seed: first which features and faults exist at all, then how strong they are (swarm testing).
 * Everything comes from labelled streams of the seed, so that one question more shifts no other answer.
 * Throws `ConfigError` for a profile that cannot be run yet.
 */
export function planOfSeed(seed: number, swarm: Swarm): Plan {
  const rule = SIZE_RULES[swarm.size]
  const draw = Draw.ofSeed(seed).part('swarm')
  const profile = profileOf(swarm.profile, draw)
  const isOverBudget = draw.chance('over budget', OVER_BUDGET_PERMILLE)
  const enabled = enabledKinds(draw.part('kinds'), rule)
  const drawn = clusterOfSeed(draw.part('cluster'), profile, rule)
  const topics = topicsOfSeed(draw.part('topics'), drawn, {
    hasRecreated: enabled.has('recreate-topic'),
    mayBeUnclean: isOverBudget,
  })
  const workload = workloadOfSeed(draw.part('workload'), profile, topics, rule)
  const cluster = withRoomForFollowers(drawn, workload)
  const chaosMs = draw.weighted('chaos', rule.chaosMs)
  const faults = faultsOfSeed(
    draw.part('faults'),
    { cluster, topics, workload },
    {
      isOverBudget,
      enabled,
      chaosMs,
      calmPermille: rule.calmPermille,
      firstRoundMs: rule.firstRoundMs,
      probes: BOUNDARY_PROBES,
    },
  )
  const plan: Plan = {
    name: `${profile}-${seed}`,
    seed,
    profile,
    cluster,
    topics,
    workload,
    faults,
    chaosMs,
    healLimitMs: HEAL_LIMIT_MS,
  }
  return isOverBudget ? plan : withinBudget(plan)
}

/** Leaves out damage, from the end, until what is left costs no acknowledged record. */
function withinBudget(plan: Plan): Plan {
  const { holdsDurability, holdsQuorum } = budgetOf(plan)
  if (holdsDurability && holdsQuorum) return plan
  const last = plan.faults.findLastIndex(({ kind }: Fault) => DAMAGE_KINDS.has(kind))
  assert(last >= 0, `${plan.name} is over the budget without any damage`)
  return withinBudget({ ...plan, faults: plan.faults.toSpliced(last, 1) })
}
