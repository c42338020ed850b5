type Restore = () => void

const GLOBAL_FUNCTIONS = [
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'fetch',
] as const

const CRYPTO_FUNCTIONS = [
  'randomBytes',
  'randomFill',
  'randomFillSync',
  'randomInt',
  'randomUUID',
] as const

/**
 * Runs `fn` while everything by which code could take in the real world through a global throws: the
 * clock, timers and ambient randomness. For tests of what must live on its ports alone. Only the
 * synchronous run of `fn` is guarded.
 *
 * Microtasks count as well: what a node does is decided by its events, never by the order in which
 * promises settle. Clients that await, in a sandbox of their own, run outside of this guard
 * (`SimWorld.runUntilAsync`).
 */
export function withForbiddenGlobals<T>(fn: () => T): T {
  const restores: Restore[] = []
  const nodeCrypto = process.getBuiltinModule('node:crypto')
  const { syncBuiltinESMExports } = process.getBuiltinModule('node:module')
  try {
    for (const name of GLOBAL_FUNCTIONS) restores.push(forbid(globalThis, name))
    for (const name of CRYPTO_FUNCTIONS) restores.push(forbid(nodeCrypto, name))
    restores.push(forbid(Math, 'random'))
    restores.push(forbid(performance, 'now'))
    restores.push(forbid(process, 'nextTick'))
    restores.push(forbid(AbortSignal, 'timeout'))
    restores.push(replace(process, 'hrtime', forbiddenHrtime()))
    restores.push(forbid(globalThis.crypto, 'randomUUID'))
    restores.push(forbid(globalThis.crypto, 'getRandomValues'))
    restores.push(replace(globalThis, 'Date', TimelessDate))
    // Named imports of a built-in module follow its object only when told to.
    syncBuiltinESMExports()
    return fn()
  } finally {
    for (const restore of restores.toReversed()) restore()
    syncBuiltinESMExports()
  }
}

function forbiddenHrtime(): () => never {
  return Object.assign(() => refuse('process.hrtime'), {
    bigint: () => refuse('process.hrtime.bigint'),
  })
}

/** Dates of a given time work; the present is unknown. */
const TimelessDate = new Proxy(Date, {
  apply: () => refuse('Date'),
  construct: (target, args: unknown[], newTarget) =>
    args.length === 0 ? refuse('new Date') : (Reflect.construct(target, args, newTarget) as object),
  get: (target, name, receiver) =>
    name === 'now' ? () => refuse('Date.now') : (Reflect.get(target, name, receiver) as unknown),
})

function forbid(owner: object, name: string): Restore {
  return replace(owner, name, () => refuse(name))
}

function replace(owner: object, name: string, value: unknown): Restore {
  const own = Object.getOwnPropertyDescriptor(owner, name)
  Object.defineProperty(owner, name, { value, configurable: true, writable: true })
  return () => {
    if (own === undefined) Reflect.deleteProperty(owner, name)
    else Object.defineProperty(owner, name, own)
  }
}

function refuse(name: string): never {
  throw new Error(`${name} is forbidden in simulation: use the ports`)
}
