import type { Fault, FaultKind } from '../plan/fault.ts'
import { FAULT_KINDS } from '../plan/fault.ts'
import type { Draw } from './draw.ts'
import { EVIL_PAIRS, type EvilPair } from './evil-pairs.ts'
import { FAULT_KIND_RULES } from './fault-kinds.ts'
import { aBroker, type FaultField } from './fault-target.ts'

const ENABLED_PERMILLE = 500
/**
 * What moves leaders, controllers and coordinators, and what makes clients begin again: most planted bugs need several
 * such moves to show.
 */
const MOVERS: ReadonlySet<FaultKind> = new Set([
  'crash',
  'pause',
  'cut',
  'shutdown',
  'client-crash',
])
const MOVER_ENABLED_PERMILLE = 750
const MOVER_WEIGHT = 3
const PAIR_PERMILLE = 400
/** The first round finds the cluster whole, which most pairs begin from. */
const FIRST_PAIR_PERMILLE = 700
const DAMAGE_PERMILLE = 350
const AT_PROBE_PERMILLE = 120
/** A node that is down for the rest of the chaos leaves less to test. */
const FOR_GOOD_PERMILLE = 80
/** Long enough for the in-sync sets to be whole before a disk loses something. */
const CALM_AROUND_DAMAGE_MS = 2500
const LAST_ROUND_MS = 1500
const LEAST_MS = 100

/**
 * Faults that take bytes away which were acknowledged, on one replica. Within the budget they come in rounds
 * of their own, with the cluster whole before and after; over it, at any time.
 */
export const DAMAGE_KINDS: ReadonlySet<FaultKind> = new Set([
  'power-cut',
  'wipe-disk',
  'stale-disk',
  'bit-flip',
  'lose-write',
  'misdirect-write',
  'lying-fsync',
])
/** No number of replicas stands this without an fsync before the acknowledgement. */
const ALWAYS_OVER: ReadonlySet<FaultKind> = new Set(['power-cut-all'])
const ADMIN_KINDS: ReadonlySet<FaultKind> = new Set([
  'elect-preferred',
  'create-partitions',
  'recreate-topic',
  'alter-topic',
])

/** The nodes of seeds have one log directory each, so nothing would come of these. */
export const NOT_OF_SEEDS: ReadonlySet<FaultKind> = new Set(['log-dir-failure'])

export interface FaultWishes {
  readonly isOverBudget: boolean
  readonly enabled: ReadonlySet<FaultKind>
  readonly chaosMs: number
  /** Of a thousand rounds, so many have no fault. */
  readonly calmPermille: number
  /** The first round begins before this. */
  readonly firstRoundMs: number
  /** Moments of the protocol at which a fault can be placed. */
  readonly probes: readonly string[]
}

/** Which kinds exist in a seed at all: leaving some out finds more than always having all. */
export function enabledKinds(
  draw: Draw,
  { recreatedPermille }: { readonly recreatedPermille: number },
): ReadonlySet<FaultKind> {
  const permilleOf = (kind: FaultKind): number => {
    if (kind === 'recreate-topic') return recreatedPermille
    if (NOT_OF_SEEDS.has(kind)) return 0
    return MOVERS.has(kind) ? MOVER_ENABLED_PERMILLE : ENABLED_PERMILLE
  }
  return new Set(FAULT_KINDS.filter((kind) => draw.chance(kind, permilleOf(kind))))
}

/**
 * The schedule of a seed: rounds with a few faults (sometimes none), each followed by a calm window, because
 * a cluster that is always down shows nothing.
 */
export function faultsOfSeed(draw: Draw, field: FaultField, wishes: FaultWishes): readonly Fault[] {
  const faults: Fault[] = []
  const intensity = draw.pick('intensity', [1, 2, 3, 5])
  let beginMs = draw.between('first', 0, wishes.firstRoundMs)
  // A node that stays down, or a fault whose moment is open, may fall together with any later round.
  let isWhole = true
  for (let round = 0; beginMs < wishes.chaosMs - LAST_ROUND_MS; round += 1) {
    const part = draw.part(`round ${round}`)
    const restMs = wishes.chaosMs - beginMs
    const lengthMs = Math.min(restMs, part.pick('length', [800, 2000, 4000]))
    const calmMs = part.pick('calm', [100, 500, 2000])
    const beforeMs = wishes.isOverBudget ? 0 : CALM_AROUND_DAMAGE_MS
    const mayDamage = (isWhole || wishes.isOverBudget) && beforeMs + lengthMs <= restMs
    const damage =
      mayDamage && part.chance('damage', DAMAGE_PERMILLE)
        ? damageRound(part.part('of damage'), field, wishes, lengthMs)
        : []
    if (damage.length > 0) {
      faults.push(...damage.map((fault) => later(fault, beginMs + beforeMs)))
      beginMs += lengthMs + 2 * beforeMs + calmMs
      continue
    }
    if (!part.chance('calm round', wishes.calmPermille)) {
      const pairPermille = round === 0 ? FIRST_PAIR_PERMILLE : PAIR_PERMILLE
      const rows = plainRound(part, field, wishes, { lengthMs, intensity, pairPermille })
      isWhole &&= rows.every((row) => row.atProbe === undefined && !staysDown(row))
      faults.push(...rows.map((fault) => later(fault, beginMs)))
    }
    beginMs += lengthMs + calmMs
  }
  return faults.map((fault) => clipped(fault, wishes.chaosMs)).toSorted((a, b) => a.atMs - b.atMs)
}

function plainRound(
  draw: Draw,
  field: FaultField,
  wishes: FaultWishes,
  round: { readonly lengthMs: number; readonly intensity: number; readonly pairPermille: number },
): readonly Fault[] {
  const { lengthMs, intensity, pairPermille } = round
  const pair = draw.chance('pair', pairPermille) ? aPair(draw, wishes, false) : null
  if (pair !== null) return rowsOf(pair, draw, field, lengthMs)
  const kinds = [...wishes.enabled].filter((kind) => isPlain(kind, wishes))
  if (kinds.length === 0) return []
  const count = draw.between('count', 1, intensity)
  const weighted = kinds.map((kind) => [kind, MOVERS.has(kind) ? MOVER_WEIGHT : 1] as const)
  return Array.from({ length: count }, (_, index) => {
    const part = draw.part(`fault ${index}`)
    return oneFault(part, field, { wishes, lengthMs, kind: part.weighted('kind', weighted) })
  })
}

/** One fault that takes something away, or a pair that does; nothing when the budget has no room for it. */
function damageRound(
  draw: Draw,
  field: FaultField,
  wishes: FaultWishes,
  lengthMs: number,
): readonly Fault[] {
  const pair = draw.chance('pair', PAIR_PERMILLE) ? aPair(draw, wishes, true) : null
  const kinds = [...wishes.enabled].filter(
    (kind) => DAMAGE_KINDS.has(kind) && (wishes.isOverBudget || isSafeFor(kind, field)),
  )
  if (pair !== null && (wishes.isOverBudget || isSafeFor('lying-fsync', field))) {
    return rowsOf(pair, draw, field, lengthMs)
  }
  if (kinds.length === 0) return []
  const kind = draw.pick('kind', kinds)
  const fault = oneFault(draw.part(kind), field, { wishes, lengthMs, kind })
  // A disk of a voter holds votes too; within the budget only brokers lose theirs.
  const target = wishes.isOverBudget ? fault.target : aBroker(draw.part('broker'), field)
  const { atProbe: _, ...row } = fault
  return [{ ...row, target, atMs: 0, ...(fault.untilMs !== undefined && { untilMs: lengthMs }) }]
}

function isPlain(kind: FaultKind, wishes: FaultWishes): boolean {
  if (wishes.isOverBudget) return true
  return !DAMAGE_KINDS.has(kind) && !ALWAYS_OVER.has(kind)
}

/** Votes are synced before they count, so a voter stands a power cut, and no other loss. */
function isSafeFor(kind: FaultKind, { cluster }: FaultField): boolean {
  return kind === 'power-cut' || cluster.layout === 'separate'
}

function aPair(draw: Draw, { enabled }: FaultWishes, isDamage: boolean): EvilPair | null {
  const possible = EVIL_PAIRS.filter(
    (pair) => pair.isDamage === isDamage && pair.kinds.every((kind) => enabled.has(kind)),
  )
  return possible.length === 0 ? null : draw.pick('which pair', possible)
}

/** Gaps are drawn without a look at the length of the round; each fault of a pair gets its moment. */
function rowsOf(pair: EvilPair, draw: Draw, field: FaultField, lengthMs: number): readonly Fault[] {
  return pair.draw(draw.part(pair.name), field, lengthMs).map((row) => {
    if (row.untilMs === undefined) return row
    return { ...row, untilMs: Math.max(row.untilMs, row.atMs + LEAST_MS) }
  })
}

function oneFault(
  draw: Draw,
  field: FaultField,
  of: { readonly kind: FaultKind; readonly lengthMs: number; readonly wishes: FaultWishes },
): Fault {
  const { kind, lengthMs, wishes } = of
  const rule = FAULT_KIND_RULES[kind]
  const atMs = draw.between('at', 0, Math.floor(lengthMs / 2))
  const lastsMs = Math.max(50, draw.pick('lasts', [50, 400, 1500, lengthMs]))
  const isForGood = kind === 'crash' && draw.chance('for good', FOR_GOOD_PERMILLE)
  const isAtProbe =
    wishes.probes.length > 0 && !ADMIN_KINDS.has(kind) && draw.chance('at probe', AT_PROBE_PERMILLE)
  return {
    atMs,
    kind,
    ...rule.draw(draw.part(kind), field),
    ...(rule.lasts && !isForGood && { untilMs: Math.min(atMs + lastsMs, lengthMs) }),
    ...(isAtProbe && {
      atProbe: { name: draw.pick('probe', wishes.probes), hit: draw.pick('hit', [1, 1, 2, 5]) },
    }),
  }
}

function staysDown(fault: Fault): boolean {
  return FAULT_KIND_RULES[fault.kind].lasts && fault.untilMs === undefined
}

function later(fault: Fault, byMs: number): Fault {
  const { untilMs } = fault
  return {
    ...fault,
    atMs: fault.atMs + byMs,
    ...(untilMs !== undefined && { untilMs: untilMs + byMs }),
  }
}

/** What would begin after the chaos has ended begins at its end; what would be undone then is undone by the heal. */
function clipped(fault: Fault, chaosMs: number): Fault {
  const atMs = Math.min(fault.atMs, chaosMs - 1)
  if (fault.untilMs === undefined || fault.untilMs < chaosMs) return { ...fault, atMs }
  const { untilMs: _, ...row } = fault
  return { ...row, atMs }
}
