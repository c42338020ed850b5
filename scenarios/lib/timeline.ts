import type { NodeEvent } from '../../src/ports/events.ts'
import type { FiredFault } from '../../src/chaos/run/run-result.ts'
import { chaosBeginMs, endedSends, type Evidence } from './evidence.ts'

/** What is known of the partition that the story follows. */
export interface PartitionState {
  readonly leader: number
  readonly epoch: number
  readonly isr: readonly number[]
  readonly highWatermark: number
}

/** One step of the story. */
export interface TimelineRow {
  /** After the begin of the chaos phase. */
  readonly atMs: number
  /** One sentence. */
  readonly text: string
  /** Of the partition at that moment; null before anything is known. */
  readonly state: PartitionState | null
  /** 0: the story makes no sense without it. 1: tells more. 2: for those who want all. */
  readonly weight: 0 | 1 | 2
}

interface Watched {
  readonly topic: string
  readonly partition: number
}

interface Moment {
  readonly atMs: number
  readonly text: string | null
  readonly weight: 0 | 1 | 2
  /** Brings the state up to date before the row is made. */
  readonly change?: Partial<PartitionState>
}

const UNKNOWN: PartitionState = { leader: -1, epoch: -1, isr: [], highWatermark: -1 }

const FAULT_WORDS: Readonly<Record<string, string>> = {
  crash: 'is killed',
  'power-cut': 'loses power, and what was not synced',
  'power-cut-all': 'lose power, and what was not synced',
  pause: 'stands still: its clock goes on, it answers nothing',
  shutdown: 'is shut down in order',
  'slow-node': 'becomes slow',
  'wipe-disk': 'is killed and its disk emptied',
  'stale-disk': 'is killed and its disk set back',
  'bit-flip': 'gets a flipped bit on its disk',
  'lose-write': 'loses its next write, and its disk says it was done',
  'misdirect-write': 'writes its next bytes to the wrong place',
  'read-error': 'gets an error at its next read',
  'write-error': 'gets an error at its next write',
  'fsync-error': 'gets an error at its next fsync',
  'lying-fsync': 'has a disk whose fsync does nothing',
  'disk-full': 'has a full disk',
  'log-dir-failure': 'loses one of its log directories',
  'slow-disk': 'has a disk that stalls',
  'corrupt-index': 'is killed and its index files damaged',
  latency: 'is far away: its links are slow',
  cut: 'is cut off',
  reset: 'has all its connections reset',
  'lose-responses': 'loses the answers that it sends',
  hold: 'has the bytes of its open connections held back',
  clog: 'have their links stalled one after another',
  'clock-skew': 'has its wall clock wrong',
  'clock-jump': 'has its wall clock jump',
  'clock-drift': 'has a clock that drifts',
  'elect-preferred': 'asks for preferred leaders',
  'create-partitions': 'adds partitions',
  'recreate-topic': 'deletes a topic and creates it again',
  'alter-topic': 'changes a setting of a topic',
  'client-crash': 'crashes, a client',
  'client-pause': 'stands still, a client',
}

/** Everything worth a sentence, in the order of time, with the partition's state at each. */
export function timelineOf(evidence: Evidence, watched: Watched): readonly TimelineRow[] {
  const beginMs = chaosBeginMs(evidence)
  const moments = [
    ...evidence.fired.flatMap((fired) => faultMoments(fired)),
    ...evidence.events.flatMap(({ atMs, event }) => eventMoments(atMs, event, watched)),
    ...watermarkMoments(evidence, watched),
    ...sendMoments(evidence),
  ].toSorted((a, b) => a.atMs - b.atMs)
  let state = UNKNOWN
  const rows: TimelineRow[] = []
  for (const { atMs, text, weight, change } of moments) {
    const isOlder = (change?.epoch ?? state.epoch) < state.epoch
    const next = change === undefined || isOlder ? state : { ...state, ...change }
    const isNews = next.leader !== state.leader || next.isr.join() !== state.isr.join()
    const isAboutState = change?.leader !== undefined || change?.isr !== undefined
    state = next
    // Every replica and every look tells of the same change: the first one is the row.
    if (text === null || (isAboutState && !isNews)) continue
    if (atMs < beginMs) continue
    rows.push({ atMs: atMs - beginMs, text, state: state === UNKNOWN ? null : state, weight })
  }
  return rows
}

function faultMoments({ row, node, atMs, isIdle }: FiredFault): readonly Moment[] {
  const words = FAULT_WORDS[row.kind] ?? row.kind
  const params = Object.entries(row.params ?? {}).map(([name, value]) => `${name} ${String(value)}`)
  const more = params.length === 0 ? '' : ` (${params.join(', ')})`
  const who = row.target === node ? node : `${node}, ${row.target},`
  if (isIdle) {
    return [{ atMs, text: `${row.kind} of ${row.target} does not apply now`, weight: 1 }]
  }
  const lasts = row.untilMs === undefined ? 0 : row.untilMs - row.atMs
  const weight = row.kind === 'elect-preferred' ? 1 : 0
  const begin: Moment = { atMs, text: `${who} ${words}${more}`, weight }
  return lasts === 0
    ? [begin]
    : [begin, { atMs: atMs + lasts, text: `${node}: ${row.kind} is over`, weight: 0 }]
}

function eventMoments(atMs: number, event: NodeEvent, watched: Watched): readonly Moment[] {
  const { fields, kind, node } = event
  if (kind === 'controller.activated') {
    return [{ atMs, text: `${node} is the active controller`, weight: 1 }]
  }
  if (kind === 'controller.broker-fenced') {
    return [{ atMs, text: `the controller fences broker ${String(fields['broker'])}`, weight: 1 }]
  }
  if (fields['topic'] !== watched.topic || fields['partition'] !== watched.partition) return []
  const name = `${watched.topic}-${watched.partition}`
  switch (kind) {
    case 'partition.leader-changed':
    case 'watch.partition': {
      const leader = Number(fields['leader'])
      const isr = sorted(fields['isr'])
      const epoch = Number(fields['leaderEpoch'])
      const text =
        leader === -1
          ? `${name} has no leader`
          : `${name} is led by broker ${leader} in epoch ${epoch}, in sync: ${isr.join(', ')}`
      return [{ atMs, text, weight: 0, change: { leader, epoch, isr } }]
    }
    case 'partition.isr-shrunk':
    case 'partition.isr-expanded': {
      const isr = sorted(fields['isr'])
      const epoch = Number(fields['leaderEpoch'])
      const verb = kind === 'partition.isr-shrunk' ? 'shrinks' : 'grows'
      const text = `the ISR of ${name} ${verb} to ${isr.join(', ')}`
      return [{ atMs, text, weight: 0, change: { isr, epoch } }]
    }
    case 'replica.truncated': {
      const records = Number(fields['from']) - Number(fields['to'])
      const text = `${node} cuts ${records} records off its ${name}: its leader has others, or none there`
      return [{ atMs, text, weight: 0 }]
    }
    case 'partition.high-watermark':
      return fields['leaderEpoch'] === undefined
        ? []
        : [{ atMs, text: null, weight: 2, change: highWatermark(Number(fields['highWatermark'])) }]
    case 'partition.offline':
    case 'log.tail-cut':
    case 'log.storage-error':
      return [{ atMs, text: `${node}: ${kind} of ${name}`, weight: 1 }]
    default:
      return []
  }
}

/** Over processes the watermark is known by what readers are told. */
function watermarkMoments(evidence: Evidence, watched: Watched): readonly Moment[] {
  if (evidence.mode === 'sim') return []
  return evidence.history.flatMap(({ atMs, kind, operation }): readonly Moment[] => {
    if (kind !== 'ok' || operation.op !== 'poll') return []
    if (operation.topic !== watched.topic || operation.partition !== watched.partition) return []
    const { highWatermark: value } = operation
    return value === undefined
      ? []
      : [{ atMs, text: null, weight: 2, change: highWatermark(value) }]
  })
}

/** The first send that ends badly, by error and acks, and how many there are. */
function sendMoments(evidence: Evidence): readonly Moment[] {
  const firsts = new Map<string, { readonly atMs: number; count: number; who: string }>()
  for (const { atMs, process, kind, operation } of endedSends(evidence)) {
    if (kind === 'ok') continue
    const acks = operation.acks === -1 ? 'all' : String(operation.acks)
    const key = `${operation.error ?? kind} to a send with acks=${acks}`
    const first = firsts.get(key)
    if (first === undefined) firsts.set(key, { atMs, count: 1, who: process })
    else first.count += 1
  }
  return [...firsts].map(([key, { atMs, count, who }]) => ({
    atMs,
    text: `${who} gets ${key}${count > 1 ? `, the first of ${count}` : ''}`,
    weight: 1,
  }))
}

function highWatermark(value: number): Partial<PartitionState> {
  return { highWatermark: value }
}

function sorted(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.map(Number).sort((a, b) => a - b) : []
}
