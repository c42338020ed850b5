import { execFileSync } from 'node:child_process'
import { cpus, platform, release, totalmem } from 'node:os'
import Table from 'cli-table3'
import type { ClientResult } from './client-programs.ts'
import type { FoundDifference, Pair, PairState } from './comparison.ts'
import type { Tolerated } from './tolerated.ts'

const GIB = 1024 ** 3

/** All that one run found. */
export interface ConformanceResult {
  readonly kafkaVersion: string
  readonly pairs: readonly Pair[]
  readonly clients: readonly ClientResult[]
  /** Lines about what was left out, and how to get it. */
  readonly skipped: readonly string[]
  readonly unusedTolerated: readonly Tolerated[]
}

interface KeyRow {
  readonly key: number
  readonly api: string
  readonly cases: number
  readonly counts: Readonly<Record<PairState, number>>
  readonly pairs: number
}

export function isGood({ pairs, clients, unusedTolerated }: ConformanceResult): boolean {
  return (
    pairs.every(({ state }) => state !== 'different' && state !== 'not compared') &&
    clients.every(({ state }) => state !== 'failed') &&
    unusedTolerated.length === 0
  )
}

/** Pairs without an untolerated difference, out of all that Apache Kafka advertises. */
export function verdict(pairs: readonly Pair[]): string {
  const equal = pairs.filter(({ state }) => state === 'equal' || state === 'tolerated').length
  return `${equal} of ${pairs.length} (key, version) pairs equal`
}

export function printed(result: ConformanceResult): string {
  const lines: string[] = []
  if (result.pairs.length > 0) lines.push(keyTable(result.pairs))
  for (const pair of result.pairs) lines.push(...differenceLines(pair))
  for (const { name, state, stepsPassed, reason } of result.clients) {
    lines.push(
      `client ${name}: ${state}, ${stepsPassed} steps${reason === '' ? '' : ` (${reason})`}`,
    )
  }
  for (const line of result.skipped) lines.push(`skipped: ${line}`)
  for (const { api, versions, path, reason } of result.unusedTolerated) {
    lines.push(`tolerated.json: nothing needs the entry ${api} ${versions} ${path} (${reason})`)
  }
  if (result.pairs.length > 0) lines.push(verdict(result.pairs))
  return `${lines.join('\n')}\n`
}

function keyTable(pairs: readonly Pair[]): string {
  const table = new Table({
    head: ['key', 'API', 'cases', 'equal', 'tolerated', 'open', 'different', 'not served'],
    style: { head: [], border: [], compact: true },
  })
  for (const { key, api, cases, counts } of keyRows(pairs)) {
    table.push([
      key,
      api,
      cases,
      counts.equal,
      counts.tolerated,
      counts.open,
      counts.different,
      counts['not served'],
    ])
  }
  return table.toString()
}

/** One line for each kind of difference, with one example. */
function differenceLines({ api, version, differences }: Pair): readonly string[] {
  const kinds = new Map<string, { readonly first: FoundDifference; count: number }>()
  for (const difference of differences) {
    if (difference.tolerated !== null) continue
    const kind = `${difference.path} ${JSON.stringify(difference.kafka)} ${JSON.stringify(difference.ours)}`
    const known = kinds.get(kind)
    if (known === undefined) kinds.set(kind, { first: difference, count: 1 })
    else known.count += 1
  }
  return [...kinds.values()].map(
    ({ first, count }) =>
      `${api} v${version} ${first.path === '' ? 'answer' : first.path}: Kafka ${short(first.kafka)}, ` +
      `ours ${short(first.ours)} (${first.case}${count > 1 ? `, and ${count - 1} more` : ''})`,
  )
}

/** The text of `docs/reference/conformance.md`: what one whole run found, and where. */
export function record(result: ConformanceResult, now: Date): string {
  const { pairs, clients, kafkaVersion } = result
  const counts = countStates(pairs)
  return [
    '# Conformance',
    '',
    'Written by `npm run conformance -- --record`. Do not edit.',
    '',
    `- Date: ${now.toISOString().slice(0, 10)}, commit ${commit()}`,
    `- Compared with Apache Kafka ${kafkaVersion}, one node each that is broker and controller`,
    `- Machine: ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / GIB)} GiB, ` +
      `${platform()} ${release()}, Node ${process.versions.node}`,
    '',
    `**${verdict(pairs)}**: ${counts.equal} without any difference, ${counts.tolerated} with differences that ` +
      `\`tools/conformance/tolerated.json\` gives reasons for. ${counts.open} have faults of ours that are known and open there, ${counts.different} other ` +
      `differences; neither count as equal. ` +
      `${counts['not served']} pairs are of APIs that are not served yet; they count as not equal.`,
    '',
    '| key | API | cases | equal | tolerated | open | different | not served |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...keyRows(pairs).map(
      ({ key, api, cases, counts: own }) =>
        `| ${key} | ${api} | ${cases} | ${own.equal} | ${own.tolerated} | ${own.open} | ${own.different} | ${own['not served']} |`,
    ),
    '',
    '## Clients',
    '',
    'Each goes through admin, produce, consume, group and all codecs, against three brokers as processes.',
    '',
    '| client | what | result |',
    '| --- | --- | --- |',
    ...clients.map(
      ({ name, about, state, reason }) =>
        `| ${name} | ${about} | ${state}${reason === '' ? '' : `: ${reason}`} |`,
    ),
    '',
  ].join('\n')
}

function keyRows(pairs: readonly Pair[]): readonly KeyRow[] {
  const keys = [...new Set(pairs.map(({ key }) => key))]
  return keys.map((key) => {
    const own = pairs.filter((pair) => pair.key === key)
    return {
      key,
      api: own[0]?.api ?? '',
      cases: own.reduce((sum, { cases }) => sum + cases, 0),
      counts: countStates(own),
      pairs: own.length,
    }
  })
}

function countStates(pairs: readonly Pair[]): Readonly<Record<PairState, number>> {
  const counts = {
    equal: 0,
    tolerated: 0,
    open: 0,
    different: 0,
    'not served': 0,
    'not compared': 0,
  }
  for (const { state } of pairs) counts[state] += 1
  return counts
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 160 ? `${text.slice(0, 160)}...` : text
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}
