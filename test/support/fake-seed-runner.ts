import type { SeedOutcome } from '../../src/chaos/campaign/seed-outcome.ts'
import type { SeedRequest } from '../../src/chaos/campaign/worker-messages.ts'

// A runner for the workers of a campaign that runs nothing: the seed says how it ends.

/** A seed that passed, with some of it changed. */
export function outcome(seed: number, changes: Partial<SeedOutcome> = {}): SeedOutcome {
  return {
    seed,
    profile: 'data',
    verdict: 'pass',
    invariant: null,
    broken:
      changes.invariant === undefined || changes.invariant === null ? [] : [changes.invariant],
    reason: null,
    atMs: 0,
    virtualMs: 60_000,
    eventsRun: 1000,
    wallMs: 100,
    traceHash: `hash of ${seed}`,
    evaluated: {},
    probes: {},
    faults: {},
    ...changes,
  }
}

/** Seeds from 900 on end badly: 901 fails, 902 dies, 903 hangs, 904 throws, 905 is slow. */
export async function runSeed({ seed }: Pick<SeedRequest, 'seed'>): Promise<SeedOutcome> {
  if (seed === 901) {
    const reason = `b2 lost offset ${seed} of t-0. More follows`
    return outcome(seed, { verdict: 'fail', invariant: 'D1', reason, atMs: 1234 })
  }
  if (seed === 902) process.exit(9)
  if (seed === 903) for (;;) Math.imul(1, 2)
  if (seed === 904) throw new Error('no such seed')
  if (seed >= 905) {
    const { promise, resolve } = Promise.withResolvers<void>()
    setTimeout(resolve, 150)
    await promise
  }
  return outcome(seed, { faults: { crash: { fired: 1, idle: 0 } } })
}
