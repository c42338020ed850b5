import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../../ports/random.ts'

/** Which bytes of a log are damaged: of closed segments, of the active one, of either. */
export type FlipWhere = 'closed' | 'tail' | 'any'

/** Log, index and snapshot files of user topics, sorted: internal topics and metadata are other experiments. */
function partitionFiles(directory: string, ending: RegExp): readonly string[] {
  if (!existsSync(directory)) return []
  const found: string[] = []
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name.startsWith('__')) continue
    for (const file of readdirSync(join(directory, entry.name)).sort()) {
      if (ending.test(file)) found.push(join(directory, entry.name, file))
    }
  }
  return found.sort()
}

/** Flips one bit of one segment of a node that is stopped; says where, or null when there was nothing to damage. */
export function flipBit(directory: string, where: FlipWhere, random: Random): string | null {
  const all = partitionFiles(directory, /^\d+\.log$/)
  const isLast = (path: string, index: number): boolean =>
    all[index + 1]?.slice(0, path.lastIndexOf('/')) !== path.slice(0, path.lastIndexOf('/'))
  const fits = all.filter((path, index) => {
    if (statSync(path).size === 0) return false
    return where === 'any' || isLast(path, index) === (where === 'tail')
  })
  const path = fits[random.below(Math.max(1, fits.length))]
  if (path === undefined) return null
  const bytes = readFileSync(path)
  const position = random.below(bytes.length)
  bytes[position] = (bytes[position] ?? 0) ^ (1 << random.below(8))
  writeFileSync(path, bytes)
  return `${path.slice(directory.length + 1)} at ${position}`
}

/** Damages or removes every index of a node that is stopped. */
export function corruptIndexes(directory: string, random: Random): number {
  const paths = partitionFiles(directory, /\.(index|timeindex|snapshot)$/)
  for (const path of paths) {
    if (random.below(2) === 0) {
      rmSync(path, { force: true })
      continue
    }
    const size = statSync(path).size
    writeFileSync(path, random.bytes(Math.max(8, Math.min(size, 4096))))
  }
  return paths.length
}

export function wipe(directory: string): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
}
