import { ErrorCode } from '../../wire/error-codes.ts'
import type { NodeEvent } from '../../ports/events.ts'
import type { Profile } from '../plan/plan.ts'
import type { Probe } from './probe.ts'

type Fields = NodeEvent['fields']
type Condition = (fields: Fields) => boolean

/** A probe of one kind of event. */
export interface EventProbe extends Probe {
  readonly kind: string
}

/** Everything that has partitions with more than one replica. */
export const REPLICATED: readonly Profile[] = ['data', 'groups']
export const DATA: readonly Profile[] = ['data']
export const GROUPS: readonly Profile[] = ['groups']
/** Every cluster has a quorum of controllers, brokers that come and go, and a network. */
export const ALL: readonly Profile[] = ['data', 'groups', 'quorum']
export const QUORUM: readonly Profile[] = ['quorum']
/** Rare by construction, or out of reach of the present workloads: counted, and missed by nobody. */
export const NOWHERE: readonly Profile[] = []

/** Makes the probes of one area, which their names begin with. */
export function probesOf(area: string, profiles: readonly Profile[]): ProbeMaker {
  return (name, kind, says, when = always, more = profiles) => ({
    name: `${area}.${name}`,
    says,
    kind,
    profiles: more,
    isHit: (event) => event.kind === kind && when(event.fields),
  })
}

export type ProbeMaker = (
  name: string,
  kind: string,
  says: string,
  when?: Condition,
  profiles?: readonly Profile[],
) => EventProbe

/** The event carries this error. */
export function failedWith(name: keyof typeof ErrorCode): Condition {
  return ({ errorCode }) => errorCode === ErrorCode[name]
}

export function isField(field: string, value: Fields[string]): Condition {
  return (fields) => fields[field] === value
}

/** The text in the field contains this one. */
export function tells(field: string, text: string): Condition {
  return (fields) => String(fields[field] ?? '').includes(text)
}

export function both(a: Condition, b: Condition): Condition {
  return (fields) => a(fields) && b(fields)
}

/** How many the list in the field has; -1 when it is none. */
export function sizeOf(fields: Fields, field: string): number {
  const list = fields[field]
  return Array.isArray(list) ? list.length : -1
}

/** The number in the field; NaN, which is neither more nor less than anything, when it is none. */
export function numberOf(fields: Fields, field: string): number {
  const value = fields[field]
  return typeof value === 'number' ? value : NaN
}

function always(): boolean {
  return true
}
