import { checkDeterminism, totalRuns, VARIANTS, type Difference } from '../campaign/determinism.ts'
import { askProcess, otherNodes } from '../campaign/determinism-process.ts'
import { plainSources } from '../campaign/plain-sources.ts'
import { createProgress } from '../campaign/progress.ts'
import type { SimOptions } from './options.ts'

/** Compares the traces of equal seeds; true when all were equal. */
export async function determinismCommand(
  options: SimOptions,
  count: number,
  signal: AbortSignal,
): Promise<boolean> {
  const { profile, size, from, workers } = options
  const nodes = await otherNodes(signal)
  using plain = plainSources()
  const surroundings = [...VARIANTS, ...nodes.found]
  const seeds = Array.from({ length: count }, (_, index) => from + index)
  const total = totalRuns({ seeds, surroundings })
  const progress = createProgress(total, 'runs')
  for (const line of nodes.skipped) progress.print(line)
  let differences = 0
  const result = await checkDeterminism({
    swarm: { profile, size },
    seeds,
    workers,
    surroundings,
    signal,
    ask: (task, where) => askProcess(task, where, { plain, signal }),
    onRuns: (runs) => progress.show(runs, `${differences} differences`),
    onDifference: (difference) => {
      differences += 1
      for (const line of differenceLines(difference)) progress.print(line)
    },
  })
  progress.end()
  const ways = ['twice in one process', 'A-B-A', 'in a fresh process']
  const sampled = surroundings.map(({ name }) => name)
  const isGood = result.differences.length === 0 && !signal.aborted
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ ...result, ways, sampled, skipped: nodes.skipped }, null, 2)}\n`,
    )
    return isGood
  }
  process.stdout.write(
    [
      `Each seed ${ways.join(', ')}; a sample with ${sampled.join(', ')}`,
      `${result.seeds} seeds, ${result.runs} of ${total} runs, ${result.differences.length} differences`,
      `verdict: ${isGood ? 'pass' : 'fail'}`,
      '',
    ].join('\n'),
  )
  return isGood
}

function differenceLines({ seed, where, story }: Difference): readonly string[] {
  return [`seed ${seed}: ${where} is not like the first run`, ...story.map((line) => `  ${line}`)]
}
