import { durationMs } from './duration.ts'
import {
  chaosBeginMs,
  endedSends,
  firstFaultMs,
  type EndedSend,
  type Evidence,
  type Mode,
} from './evidence.ts'

export interface Judgement {
  /** Null: cannot be seen in this mode, so it is not asked for. */
  readonly isMet: boolean | null
  /** What was seen. */
  readonly detail: string
}

/** Something that a run of the scenario has to show; a run that shows nothing tests nothing. */
export interface Expectation {
  /** Short and stable: a twin says by it what must fail. */
  readonly name: string
  judge(evidence: Evidence): Judgement
}

/** When something was the case for the first time at or after `fromMs`; null when never. */
export interface Condition {
  readonly says: string
  firstMs(evidence: Evidence, fromMs: number): number | null
}

/** The probe (src/chaos/probes) is hit at least once. Apache Kafka tells no events: there it is not asked for. */
export function sometimes(probe: string): Expectation {
  return {
    name: `sometimes ${probe}`,
    judge: ({ mode, probes }) => {
      if (mode === 'kafka') return { isMet: null, detail: 'needs events, Apache Kafka tells none' }
      const hits = probes[probe] ?? 0
      return { isMet: hits > 0, detail: hits === 1 ? 'hit once' : `hit ${hits} times` }
    },
  }
}

/** A JVM that is started again beside others on two cores takes its time. */
const SLACK: Readonly<Record<Mode, string>> = { sim: '0s', real: '2s', kafka: '25s' }

export interface WithinOptions {
  /** Counts from this time of the chaos phase; else from the first fault that applied. */
  readonly after?: string | number
  /** Over processes a machine may be slow: so much more is allowed there. Default 2 s, Apache Kafka 25 s. */
  readonly slack?: string | number
}

/** The condition comes true soon enough after the first fault (or after `after`). */
export function within(
  limit: string | number,
  condition: Condition,
  options: WithinOptions = {},
): Expectation {
  const limitMs = durationMs(limit)
  return {
    name: `within ${limit}: ${condition.says}`,
    judge: (evidence) => {
      const fromMs =
        options.after === undefined
          ? firstFaultMs(evidence)
          : chaosBeginMs(evidence) + durationMs(options.after)
      if (fromMs === null) return { isMet: false, detail: 'no fault applied' }
      const foundMs = condition.firstMs(evidence, fromMs)
      if (foundMs === null) return { isMet: false, detail: 'never' }
      const tookMs = Math.round(foundMs - fromMs)
      const slackMs = durationMs(options.slack ?? SLACK[evidence.mode])
      const allowedMs = limitMs + (evidence.mode === 'sim' ? 0 : slackMs)
      return { isMet: tookMs <= allowedMs, detail: `after ${tookMs} ms` }
    },
  }
}

/** Anything that the evidence can show; also for `mustShow` of a twin. */
export function shows(
  name: string,
  judge: (evidence: Evidence) => { readonly isMet: boolean; readonly detail: string },
  options: { readonly modes?: readonly Mode[] } = {},
): Expectation {
  return {
    name,
    judge: (evidence) => {
      const isAsked = options.modes?.includes(evidence.mode) ?? true
      return isAsked ? judge(evidence) : { isMet: null, detail: 'not asked for in this mode' }
    },
  }
}

/** At least one send that fits ended. */
export function showsSend(name: string, fits: (send: EndedSend) => boolean): Expectation {
  return shows(name, (evidence) => {
    const count = endedSends(evidence).filter(fits).length
    return { isMet: count > 0, detail: `${count} sends` }
  })
}

/** The partition has another leader in a higher epoch. */
export function leaderChange(topic: string, partition: number): Condition {
  return {
    says: `${topic}-${partition} has a new leader`,
    firstMs: ({ events }, fromMs) => {
      const before = leaderEpochs(events, topic, partition).filter(({ atMs }) => atMs < fromMs)
      const known = Math.max(-1, ...before.map(({ epoch }) => epoch))
      const found = leaderEpochs(events, topic, partition).find(
        ({ atMs, epoch, leader }) => atMs >= fromMs && leader >= 0 && epoch > known,
      )
      return found?.atMs ?? null
    },
  }
}

/** The in-sync set of the partition has this size. */
export function isrSize(topic: string, partition: number, size: number): Condition {
  return {
    says: `the ISR of ${topic}-${partition} has ${size}`,
    firstMs: ({ events }, fromMs) => {
      const found = events.find(({ atMs, event }) => {
        const { fields } = event
        const isOfIt = fields['topic'] === topic && fields['partition'] === partition
        return (
          atMs >= fromMs && isOfIt && Array.isArray(fields['isr']) && fields['isr'].length === size
        )
      })
      return found?.atMs ?? null
    },
  }
}

/** A send to the partition is acknowledged with acks=all. */
export function ackedBy(topic: string, partition: number): Condition {
  return {
    says: `${topic}-${partition} acknowledges acks=all`,
    firstMs: (evidence, fromMs) =>
      endedSends(evidence).find(
        ({ atMs, kind, operation }) =>
          atMs >= fromMs &&
          kind === 'ok' &&
          operation.acks === -1 &&
          operation.topic === topic &&
          operation.partition === partition,
      )?.atMs ?? null,
  }
}

function leaderEpochs(
  events: Evidence['events'],
  topic: string,
  partition: number,
): readonly { readonly atMs: number; readonly epoch: number; readonly leader: number }[] {
  const found = []
  for (const { atMs, event } of events) {
    const { fields, kind } = event
    if (kind !== 'partition.leader-changed' && kind !== 'watch.partition') continue
    if (fields['topic'] !== topic || fields['partition'] !== partition) continue
    found.push({ atMs, epoch: Number(fields['leaderEpoch']), leader: Number(fields['leader']) })
  }
  return found
}
