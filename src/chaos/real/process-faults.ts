import type { Random } from '../../ports/random.ts'
import type { Fault } from '../plan/fault.ts'
import type { ClientHost } from './client-host.ts'
import type { LinkProxy } from './link-proxy.ts'
import { isHost, type LinkMatch, type LinkTable, type Undo } from './link-table.ts'
import type { NodeLives } from './node-lives.ts'
import type { ProxiedConnection } from './proxied-connection.ts'
import { corruptIndexes, flipBit, wipe, type FlipWhere } from './process-files.ts'
import type { StageNode } from './stage-node.ts'

/** One-way time on a loopback that a latency factor is taken of. */
const BASE_LATENCY_MS = 0.5
/** A slow node runs for this long, then stands still for `factor - 1` times as long. */
const SLOW_SLICE_MS = 5
const LONGEST_STANDSTILL_MS = 500
/** Between two links of a clog. */
const CLOG_STEP_MS = 150

export interface FaultWorld {
  readonly nodes: readonly StageNode[]
  readonly clients: ReadonlyMap<string, ClientHost>
  readonly table: LinkTable
  readonly proxies: readonly LinkProxy[]
  readonly random: Random
  /** Who starts and ends nodes; a start that fails is the stage's to tell. */
  readonly lives: NodeLives
  /** Begins another life of the client, and of its actor. */
  readonly startClient: (client: ClientHost) => void
}

/** What was begun and how it is undone; null when the fault did not apply. */
export type Injected = { readonly undo: Undo } | null

const NOTHING_TO_UNDO: Injected = { undo: () => undefined }

/** Carries out one fault on one host. */
export async function injectOn(name: string, fault: Fault, world: FaultWorld): Promise<Injected> {
  const client = world.clients.get(name)
  if (client !== undefined) return injectOnClient(client, fault, world)
  const node = world.nodes.find((candidate) => candidate.name === name)
  if (node === undefined) return null
  return (await injectOnProcess(node, fault, world)) ?? injectOnLinks(name, fault, world)
}

function injectOnClient(client: ClientHost, fault: Fault, world: FaultWorld): Injected {
  switch (fault.kind) {
    case 'client-crash':
      if (!client.isUp) return null
      client.crash()
      return { undo: () => world.startClient(client) }
    case 'client-pause':
      if (!client.isUp || client.isPaused) return null
      client.pause()
      return { undo: () => client.resume() }
    default:
      return injectOnLinks(client.name, fault, world)
  }
}

/** Null also for a fault that is none of a process. */
async function injectOnProcess(
  node: StageNode,
  fault: Fault,
  world: FaultWorld,
): Promise<Injected> {
  const { lives } = world
  const restart: Injected = { undo: () => lives.start(node) }
  if (!node.isUp) return null
  switch (fault.kind) {
    case 'crash':
      await lives.kill(node)
      return restart
    case 'shutdown':
      await lives.shutDown(node)
      return restart
    case 'pause':
      if (node.isPaused) return null
      node.pause()
      return { undo: () => node.resume() }
    case 'slow-node':
      return { undo: slowDown(node, Number(fault.params?.['factor'] ?? 5)) }
    case 'wipe-disk':
      await lives.kill(node)
      wipe(node.directory)
      return restart
    case 'corrupt-index':
      await lives.kill(node)
      corruptIndexes(node.directory, world.random)
      return restart
    case 'bit-flip': {
      await lives.kill(node)
      const where = String(fault.params?.['where'] ?? 'any') as FlipWhere
      const damage = flipBit(node.directory, where, world.random)
      // The page cache of a process that lives would hide the damage: it is stopped for it, and goes on.
      lives.start(node)
      return damage === null ? null : NOTHING_TO_UNDO
    }
    default:
      return null
  }
}

function injectOnLinks(name: string, fault: Fault, world: FaultWorld): Injected {
  const { table } = world
  const { params } = fault
  const peers = peersOf(String(params?.['peers'] ?? 'all'), name, world)
  switch (fault.kind) {
    case 'cut': {
      const direction = String(params?.['direction'] ?? 'both')
      const matches = peers.flatMap((peer) => waysBetween(name, peer, direction))
      return { undo: all(matches.map((match) => table.cut(match))) }
    }
    case 'latency': {
      const delayMs = Number(params?.['factor'] ?? 5) * BASE_LATENCY_MS
      return {
        undo: all([table.delay({ from: name }, delayMs), table.delay({ to: name }, delayMs)]),
      }
    }
    case 'reset':
      for (const connection of connectionsOf(name, peers, world)) connection.reset()
      return NOTHING_TO_UNDO
    case 'lose-responses':
      for (const connection of connectionsOf(name, peers, world)) connection.loseFrom(name)
      return NOTHING_TO_UNDO
    case 'hold': {
      const held = connectionsOf(name, peers, world)
      for (const connection of held) connection.hold()
      return { undo: all(held.map((connection) => () => connection.release())) }
    }
    default:
      return null
  }
}

/** Swizzle-clog: the links of some nodes stall one after another, and are freed in another order. */
export function clog(
  fault: Fault,
  world: FaultWorld,
): { readonly nodes: string[]; readonly undo: Undo } {
  const { random, table } = world
  const names = shuffled(
    world.nodes.map(({ name }) => name),
    random,
  ).slice(0, Number(fault.params?.['count'] ?? 1))
  const undos = new Map<string, Undo>()
  const timers = names.map((name, index) =>
    setTimeout(() => {
      undos.set(name, all([table.cut({ from: name }), table.cut({ to: name })]))
    }, index * CLOG_STEP_MS),
  )
  const undo = (): void => {
    for (const timer of timers) clearTimeout(timer)
    shuffled([...undos.keys()], random).forEach((name, index) => {
      setTimeout(() => undos.get(name)?.(), index * CLOG_STEP_MS)
    })
  }
  return { nodes: names, undo }
}

/** A process that gets only a part of the time: it is stopped again and again. */
function slowDown(node: StageNode, factor: number): Undo {
  let isOver = false
  let timer: NodeJS.Timeout | null = null
  const standstillMs = Math.min(LONGEST_STANDSTILL_MS, SLOW_SLICE_MS * Math.max(0, factor - 1))
  const run = (): void => {
    node.resume()
    if (!isOver) timer = setTimeout(stand, SLOW_SLICE_MS)
  }
  const stand = (): void => {
    if (isOver || !node.isUp) return
    node.pause()
    timer = setTimeout(run, standstillMs)
  }
  stand()
  return () => {
    isOver = true
    if (timer !== null) clearTimeout(timer)
    node.resume()
  }
}

/** Hosts on the other ends, and which listener of theirs; null role: any. */
interface Peer {
  readonly name: string | null
  readonly role: LinkMatch['role']
}

/**
 * Nodes are combined here, so `brokers` and `controllers` are told apart by the listener that is dialled: a cut from
 * the controllers stops what goes to and comes from controller listeners.
 */
function peersOf(text: string, name: string, world: FaultWorld): readonly Peer[] {
  const others = world.nodes.map((node) => node.name).filter((other) => other !== name)
  switch (text) {
    case 'all':
      return [{ name: null, role: undefined }]
    case 'brokers':
      return others.map((other) => ({ name: other, role: 'client' }))
    case 'controllers':
      return others.map((other) => ({ name: other, role: 'controller' }))
    case 'clients':
      return [...world.clients.keys()].map((client) => ({ name: client, role: undefined }))
    default:
      return text.split(',').map((each) => ({
        name: each.trim().replace(/^[bc](\d+)$/, 'n$1'),
        role: undefined,
      }))
  }
}

function waysBetween(name: string, peer: Peer, direction: string): readonly LinkMatch[] {
  const other = peer.name === null ? {} : { name: peer.name }
  const role = peer.role === undefined ? {} : { role: peer.role }
  const out: LinkMatch = { from: name, ...('name' in other ? { to: other.name } : {}), ...role }
  const back: LinkMatch = { to: name, ...('name' in other ? { from: other.name } : {}), ...role }
  return [...(direction === 'in' ? [] : [out]), ...(direction === 'out' ? [] : [back])]
}

function connectionsOf(
  name: string,
  peers: readonly Peer[],
  world: FaultWorld,
): readonly ProxiedConnection[] {
  const found: ProxiedConnection[] = []
  for (const { connections } of world.proxies) {
    for (const connection of connections) {
      const { node, client, role } = connection
      if (client === null) continue
      const ends = [
        [node, client],
        [client, node],
      ] as const
      const isMeant = ends.some(
        ([own, other]) =>
          isHost(name, own) &&
          peers.some(
            (peer) =>
              isHost(peer.name ?? undefined, other) &&
              (peer.role === undefined || peer.role === role),
          ),
      )
      if (isMeant) found.push(connection)
    }
  }
  return found
}

function all(undos: readonly Undo[]): Undo {
  return () => {
    for (const undo of undos) undo()
  }
}

function shuffled(names: readonly string[], random: Random): string[] {
  const left = [...names]
  const order: string[] = []
  while (left.length > 0) order.push(...left.splice(random.below(left.length), 1))
  return order
}
