import type { Hunt } from './hunt.ts'

/** One line about a mutant. */
export function huntLine({ mutant, ending, seeds, seed, ...hunt }: Hunt): string {
  const seconds = (hunt.wallMs / 1000).toFixed(1)
  const name = mutant.name.padEnd(40)
  if (ending === 'killed') {
    const odd = hunt.isAsExpected ? '' : `, expected ${mutant.invariants.join(' or ')}`
    const others = Object.keys(hunt.foundBy).filter((id) => id !== hunt.invariant)
    const also = others.length === 0 ? '' : `, found by ${others.join(', ')} as well`
    return `${name} killed by ${hunt.invariant ?? 'a stuck cluster'} after ${seeds} seeds (seed ${seed}, ${seconds} s${odd}${also}): ${firstLine(hunt.reason)}`
  }
  if (ending === 'broken') return `${name} BROKEN: ${firstLine(hunt.reason)}`
  if (ending === 'interrupted') return `${name} interrupted after ${seeds} seeds`
  return `${name} SURVIVED ${seeds} seeds (${seconds} s)`
}

/** The last lines: how many were killed, and how fast. */
export function huntSummary(hunts: readonly Hunt[], wanted: number): readonly string[] {
  const killed = hunts.filter(({ ending }) => ending === 'killed')
  const counts = killed.map(({ seeds }) => seeds).toSorted((a, b) => a - b)
  const median = counts[Math.floor((counts.length - 1) / 2)]
  return [
    ...(median === undefined ? [] : [`median: ${median} seeds to the kill`]),
    `${killed.length} of ${wanted} mutants killed`,
  ]
}

export function areAllKilled(hunts: readonly Hunt[], wanted: number): boolean {
  return hunts.length === wanted && hunts.every(({ ending }) => ending === 'killed')
}

function firstLine(reason: string | null): string {
  return (reason ?? '').split('\n', 1)[0] ?? ''
}
