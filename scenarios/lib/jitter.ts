import type { Fault } from '../../src/chaos/plan/fault.ts'
import type { Plan } from '../../src/chaos/plan/plan.ts'
import { SimRandom } from '../../src/sim/sim-random.ts'

const LARGEST_MS = 600

/** The same plan with each fault up to 600 ms sooner or later, and as long as before. Depends on the seed alone. */
export function jittered(plan: Plan): Plan {
  const random = SimRandom.ofSeed(plan.seed).fork('jitter')
  const faults = plan.faults.map((fault): Fault => {
    const shiftMs = Math.max(-fault.atMs, random.below(2 * LARGEST_MS + 1) - LARGEST_MS)
    const { untilMs } = fault
    return {
      ...fault,
      atMs: fault.atMs + shiftMs,
      ...(untilMs === undefined ? {} : { untilMs: untilMs + shiftMs }),
    }
  })
  return { ...plan, faults: faults.toSorted((a, b) => a.atMs - b.atMs) }
}
