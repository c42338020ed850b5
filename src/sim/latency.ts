import type { SimRandom } from './sim-random.ts'

/** How long something takes: uniform between two bounds, and rarely much longer. */
export interface Latency {
  readonly minUs: number
  readonly maxUs: number
  /** This many of a thousand draws take `tailFactor` times as long. */
  readonly tailPermille: number
  readonly tailFactor: number
}

export function drawLatencyUs(latency: Latency, random: SimRandom): number {
  const usual = latency.minUs + random.below(latency.maxUs - latency.minUs + 1)
  if (latency.tailPermille === 0 || !random.chance(latency.tailPermille)) return usual
  return usual * latency.tailFactor
}
