import { topicPartitionKey } from '../../base/topic-partition.ts'
import type { NodeEvent } from '../../ports/events.ts'
import type { HistoryEntry } from '../history/history.ts'
import type { RunResult } from '../run/run-result.ts'

/** More changes of role than this nobody looks at: the first and the last ones are shown. */
const CHANGES_MAX = 50
const CHANGES_AT_BEGIN = 15

interface Row {
  readonly atMs: number
  readonly text: string
  readonly participants: readonly string[]
}

/** An event with its time on the clock of the run. */
export interface TimedEvent {
  readonly atMs: number
  readonly event: NodeEvent
}

/**
 * A run as a Mermaid sequence diagram: faults and changes of role as notes over nodes, and those requests of
 * clients that the verdict's reason names, or all when there are few, as arrows to the leader of that moment.
 */
export function sequenceDiagram(result: RunResult, events: readonly TimedEvent[]): string {
  const changes = events.flatMap(({ atMs, event }) => eventRows(atMs, event))
  const shown = [
    ...result.fired
      .filter(({ isIdle }) => !isIdle)
      .map(({ row, node, atMs }) => note(atMs, node, `${row.kind}${untilText(row)}`)),
    ...shortened(changes),
    ...requestRows(result, events),
  ].toSorted((a, b) => a.atMs - b.atMs)
  const end = result.reason === null ? [] : [verdictRow(result, shown)]
  const all = [...shown, ...end]
  const names = [...new Set(all.flatMap(({ participants }) => participants))].sort(byKind)
  const ids = new Map(names.map((name, index) => [name, `P${index}`]))
  return [
    'sequenceDiagram',
    ...names.map((name) => `    participant ${ids.get(name)} as ${name}`),
    ...all.map(({ text }) => `    ${withIds(text, ids)}`),
    '',
  ].join('\n')
}

function eventRows(atMs: number, { node, kind, fields }: NodeEvent): readonly Row[] {
  const partition = `${String(fields['topic'])}-${String(fields['partition'])}`
  switch (kind) {
    case 'node.crashed':
      return [note(atMs, node, 'is down')]
    case 'node.restarted':
      return [note(atMs, node, 'starts again')]
    case 'quorum.elected':
      return [note(atMs, node, `leads the quorum, epoch ${String(fields['epoch'])}`)]
    case 'quorum.truncated':
      return [
        note(atMs, node, `metadata cut from ${String(fields['from'])} to ${String(fields['to'])}`),
      ]
    case 'partition.leader-changed':
      return fields['role'] === 'leader'
        ? [note(atMs, node, `leads ${partition}, epoch ${String(fields['leaderEpoch'])}`)]
        : []
    case 'partition.isr-shrunk':
    case 'partition.isr-expanded':
      return [note(atMs, node, `ISR of ${partition}: ${String(fields['isr'])}`)]
    case 'replica.truncated':
      return [
        note(
          atMs,
          node,
          `${partition} cut from ${String(fields['from'])} to ${String(fields['to'])}`,
        ),
      ]
    default:
      return []
  }
}

/** Sends of the values that the reason names; of the last few when it names none. */
function requestRows(result: RunResult, events: readonly TimedEvent[]): readonly Row[] {
  const sends = result.history.filter(
    ({ kind, operation }) => operation.op === 'send' && kind !== 'invoke',
  )
  const named = sends.filter(
    ({ operation }) => operation.op === 'send' && isNamed(operation.value, result.reason),
  )
  const asked = named.length > 0 ? named : sends.slice(-5)
  return asked.flatMap((entry) => {
    const begin = result.history[entry.of]
    return begin === undefined ? [] : arrows(begin, entry, events)
  })
}

function isNamed(value: string, reason: string | null): boolean {
  return reason?.includes(value) === true && !new RegExp(`${escaped(value)}\\d`).test(reason)
}

function arrows(
  begin: HistoryEntry,
  end: HistoryEntry,
  events: readonly TimedEvent[],
): readonly Row[] {
  const { operation } = end
  if (operation.op !== 'send') return []
  const key = topicPartitionKey(operation.topic, operation.partition)
  const leader = leaderAt(events, operation.topic, operation.partition, begin.atMs) ?? 'cluster'
  const participants = [end.process, leader]
  const outcome =
    end.kind === 'ok'
      ? `ok, offset ${operation.offset ?? -1}`
      : `${end.kind} ${operation.error ?? ''}`
  return [
    {
      atMs: begin.atMs,
      text: `<${end.process}>->><${leader}>: ${seconds(begin.atMs)} send ${operation.value} to ${key}`,
      participants,
    },
    {
      atMs: end.atMs,
      text: `<${leader}>-->><${end.process}>: ${seconds(end.atMs)} ${operation.value}: ${outcome.trim()}`,
      participants,
    },
  ]
}

function leaderAt(
  events: readonly TimedEvent[],
  topic: string,
  partition: number,
  atMs: number,
): string | null {
  const found = events.findLast(
    ({ atMs: eventMs, event: { kind, fields } }) =>
      eventMs <= atMs &&
      kind === 'partition.leader-changed' &&
      fields['role'] === 'leader' &&
      fields['topic'] === topic &&
      fields['partition'] === partition,
  )
  return found?.event.node ?? null
}

function verdictRow(result: RunResult, rows: readonly Row[]): Row {
  const [sentence = ''] = (result.reason ?? '').split('\n')
  const over = rows.at(-1)?.participants[0] ?? 'cluster'
  return note(result.atMs, over, `${result.invariant ?? result.verdict}: ${sentence}`)
}

function note(atMs: number, node: string, text: string): Row {
  const name = node === '' ? 'cluster' : node
  return {
    atMs,
    text: `Note over <${name}>: ${seconds(atMs)} ${clean(text)}`,
    participants: [name],
  }
}

function untilText(row: RunResult['fired'][number]['row']): string {
  return row.untilMs === undefined ? '' : ` for ${((row.untilMs - row.atMs) / 1000).toFixed(1)} s`
}

function shortened(rows: readonly Row[]): readonly Row[] {
  if (rows.length <= CHANGES_MAX) return rows
  return [...rows.slice(0, CHANGES_AT_BEGIN), ...rows.slice(CHANGES_AT_BEGIN - CHANGES_MAX)]
}

/** Clients to the left, then brokers and controllers by name. */
function byKind(left: string, right: string): number {
  const isNode = (name: string): number => (/^(?:[bcn]\d+|cluster)$/.test(name) ? 1 : 0)
  return isNode(left) - isNode(right) || (left < right ? -1 : 1)
}

function withIds(text: string, ids: ReadonlyMap<string, string>): string {
  return text.replaceAll(/<([^<>]+)>/g, (whole, name: string) => ids.get(name) ?? whole)
}

/** Mermaid ends a line at a semicolon and a number sign begins an entity. */
function clean(text: string): string {
  return text.replaceAll(/[;#<>]/g, ' ')
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`
}
