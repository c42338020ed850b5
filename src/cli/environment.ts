import { readFileSync } from 'node:fs'

const MIN_NODE = [22, 18] as const

/** Version of this package, from its package.json. */
export const VERSION: string = readVersion()

/** Stops with one line on a Node that cannot run this package. */
export function checkNodeVersion(): void {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])) return
  process.stderr.write(
    `kafkette needs Node ${MIN_NODE.join('.')} or newer, this is ${process.versions.node}; ` +
      'inside the repository use "npm run", which brings its own\n',
  )
  process.exit(1)
}

function readVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      const text = readFileSync(new URL(path, import.meta.url), 'utf8')
      return (JSON.parse(text) as { version: string }).version
    } catch {
      // In dist this file lies one folder deeper than in the sources.
    }
  }
  return 'unknown'
}
