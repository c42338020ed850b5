import type { Config } from '../../base/config-def.ts'
import { inspectDirectory, logDirectoriesOf } from '../../fixture/log-directories.ts'
import type { DirectoryContent } from '../../fixture/log-directories.ts'

/** What `storage info` prints, in Kafka's form; not sound when there is a problem. */
export interface StorageReport {
  readonly lines: readonly string[]
  readonly isSound: boolean
}

/** Looks at the log directories of the settings and changes nothing. */
export function storageReport(config: Config): StorageReport {
  const contents = logDirectoriesOf(config).all.map(inspectDirectory)
  const found = contents.filter(({ state }) => state === 'unformatted' || state === 'formatted')
  const first = contents.find(({ state }) => state === 'formatted')
  const problems = problemsOf(contents, first ?? null)
  const lines: string[] = []
  if (found.length > 0) {
    lines.push(found.length === 1 ? 'Found log directory:' : 'Found log directories:')
    lines.push(...found.map(({ path }) => `  ${path}`), '')
  }
  if (first !== undefined) {
    const entries = [...first.meta].sort(([a], [b]) => (a < b ? -1 : 1))
    lines.push(
      `Found metadata: {${entries.map(([name, value]) => `${name}=${value}`).join(', ')}}`,
      '',
    )
  }
  if (problems.length > 0) {
    lines.push(problems.length === 1 ? 'Found problem:' : 'Found problems:')
    lines.push(...problems.map((problem) => `  ${problem}`), '')
  }
  return { lines, isSound: problems.length === 0 }
}

function problemsOf(
  contents: readonly DirectoryContent[],
  first: DirectoryContent | null,
): readonly string[] {
  const problems: string[] = []
  for (const { path, state, meta } of contents) {
    if (state === 'missing') problems.push(`${path} does not exist`)
    else if (state === 'not-a-directory') problems.push(`${path} is not a directory`)
    else if (state === 'unreadable') problems.push(`I/O error trying to read ${path}`)
    else if (state === 'unformatted') problems.push(`${path} is not formatted.`)
    else if (first !== null && meta.get('cluster.id') !== first.meta.get('cluster.id')) {
      problems.push('Mismatched cluster IDs between storage directories.')
    } else if (first !== null && meta.get('node.id') !== first.meta.get('node.id')) {
      problems.push('Mismatched node IDs between storage directories.')
    }
  }
  return problems
}
