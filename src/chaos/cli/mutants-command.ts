import { ConfigError } from '../../base/errors.ts'
import { didYouMean } from '../../base/nearest-name.ts'
import { createProgress } from '../campaign/progress.ts'
import { areAllKilled, huntLine, huntSummary } from '../mutants/hunt-report.ts'
import { huntMutants, plantedWorker, type Hunt } from '../mutants/hunt.ts'
import type { Mutant } from '../mutants/mutant.ts'
import { MUTANTS } from '../mutants/mutants.ts'
import type { SimOptions } from './options.ts'

const MAX_SEEDS = 1000

/** Plants the bugs one after another; true when every one of them was found. */
export async function mutantsCommand(options: SimOptions, signal: AbortSignal): Promise<boolean> {
  const mutants = chosen(options.only)
  const progress = createProgress(mutants.length, 'mutants')
  const keepGoing = options.keepGoing === true
  let ended = 0
  const hunts = await huntMutants({
    mutants,
    workers: options.workers,
    maxSeeds: options.maxSeeds ?? MAX_SEEDS,
    fromSeed: options.from,
    signal,
    keepGoing,
    createWorker: (mutant) =>
      plantedWorker(mutant, { wallLimitMs: options.wallLimit * 1000, keepGoing }),
    onSeed: (mutant, seeds) => progress.show(ended, `${mutant.name}: ${seeds} seeds`),
    onHunt: (hunt) => {
      ended += 1
      progress.print(huntLine(hunt))
      progress.show(ended, hunt.mutant.name)
    },
  })
  progress.end()
  if (options.json === true) process.stdout.write(`${JSON.stringify(hunts.map(asData), null, 2)}\n`)
  else process.stdout.write(`${huntSummary(hunts, mutants.length).join('\n')}\n`)
  return areAllKilled(hunts, mutants.length)
}

export function listMutantsCommand({ json }: SimOptions): void {
  if (json === true) {
    process.stdout.write(`${JSON.stringify(MUTANTS, null, 2)}\n`)
    return
  }
  const lines = MUTANTS.map(
    ({ name, says, profile, invariants, file }) =>
      `${name}\n  ${says}\n  ${file}, profile ${profile}, breaks ${invariants.join(' or ')}`,
  )
  process.stdout.write(`${lines.join('\n')}\n${MUTANTS.length} mutants\n`)
}

function chosen(names: readonly string[] | undefined): readonly Mutant[] {
  const known = MUTANTS.map(({ name }) => name)
  for (const name of names ?? []) {
    if (!known.includes(name)) {
      throw new ConfigError(
        `there is no mutant "${name}"${didYouMean(name, known)}; see --list-mutants`,
      )
    }
  }
  return names === undefined ? MUTANTS : MUTANTS.filter(({ name }) => names.includes(name))
}

function asData({ mutant, ...hunt }: Hunt): Readonly<Record<string, unknown>> {
  return { name: mutant.name, expected: mutant.invariants, ...hunt }
}
