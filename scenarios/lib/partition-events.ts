import type { Evidence } from './evidence.ts'
import type { Span } from './span.ts'

/** What an event tells of a partition at a time of the run. */
export interface PartitionMoment {
  readonly atMs: number
  readonly name: string
  readonly leader: number
  readonly epoch: number
  readonly isr: readonly number[]
}

const KINDS: ReadonlySet<string> = new Set([
  'partition.leader-changed',
  'partition.isr-shrunk',
  'partition.isr-expanded',
  'watch.partition',
])

/** Leaders and in-sync sets of a topic as nodes learned of them; `leader` is -1 also where an event names none. */
export function momentsOf({ events }: Evidence, topic: string): readonly PartitionMoment[] {
  const moments: PartitionMoment[] = []
  for (const { atMs, event } of events) {
    const { fields, kind } = event
    if (!KINDS.has(kind) || fields['topic'] !== topic) continue
    moments.push({
      atMs,
      name: `${topic}-${String(fields['partition'])}`,
      leader: typeof fields['leader'] === 'number' ? fields['leader'] : -1,
      epoch: Number(fields['leaderEpoch'] ?? -1),
      isr: Array.isArray(fields['isr']) ? fields['isr'].map(Number) : [],
    })
  }
  return moments
}

/** The smallest in-sync set that any partition of the topic had within the span; Infinity when nothing was told. */
export function smallestIsr(evidence: Evidence, topic: string, { fromMs, untilMs }: Span): number {
  const sizes = momentsOf(evidence, topic)
    .filter(({ atMs, isr }) => atMs >= fromMs && atMs < untilMs && isr.length > 0)
    .map(({ isr }) => isr.length)
  return Math.min(Infinity, ...sizes)
}

/** How many leader epochs began within the span, over all partitions of the topic. */
export function epochsBegun(evidence: Evidence, topic: string, { fromMs, untilMs }: Span): number {
  const begun = new Set<string>()
  for (const { atMs, name, leader, epoch } of momentsOf(evidence, topic)) {
    if (leader >= 0 && atMs >= fromMs && atMs < untilMs) begun.add(`${name} ${epoch}`)
  }
  return begun.size
}
