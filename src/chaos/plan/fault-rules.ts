import { FAULT_KINDS, type FaultKind } from './fault.ts'

/** Whom a fault may be aimed at. */
export type Aim =
  /** Nodes of the cluster. */
  | 'node'
  /** Nodes of the cluster and clients. */
  | 'machine'
  | 'client'
  /** A topic, by name or by `params.topic`; the target then is of no matter. */
  | 'cluster'

export type ParamType = 'number' | 'text' | 'boolean' | readonly string[]

export interface FaultRule {
  readonly aim: Aim
  /** `untilMs` means something. Without it, the fault is over as soon as it has happened. */
  readonly lasts: boolean
  /** `all` is a target. */
  readonly mayBeAll: boolean
  readonly params: Readonly<Record<string, ParamType>>
  readonly requires: readonly string[]
}

const PEERS: Readonly<Record<string, ParamType>> = { peers: 'text' }
const AFTER: Readonly<Record<string, ParamType>> = { afterOperations: 'number' }

const RULES: Readonly<Record<FaultKind, FaultRule>> = {
  crash: rule('node', { lasts: true, params: { isSilent: 'boolean', ...AFTER } }),
  'power-cut': rule('node', {
    lasts: true,
    mayBeAll: false,
    params: { tear: ['ordered', 'any'], ...AFTER },
  }),
  'power-cut-all': rule('node', { lasts: true, params: { spreadMs: 'number' } }),
  pause: rule('node', { lasts: true }),
  shutdown: rule('node', { lasts: true, mayBeAll: false }),
  'slow-node': rule('node', { lasts: true, params: { factor: 'number' } }),
  'wipe-disk': rule('node', {
    lasts: true,
    mayBeAll: false,
    params: { isWithinBudget: 'boolean' },
  }),
  'stale-disk': rule('node', { lasts: true, mayBeAll: false, params: { ageMs: 'number' } }),
  'bit-flip': rule('node', {
    params: {
      where: ['closed', 'tail', 'any'],
      topic: 'text',
      partition: 'number',
      isOverBudget: 'boolean',
    },
  }),
  'lose-write': rule('node', {}),
  'misdirect-write': rule('node', {}),
  'read-error': rule('node', {}),
  'write-error': rule('node', {}),
  'fsync-error': rule('node', {}),
  'lying-fsync': rule('node', { lasts: true }),
  'disk-full': rule('node', { lasts: true, params: { freeBytes: 'number' } }),
  'log-dir-failure': rule('node', { lasts: true, params: { index: 'number' } }),
  'slow-disk': rule('node', { lasts: true, params: { stallMs: 'number' } }),
  'corrupt-index': rule('node', {
    lasts: true,
    mayBeAll: false,
    params: { how: ['delete', 'garble'], topic: 'text' },
  }),
  latency: rule('machine', { lasts: true, params: { factor: 'number' } }),
  cut: rule('machine', { lasts: true, params: { direction: ['out', 'in', 'both'], ...PEERS } }),
  reset: rule('machine', { params: PEERS }),
  'lose-responses': rule('node', { params: PEERS }),
  hold: rule('machine', { lasts: true, params: PEERS }),
  clog: rule('machine', { lasts: true, params: { count: 'number', everyMs: 'number' } }),
  'clock-skew': rule('machine', { lasts: true, params: { ms: 'number' }, requires: ['ms'] }),
  'clock-jump': rule('machine', { params: { ms: 'number' }, requires: ['ms'] }),
  'clock-drift': rule('machine', {
    lasts: true,
    params: { permille: 'number' },
    requires: ['permille'],
  }),
  'elect-preferred': rule('cluster', { params: { topic: 'text' } }),
  'create-partitions': rule('cluster', {
    params: { topic: 'text', count: 'number' },
    requires: ['count'],
  }),
  'recreate-topic': rule('cluster', { params: { topic: 'text' } }),
  'alter-topic': rule('cluster', {
    params: { topic: 'text', name: 'text', value: 'text' },
    requires: ['name', 'value'],
  }),
  'client-crash': rule('client', { lasts: true }),
  'client-pause': rule('client', { lasts: true }),
}

export function ruleOf(kind: FaultKind): FaultRule {
  return RULES[kind]
}

export function isFaultKind(text: string): text is FaultKind {
  return (FAULT_KINDS as readonly string[]).includes(text)
}

function rule(aim: Aim, given: Partial<Omit<FaultRule, 'aim'>>): FaultRule {
  return { aim, lasts: false, mayBeAll: true, params: {}, requires: [], ...given }
}
