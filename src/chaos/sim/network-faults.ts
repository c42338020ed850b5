import type { Fault } from '../plan/fault.ts'
import {
  numberParam,
  textParam,
  type FaultContext,
  type Inject,
  type Injected,
} from './fault-context.ts'
import { resolveTarget } from './resolve-target.ts'

const LATENCY_FACTOR = 50
const CLOG_STEP_MS = 200

/** C: links between machines. */
export const NETWORK_FAULTS = {
  latency: ({ holds, world }, fault, name) => {
    const factor = numberParam(fault, 'factor', LATENCY_FACTOR)
    return holds.value(`latency ${name}`, factor, 1, (value) => {
      world.network.setLatencyFactor(name, value)
    })
  },
  cut: (context, fault, name) => {
    const direction = textParam(fault, 'direction') ?? 'both'
    const undos = peersOf(context, fault, name).flatMap((peer) => [
      ...(direction === 'in' ? [] : [context.holds.cut(name, peer)]),
      ...(direction === 'out' ? [] : [context.holds.cut(peer, name)]),
    ])
    return undos.length === 0 ? 'idle' : () => runAll(undos)
  },
  reset: (context, fault, name) => {
    for (const peer of peersOf(context, fault, name)) context.world.network.reset(name, peer)
    return null
  },
  'lose-responses': (context, fault, name) => {
    const peers = peersOf(context, fault, name, 'clients')
    for (const peer of peers) context.world.network.loseFrom(name, peer)
    return peers.length === 0 ? 'idle' : null
  },
  hold: (context, fault, name) => {
    const undos = peersOf(context, fault, name).map((peer) => context.holds.hold(name, peer))
    return undos.length === 0 ? 'idle' : () => runAll(undos)
  },
  clog: (context, fault, name) => clog(context, fault, [name]),
} satisfies Record<string, Inject>

/**
 * Stalls the links of some of `names` one after the other in seeded order and frees them, when it is undone, in another
 * (FoundationDB's swizzle-clogging).
 */
export function clog(context: FaultContext, fault: Fault, names: readonly string[]): Injected {
  const { random, world } = context
  const count = Math.min(names.length, Math.max(1, numberParam(fault, 'count', names.length)))
  const chosen = shuffled(context, names).slice(0, count)
  if (chosen.length === 0) return 'idle'
  const everyMs = numberParam(fault, 'everyMs', CLOG_STEP_MS)
  const undos = new Map<string, readonly (() => void)[]>()
  let isOver = false
  for (const [index, name] of chosen.entries()) {
    const stepMs = index * everyMs + random.below(Math.max(1, everyMs))
    world.scheduler.after(stepMs * 1000, 'fault.clog', () => {
      if (isOver) return
      const links = machinesOf(context).filter((peer) => peer !== name)
      undos.set(
        name,
        links.flatMap((peer) => [context.holds.cut(name, peer), context.holds.cut(peer, name)]),
      )
    })
  }
  const freed = shuffled(context, chosen)
  return () => {
    isOver = true
    for (const [index, name] of freed.entries()) {
      const free = (): void => runAll(undos.get(name) ?? [])
      if (index === 0) free()
      else world.scheduler.after(index * everyMs * 1000, 'fault.unclog', free)
    }
  }
}

/** The machines that `params.peers` names: all others, those of a role, or a list of names and symbols. */
function peersOf(
  context: FaultContext,
  fault: Fault,
  name: string,
  usual = 'all',
): readonly string[] {
  const { cluster, actors } = context
  const wanted = textParam(fault, 'peers') ?? usual
  const others = (names: readonly string[]): readonly string[] =>
    names.filter((each) => each !== name)
  switch (wanted) {
    case 'all':
      return others(machinesOf(context))
    case 'clients':
      return others([...actors.keys()])
    case 'nodes':
      return others(cluster.nodes.map((node) => node.name))
    case 'brokers':
      return others(cluster.nodes.filter((node) => node.isBroker).map((node) => node.name))
    case 'controllers':
      return others(cluster.nodes.filter((node) => node.isController).map((node) => node.name))
    default: {
      const clients = [...actors.keys()]
      // A comma inside brackets belongs to a symbol.
      const parts = wanted.split(/\s*,\s*(?![^(]*\))/)
      return others([...new Set(parts.flatMap((part) => resolveTarget(part, cluster, clients)))])
    }
  }
}

function machinesOf({ cluster, actors }: FaultContext): readonly string[] {
  return [...cluster.nodes.map(({ name }) => name), ...actors.keys()]
}

function shuffled({ random }: FaultContext, names: readonly string[]): readonly string[] {
  const left = [...names]
  const order: string[] = []
  while (left.length > 0) order.push(...left.splice(random.below(left.length), 1))
  return order
}

function runAll(fns: readonly (() => void)[]): void {
  for (const fn of fns) fn()
}
