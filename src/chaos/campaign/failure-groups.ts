import { isFailure, type SeedOutcome } from './seed-outcome.ts'

const SEEDS_SHOWN = 5
const SENTENCE_CHARS = 160

export type NodeRole = 'broker' | 'controller' | 'combined node' | 'no node'

/** Failures that are probably one bug. */
export interface FailureGroup {
  readonly verdict: SeedOutcome['verdict']
  readonly invariant: string | null
  readonly role: NodeRole
  /** The first sentence of the reason, with N for every number. */
  readonly sentence: string
  readonly count: number
  /** The first few. */
  readonly seeds: readonly number[]
}

/** Groups by invariant, role of the node named in the reason, and the reason's first sentence; largest first. */
export function groupFailures(outcomes: readonly SeedOutcome[]): readonly FailureGroup[] {
  const groups = new Map<string, { first: SeedOutcome; seeds: number[] }>()
  for (const outcome of outcomes) {
    if (!isFailure(outcome)) continue
    const { verdict, invariant, reason } = outcome
    const key = [verdict, invariant, roleIn(reason ?? ''), sentenceOf(reason ?? '')].join('\n')
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { first: outcome, seeds: [outcome.seed] })
    else group.seeds.push(outcome.seed)
  }
  return [...groups.values()]
    .map(({ first, seeds }) => ({
      verdict: first.verdict,
      invariant: first.invariant,
      role: roleIn(first.reason ?? ''),
      sentence: sentenceOf(first.reason ?? ''),
      count: seeds.length,
      seeds: seeds.slice(0, SEEDS_SHOWN),
    }))
    .toSorted((a, b) => b.count - a.count)
}

/** The role of the first node that a reason names. */
export function roleIn(reason: string): NodeRole {
  const letter = /\b([bcn])\d+\b/.exec(reason)?.[1]
  if (letter === undefined) return 'no node'
  if (letter === 'b') return 'broker'
  return letter === 'c' ? 'controller' : 'combined node'
}

/** What two failures of the same kind have in common. */
export function sentenceOf(reason: string): string {
  const line = reason.split('\n', 1)[0] ?? ''
  const sentence = line.split(/\. |; /, 1)[0] ?? ''
  return sentence.replaceAll(/\d+/g, 'N').slice(0, SENTENCE_CHARS)
}
