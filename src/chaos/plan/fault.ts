/**
 * The kinds of fault, by the catalogue's letters. A fault is data: it can be printed, replayed, shrunk and
 * shared between the simulated and the real mode.
 */
export const FAULT_KINDS = [
  // A, process
  'crash', // until: restarted with its page cache; params.afterOperations: of its disk, from then on
  'power-cut', // until: restarted; what was not synced is lost; params.afterOperations, params.tear 'ordered' | 'any'
  'power-cut-all', // every node; until: restarted in seeded order
  'pause', // until: goes on; its clock kept running
  'shutdown', // controlled; until: started again
  'slow-node', // params.factor; until
  'wipe-disk', // crash, empty disk; until: started again; params.isWithinBudget: the other voters have everything
  'stale-disk', // crash, disk as it was params.ageMs ago; until: started again
  // B, disk
  'bit-flip', // params.where: 'closed' | 'tail' | 'any'
  'lose-write', // the next append is said to be done and is not
  'misdirect-write', // the next append lands elsewhere
  'read-error', // the next read fails with EIO
  'write-error', // the next append fails with EIO
  'fsync-error', // the next fsync fails, later ones succeed
  'lying-fsync', // until: an fsync answers and makes nothing durable
  'disk-full', // until
  'slow-disk', // params.stallMs for every fsync; until
  'log-dir-failure', // params.index of log.dirs, from 2; until: mended, for the node's next start
  'corrupt-index', // crash, index files damaged or removed; until: started again
  // C, network
  'latency', // params.factor on the target's links; until
  'cut', // one-way or both; params.direction 'out' | 'in' | 'both', params.peers; until
  'reset', // every open connection of the target (with params.peers)
  'lose-responses', // what the target answers is lost and the connections reset
  'hold', // bytes under way on the target's connections wait until `until`, new connections are free
  'clog', // swizzle: the links of params.count nodes stall one after another, freed in another order
  // D, time
  'clock-skew', // params.ms added to the wall clock; until
  'clock-jump', // params.ms, for good
  'clock-drift', // params.permille of rate; until
  // E, administration
  'elect-preferred',
  'create-partitions', // params.topic, params.count
  'recreate-topic', // params.topic
  'alter-topic', // params.topic, params.name, params.value
  // F, clients
  'client-crash', // until: a new life
  'client-pause', // until
] as const

export type FaultKind = (typeof FAULT_KINDS)[number]

export type FaultParams = Readonly<Record<string, number | string | boolean>>

/**
 * One row of a schedule. `target` is a node's name (`b2`, `c1`, `n3`, `client-1`) or a symbol that is resolved
 * when the fault fires: `leader(t-0)`, `follower(t-0,0)` (in-sync first, by id), `replica(t-0,1)`,
 * `coordinator(group)`, `controller` (the active one), `other-controller(0)`, `any-broker(3)` (3 modulo the
 * number of brokers), `all`. A row that does not apply when it fires (already down) does nothing: every
 * subset of a schedule is a schedule.
 */
export interface Fault {
  /** Milliseconds after the begin of the chaos phase. */
  readonly atMs: number
  readonly kind: FaultKind
  readonly target: string
  /** When it is undone; without it, it lasts until the heal at the end (crashed nodes are started then). */
  readonly untilMs?: number
  readonly params?: FaultParams
  /** Fires at the n-th hit (from 1) of this probe after `atMs`, instead of at `atMs`; `untilMs` counts from then. */
  readonly atProbe?: { readonly name: string; readonly hit: number }
}
