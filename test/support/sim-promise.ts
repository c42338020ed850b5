import type { SimWorld } from '../../src/sim/sim-world.ts'

const MAX_STEPS = 2_000_000

type Outcome<T> =
  | { readonly kind: 'open' }
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'error'; readonly error: unknown }

/**
 * The value of a promise that only the simulated world can settle: runs one event after the other and lets promises
 * go on in between. Rejects as the promise does, or when it is open after `limitMs`.
 */
export async function settle<T>(
  world: SimWorld,
  promise: Promise<T>,
  limitMs = 600_000,
): Promise<T> {
  let outcome: Outcome<T> = { kind: 'open' }
  promise.then(
    (value) => (outcome = { kind: 'value', value }),
    (error: unknown) => (outcome = { kind: 'error', error }),
  )
  const limitUs = world.scheduler.nowUs + limitMs * 1000
  for (let step = 0; step < MAX_STEPS; step += 1) {
    await turn()
    const now = outcome as Outcome<T>
    if (now.kind === 'value') return now.value
    if (now.kind === 'error') throw now.error
    if (!world.scheduler.step(limitUs)) throw new Error(`not settled within ${limitMs} ms`)
  }
  throw new Error(`not settled within ${MAX_STEPS} events`)
}

/** Runs the world for a while, with promises going on in between. */
export async function settleFor(world: SimWorld, ms: number): Promise<void> {
  const limitUs = world.scheduler.nowUs + ms * 1000
  do await turn()
  while (world.scheduler.step(limitUs))
  world.scheduler.runUntilUs(limitUs)
  await turn()
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
