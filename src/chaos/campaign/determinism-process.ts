import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { messageOf } from '../../base/errors.ts'
import type { DeterminismTask } from './determinism-messages.ts'
import { PLAIN, type Surroundings } from './determinism.ts'
import type { PlainSources } from './plain-sources.ts'

const MAIN = fileURLToPath(new URL('determinism-main.ts', import.meta.url))
const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
const LIMIT_MS = 600_000
const OTHER_NODES = [22, 24, 26] as const

const run = promisify(execFile)

/** Carries out a task in a fresh process. */
export async function askProcess<Answer>(
  task: DeterminismTask,
  where: Surroundings,
  { plain, signal }: { readonly plain: PlainSources; readonly signal: AbortSignal },
): Promise<Answer> {
  const main = where.isPlain ? plain.pathOf(MAIN) : MAIN
  const args = [
    ...where.execArgv,
    '--disable-warning=ExperimentalWarning',
    main,
    JSON.stringify(task),
  ]
  const { stdout } = await run(where.execPath ?? process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, ...where.env },
    maxBuffer: MAX_ANSWER_BYTES,
    timeout: LIMIT_MS,
    signal,
  })
  return JSON.parse(stdout) as Answer
}

/** The other supported Nodes that can be had here, and a line about each that cannot. */
export async function otherNodes(
  signal: AbortSignal,
): Promise<{ readonly found: readonly Surroundings[]; readonly skipped: readonly string[] }> {
  const found: Surroundings[] = []
  const skipped: string[] = []
  for (const major of OTHER_NODES) {
    if (process.versions.node.startsWith(`${major}.`)) continue
    try {
      const script = 'process.stdout.write(process.execPath)'
      const args = ['--yes', `node@${major}`, '-e', script]
      const { stdout } = await run('npx', args, { timeout: LIMIT_MS, signal })
      found.push({ ...PLAIN, name: `Node ${major}`, execPath: stdout.trim() })
    } catch (error) {
      const why = messageOf(error).split('\n', 1)[0] ?? ''
      skipped.push(
        `Node ${major}: skipped, it cannot be had here ("npx --yes node@${major}" brings it): ${why}`,
      )
    }
  }
  return { found, skipped }
}
