import { ConfigError, messageOf } from '../../base/errors.ts'
import type { Plan } from './plan.ts'
import { fields, oneOf, refuse, type Shape } from './shape.ts'
import { validatePlan } from './validate-plan.ts'

const FORMAT = 'kafkette-schedule'
const VERSION = 1

/** How the run of a schedule should end. */
export interface Expectation {
  readonly verdict: string
  /** Of a `fail`; null otherwise. */
  readonly invariant: string | null
}

/** A plan with what it is to show, as kept in a file. */
export interface Schedule {
  readonly plan: Plan
  readonly expect: Expectation
}

const nullableText: Shape = (value, path) => {
  if (value !== null && typeof value !== 'string') refuse(path, 'a text or null', value)
}

const fileShape = fields({
  format: oneOf([FORMAT]),
  version: oneOf([VERSION]),
  plan: () => undefined,
  expect: fields({
    verdict: oneOf(['pass', 'fail', 'stuck', 'unavailable', 'harness-error']),
    invariant: nullableText,
  }),
})

/** Canonical text: the same schedule gives the same bytes, in whatever order its fields were made. */
export function printSchedule({ plan, expect }: Schedule): string {
  return `${JSON.stringify(sorted({ format: FORMAT, version: VERSION, plan, expect }), null, 2)}\n`
}

/** Throws `ConfigError` with one line for whatever is wrong. */
export function parseSchedule(text: string): Schedule {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new ConfigError(`schedule: not JSON (${oneLine(messageOf(error))})`)
  }
  fileShape(value, 'schedule')
  const { plan, expect } = value as Schedule
  return { plan: validatePlan(plan), expect }
}

/** Field names of plans are few and fixed, and are written in a fixed order; lists keep theirs. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, each]) => each !== undefined)
  entries.sort(([left], [right]) => orderOf(left) - orderOf(right) || (left < right ? -1 : 1))
  return Object.fromEntries(entries.map(([name, each]) => [name, sorted(each)]))
}

/** What one reads first; all other names follow by code unit. */
const FIRST = [
  'format',
  'version',
  'expect',
  'name',
  'seed',
  'profile',
  'kind',
  'atMs',
  'target',
  'untilMs',
  'faults',
  'cluster',
  'topics',
  'workload',
]

function orderOf(name: string): number {
  const index = FIRST.indexOf(name)
  return index === -1 ? FIRST.length : index
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}
