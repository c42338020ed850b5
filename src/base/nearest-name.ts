import { distance } from 'fastest-levenshtein'

/**
 * The known name that `name` was probably meant to be: within a third of its length, or null.
 * Ties go to the first in `known`.
 */
export function nearestName(name: string, known: Iterable<string>): string | null {
  const limit = Math.max(2, Math.floor(name.length / 3))
  let best: string | null = null
  let bestDistance = limit + 1
  for (const candidate of known) {
    const edits = distance(name.toLowerCase(), candidate.toLowerCase())
    if (edits < bestDistance) {
      best = candidate
      bestDistance = edits
    }
  }
  return best
}

/** ` (did you mean "x"?)`, or nothing when no known name is near. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const nearest = nearestName(name, known)
  return nearest === null ? '' : ` (did you mean "${nearest}"?)`
}
