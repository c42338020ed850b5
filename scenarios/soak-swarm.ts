import type { Plan } from '../src/chaos/plan/plan.ts'
import { planOfSeed } from '../src/chaos/swarm/plan-of-seed.ts'
import { shows } from './lib/expectation.ts'
import { scenario } from './lib/scenario.ts'

/** From a seed that brings no faults to the next one that may. */
const STRIDE = 1_000_000

/** Scenario 72 of the catalogue: a cluster, clients and faults that only the seed knows. */
export const soakSwarm = scenario('soak-swarm', {
  section: 'G',
  number: 72,
  summary: 'whatever the seed brings: any cluster, any clients, any faults (`--seeds 1..20`)',
  lesson: 'What nobody thought of is found by nobody thinking of it: let the seed choose.',
  modes: ['sim'],
  plan: planWithFaults,
  expect: [
    shows('faults happen', ({ fired }) => {
      const count = fired.filter(({ isIdle }) => !isIdle).length
      return { isMet: count > 0, detail: `${count} of ${fired.length} applied` }
    }),
    shows('clients get something done', ({ history }) => {
      const count = history.filter(({ kind }) => kind === 'ok').length
      return { isMet: count > 0, detail: `${count} operations succeeded` }
    }),
  ],
  invariants: ['L1', 'L2', 'L8', 'R5', 'Q1'],
})

/** Some seeds have a schedule without any fault: there is nothing to be shown by them. */
function planWithFaults(seed: number): Plan {
  for (let each = seed; ; each += STRIDE) {
    const plan = planOfSeed(each, { profile: 'all', size: 'full' })
    if (plan.faults.length > 0) return { ...plan, seed }
  }
}
