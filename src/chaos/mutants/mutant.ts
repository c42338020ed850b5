import type { InvariantId } from '../invariants.ts'
import type { Profile } from '../plan/plan.ts'

/**
 * A planted bug: a change of the text of one source file, made while the file is loaded, in a process that
 * was started for it. Production code knows nothing of it.
 */
export interface Mutant {
  readonly name: string
  /** What the bug is, and who made it elsewhere. */
  readonly says: string
  /** One of these is expected to be broken first; `CRASH` is an assertion of the node itself. */
  readonly invariants: readonly (InvariantId | 'CRASH')[]
  /** Whose plans are tried. */
  readonly profile: Profile
  /** From the root of the repository. */
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly find: string
  readonly replace: string
  /** It counts as survived after so many seeds. */
  readonly maxSeeds: number
}

/** The patched source. Throws when the text to be replaced is not there exactly once: the mutant is stale. */
export function plantedSource(mutant: Mutant, source: string): string {
  const [before, after, ...more] = source.split(mutant.find)
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(
      `mutant ${mutant.name}: the text to replace occurs ${source.split(mutant.find).length - 1} times in ${mutant.file}, not once`,
    )
  }
  return before + mutant.replace + after
}
