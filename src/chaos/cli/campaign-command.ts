import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { present } from '../../base/assert.ts'
import { MAX_FAILURES, runCampaign, type CampaignResult } from '../campaign/campaign.ts'
import { reportLines, reportOf } from '../campaign/campaign-report.ts'
import { CampaignState } from '../campaign/campaign-state.ts'
import { createProgress } from '../campaign/progress.ts'
import { isFailure, type SeedOutcome } from '../campaign/seed-outcome.ts'
import { WorkerProcess } from '../campaign/worker-process.ts'
import { swarmFlags } from '../swarm/swarm-profile.ts'
import type { SimOptions } from './options.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** Runs a campaign and prints its report; false when it found something or is not complete. */
export async function campaignCommand(options: SimOptions, signal: AbortSignal): Promise<boolean> {
  const { profile, size, from, workers, wallLimit, runner } = options
  const swarm = { profile, size }
  const count = present(options.seeds, 'the number of seeds')
  const seeds = Array.from({ length: count }, (_, index) => from + index)
  const folder =
    options.out ?? join(tmpdir(), 'kafkette-sim', size === 'full' ? profile : `${profile}-${size}`)
  const header = { ...swarm, commit: commitHere() }
  const { state, done } =
    options.resume === true
      ? CampaignState.resume(folder, header)
      : { state: CampaignState.create(folder, header), done: [] }
  const wanted = new Set(seeds)
  const known = done.filter(({ seed }) => wanted.has(seed))
  const progress = createProgress(count, 'seeds')
  const tally = { done: known.length, failures: known.filter(isFailure).length }
  if (known.length > 0) progress.print(`${known.length} seeds are known from ${state.path}`)
  const result = await runCampaign({
    swarm,
    seeds,
    done: known,
    workers,
    keepGoing: options.keepGoing === true,
    signal,
    createWorker: () =>
      new WorkerProcess({ wallLimitMs: wallLimit * 1000, ...(runner !== undefined && { runner }) }),
    onOutcome: (outcome) => {
      state.add(outcome)
      tally.done += 1
      if (isFailure(outcome)) tally.failures += 1
      if (options.verbose === true || isFailure(outcome)) progress.print(outcomeLine(outcome))
      progress.show(tally.done, `${tally.failures} failed`)
    },
  })
  progress.end()
  const report = reportOf(swarm, result)
  const lines = options.json === true ? [JSON.stringify(report, null, 2)] : reportLines(report)
  process.stdout.write(`${lines.join('\n')}\n`)
  tellEnding(result, options, folder)
  return report.isGood
}

function tellEnding({ ending }: CampaignResult, options: SimOptions, folder: string): void {
  if (ending === 'complete') return
  const why = ending === 'interrupted' ? 'Interrupted' : `Ended after ${MAX_FAILURES} failures`
  const flags = [
    `--seeds ${options.seeds}`,
    ...(options.from === 1 ? [] : [`--from ${options.from}`]),
    ...swarmFlags(options),
    ...(options.out === undefined ? [] : [`--out ${folder}`]),
    '--resume',
    ...(ending === 'interrupted' ? [] : ['--keep-going']),
  ]
  process.stderr.write(`${why}; go on with: npm run sim -- ${flags.join(' ')}\n`)
}

function outcomeLine({
  seed,
  profile,
  verdict,
  invariant,
  reason,
  atMs,
  wallMs,
}: SeedOutcome): string {
  const what = invariant === null ? verdict : `${verdict} ${invariant}`
  const why =
    reason === null ? '' : ` at ${(atMs / 1000).toFixed(3)} s: ${reason.split('\n', 1)[0]}`
  return `seed ${seed} (${profile ?? 'no plan'}, ${Math.round(wallMs)} ms): ${what}${why}`
}

/** A seed means something only together with the code; outside of git there is nothing to compare with. */
function commitHere(): string {
  try {
    const answer = execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return answer.trim()
  } catch {
    return 'unknown'
  }
}
