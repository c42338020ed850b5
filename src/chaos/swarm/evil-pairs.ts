import type { Fault } from '../plan/fault.ts'
import type { Draw } from './draw.ts'
import { aClient, aController, aPartition, followerOf, type FaultField } from './fault-target.ts'

/** Two or three faults that belong together; times count from the begin of their round. */
export interface EvilPair {
  readonly name: string
  /** All must be enabled for the pair to be drawn. */
  readonly kinds: readonly Fault['kind'][]
  /** It may lose an unsynced tail of a replica. */
  readonly isDamage: boolean
  draw(draw: Draw, field: FaultField, lengthMs: number): readonly Fault[]
}

/** Combinations that found real bugs in other systems (H of the catalogue of faults). */
export const EVIL_PAIRS: readonly EvilPair[] = [
  {
    name: 'a zombie leader: paused, deposed, awake again',
    kinds: ['pause', 'reset'],
    isDamage: false,
    draw: (draw, field, lengthMs) => {
      const { key } = aPartition(draw, field)
      const target = `leader(${key})`
      return [
        { atMs: 0, kind: 'pause', target, untilMs: lengthMs },
        { atMs: Math.floor(lengthMs / 2), kind: 'reset', target: `leader(${key})` },
      ]
    },
  },
  {
    name: 'pause and kill',
    kinds: ['pause', 'crash'],
    isDamage: false,
    draw: (draw, field, lengthMs) => {
      const { key, topic } = aPartition(draw, field)
      return [
        { atMs: 0, kind: 'pause', target: followerOf(draw, key, topic), untilMs: lengthMs },
        {
          atMs: draw.between('gap', 0, 1500),
          kind: 'crash',
          target: `leader(${key})`,
          untilMs: lengthMs,
        },
      ]
    },
  },
  {
    name: 'a follower is back while the leadership moves, far behind and out of the in-sync set',
    kinds: ['pause', 'crash'],
    isDamage: false,
    draw: (draw, field) => {
      const { key, topic } = aPartition(draw, field)
      const awayMs = draw.pick('away', [1500, 3500])
      const gapMs = draw.between('gap', 0, 1200)
      return [
        { atMs: 0, kind: 'pause', target: followerOf(draw, key, topic), untilMs: awayMs + gapMs },
        { atMs: awayMs, kind: 'crash', target: `leader(${key})`, untilMs: awayMs + 4000 },
      ]
    },
  },
  {
    name: 'a leader dies with the news of what is committed, and a follower that had left is back',
    kinds: ['crash', 'cut'],
    isDamage: false,
    draw: (draw, field) => {
      const { key, topic } = aPartition(draw, field)
      const fencedMs = draw.pick('fenced', [1500, 2500])
      return [
        {
          atMs: 0,
          kind: 'cut',
          target: followerOf(draw, key, topic),
          untilMs: fencedMs + draw.between('back', 200, 1000),
          params: { direction: 'both', peers: 'controller' },
        },
        {
          atMs: fencedMs,
          kind: 'crash',
          target: `leader(${key})`,
          untilMs: fencedMs + 4000,
          atProbe: { name: 'leader.committed', hit: draw.pick('hit', [1, 1, 2]) },
        },
      ]
    },
  },
  {
    name: 'a leader asks for a larger in-sync set and hears neither the answer nor the news',
    kinds: ['cut'],
    isDamage: false,
    draw: (draw, field) => {
      const { key, topic } = aPartition(draw, field)
      const leader = `leader(${key})`
      const droppedMs = draw.pick('dropped', [1400, 2500])
      return [
        {
          atMs: 0,
          kind: 'cut',
          target: followerOf(draw, key, topic),
          untilMs: droppedMs,
          params: { direction: 'both', peers: leader },
        },
        {
          atMs: droppedMs - 1,
          kind: 'cut',
          target: leader,
          untilMs: droppedMs + 550,
          params: { direction: 'in', peers: 'controller' },
        },
      ]
    },
  },
  {
    name: 'the leadership goes to a replica that lags and cannot be followed, and comes back when it dies',
    kinds: ['crash', 'cut', 'elect-preferred'],
    isDamage: false,
    draw: (draw, field) => reignOfOneThatLags(draw, aPartition(draw, field).key, 200).rows,
  },
  {
    name: 'two leaders in a row keep what they wrote to themselves, and the first one leads again',
    kinds: ['crash', 'cut', 'elect-preferred', 'shutdown'],
    isDamage: false,
    draw: (draw, field) => {
      const { key } = aPartition(draw, field)
      const { rows, wholeMs, diesMs } = reignOfOneThatLags(draw, key, 250)
      const leaves: Fault = {
        atMs: wholeMs + 10,
        kind: 'shutdown',
        target: `leader(${key})`,
        untilMs: diesMs + 1500,
      }
      return [...rows, leaves].toSorted((a, b) => a.atMs - b.atMs)
    },
  },
  {
    name: 'a request of a past life arrives when the new life is registered',
    kinds: ['crash', 'cut'],
    isDamage: false,
    draw: (draw, field) => {
      const { key, topic } = aPartition(draw, field)
      const target = followerOf(draw, key, topic)
      const slow = { direction: 'out', peers: `leader(${key})` }
      return [
        { atMs: 0, kind: 'cut', target, untilMs: 1300, params: slow },
        { atMs: draw.between('dies', 100, 450), kind: 'crash', target, untilMs: 500 },
      ]
    },
  },
  {
    name: 'a bit flips in what a follower has not fetched yet',
    kinds: ['bit-flip', 'pause'],
    isDamage: true,
    draw: (draw, field) => {
      const { key, topic } = aPartition(draw, field)
      const [, index = '0'] = key.split('-')
      const where = { where: 'tail', topic: topic.name, partition: Number(index) }
      const awayMs = draw.pick('away', [400, 1200])
      return [
        { atMs: 0, kind: 'pause', target: followerOf(draw, key, topic), untilMs: awayMs },
        { atMs: awayMs - 50, kind: 'bit-flip', target: `leader(${key})`, params: where },
      ]
    },
  },
  {
    name: 'an fsync fails once, later ones succeed, and then the power goes',
    kinds: ['fsync-error', 'power-cut'],
    isDamage: true,
    draw: (draw, field, lengthMs) => {
      const { key } = aPartition(draw, field)
      const target = `replica(${key},0)`
      const cutMs = draw.between('cut', 500, 2000)
      return [
        { atMs: 0, kind: 'fsync-error', target },
        { atMs: cutMs, kind: 'power-cut', target, untilMs: Math.max(lengthMs, cutMs + 300) },
      ]
    },
  },
  {
    name: 'the disk falls behind by some segments, and then the power goes',
    kinds: ['power-cut', 'slow-disk'],
    isDamage: true,
    draw: (draw, field, lengthMs) => {
      const { key, topic } = aPartition(draw, field)
      const target = draw.pick('target', [`leader(${key})`, followerOf(draw, key, topic)])
      const cutMs = draw.between('cut', 800, 2000)
      const params = { stallMs: 5000 }
      const untilMs = Math.max(lengthMs, cutMs + 300)
      return [
        { atMs: 0, kind: 'slow-disk', target, untilMs, params },
        { atMs: cutMs, kind: 'power-cut', target, untilMs, params: { tear: 'any' } },
      ]
    },
  },
  {
    name: 'an election over links that take as long as its time-outs',
    kinds: ['crash', 'latency'],
    isDamage: false,
    draw: (draw, field, lengthMs) => {
      const untilMs = Math.max(lengthMs, 3000)
      const slow = (target: string): Fault => ({
        atMs: 0,
        kind: 'latency',
        target,
        untilMs,
        params: { factor: draw.pick(`factor of ${target}`, [50, 200]) },
      })
      const others = Array.from(
        { length: Math.max(0, field.cluster.controllers - 1) },
        (_, index) => slow(`other-controller(${index})`),
      )
      return [
        ...others,
        { atMs: draw.between('dies', 100, 800), kind: 'crash', target: 'controller', untilMs },
      ]
    },
  },
  {
    name: 'a follower without news still follows the old epoch when the leader leads again',
    kinds: ['crash', 'cut'],
    isDamage: false,
    draw: (draw, field, lengthMs) => {
      const { key, topic } = aPartition(draw, field)
      const news = { direction: 'both', peers: 'controller' }
      const untilMs = Math.max(lengthMs, 6000)
      const backMs = draw.pick('back', [300, 1200])
      return [
        { atMs: 0, kind: 'cut', target: followerOf(draw, key, topic), untilMs, params: news },
        { atMs: 50, kind: 'crash', target: `leader(${key})`, untilMs: backMs },
        { atMs: backMs + 1500, kind: 'crash', target: `leader(${key})`, untilMs: backMs + 3500 },
      ]
    },
  },
  {
    name: 'a second crash during the recovery from the first',
    kinds: ['crash'],
    isDamage: false,
    draw: (draw, field, lengthMs) => {
      const { key, topic } = aPartition(draw, field)
      const target = topic.replicationFactor === 1 ? `leader(${key})` : `replica(${key},0)`
      const backMs = Math.floor(lengthMs / 3)
      const againMs = backMs + draw.pick('again', [1, 20, 150, 600])
      return [
        { atMs: 0, kind: 'crash', target, untilMs: backMs },
        { atMs: againMs, kind: 'crash', target, untilMs: Math.max(lengthMs, againMs + 100) },
      ]
    },
  },
  {
    name: 'leaders in quick succession: each new one is killed too',
    kinds: ['crash'],
    isDamage: false,
    draw: (draw, field, lengthMs) => {
      const { key } = aPartition(draw, field)
      const gapMs = draw.pick('gap', [1200, 2000, 3500])
      return [0, 1, 2].map((index) => ({
        atMs: index * gapMs,
        kind: 'crash' as const,
        target: `leader(${key})`,
        untilMs: index * gapMs + Math.max(500, Math.floor(lengthMs / 2)),
      }))
    },
  },
  {
    name: 'an isolated leader with its clients still attached, then a crash of it',
    kinds: ['cut', 'crash'],
    isDamage: false,
    draw: (draw, field, lengthMs) => {
      const { key } = aPartition(draw, field)
      const params = { direction: 'both', peers: draw.pick('peers', ['brokers', 'controllers']) }
      const target = `leader(${key})`
      return [
        { atMs: 0, kind: 'cut', target, untilMs: lengthMs, params },
        { atMs: Math.floor(lengthMs / 2), kind: 'crash', target, untilMs: lengthMs },
      ]
    },
  },
  {
    name: 'the controller is lost while the leader of a partition is',
    kinds: ['crash'],
    isDamage: false,
    draw: (draw, field, lengthMs) => {
      const { key } = aPartition(draw, field)
      return [
        { atMs: 0, kind: 'crash', target: `leader(${key})`, untilMs: lengthMs },
        {
          atMs: draw.between('gap', 0, 1200),
          kind: 'crash',
          target: 'controller',
          untilMs: lengthMs,
        },
      ]
    },
  },
  {
    name: 'old requests arrive after the retry: held while new connections are free',
    kinds: ['hold', 'pause'],
    isDamage: false,
    draw: (draw, field, lengthMs) => {
      const { key } = aPartition(draw, field)
      const target = `leader(${key})`
      return [
        { atMs: 0, kind: 'hold', target, untilMs: lengthMs },
        {
          atMs: draw.between('gap', 10, 500),
          kind: 'pause',
          target,
          untilMs: Math.floor(lengthMs / 2) + 500,
        },
      ]
    },
  },
  {
    name: 'elections in the quorum while a voter comes back',
    kinds: ['crash', 'cut'],
    isDamage: false,
    draw: (draw, field, lengthMs) => [
      {
        atMs: 0,
        kind: 'crash',
        target: aController(draw, field),
        untilMs: Math.floor(lengthMs / 2),
      },
      {
        atMs: draw.between('gap', 100, 1500),
        kind: 'cut',
        target: 'controller',
        untilMs: lengthMs,
        params: { direction: draw.pick('direction', ['both', 'in', 'out']) },
      },
    ],
  },
  {
    name: 'a client dies while what it sent is not answered',
    kinds: ['pause', 'client-crash'],
    isDamage: false,
    draw: (draw, field, lengthMs) => {
      const { key } = aPartition(draw, field)
      const gapMs = draw.between('gap', 200, 1500)
      return [
        { atMs: 0, kind: 'pause', target: `leader(${key})`, untilMs: lengthMs },
        {
          atMs: Math.min(gapMs, lengthMs),
          kind: 'client-crash',
          target: aClient(draw, field),
          untilMs: lengthMs,
        },
      ]
    },
  },
  {
    name: 'an fsync that lies, and then the power goes',
    kinds: ['lying-fsync', 'power-cut'],
    isDamage: true,
    draw: (draw, field, lengthMs) => {
      const { key } = aPartition(draw, field)
      const target = draw.pick('target', [`leader(${key})`, `replica(${key},0)`])
      return [
        { atMs: 0, kind: 'lying-fsync', target, untilMs: Math.floor(lengthMs / 2) },
        { atMs: Math.floor(lengthMs / 3), kind: 'power-cut', target, untilMs: lengthMs },
      ]
    },
  },
]

/**
 * The preferred leader is back and whole, is cut off for `leastLagMs` or longer, is elected all the same, and dies before
 * anybody has followed it.
 */
function reignOfOneThatLags(
  draw: Draw,
  key: string,
  leastLagMs: number,
): { readonly rows: readonly Fault[]; readonly wholeMs: number; readonly diesMs: number } {
  const preferred = `replica(${key},0)`
  const wholeMs = draw.pick('whole', [1800, 3000])
  const electMs = wholeMs + draw.between('lag', leastLagMs, 450)
  const diesMs = electMs + draw.between('reign', 50, 250)
  const alone = { direction: 'both', peers: 'brokers' }
  const rows: readonly Fault[] = [
    { atMs: 0, kind: 'crash', target: preferred, untilMs: 400 },
    { atMs: wholeMs, kind: 'cut', target: preferred, untilMs: diesMs + 1000, params: alone },
    { atMs: electMs, kind: 'elect-preferred', target: 'controller' },
    { atMs: diesMs, kind: 'crash', target: preferred, untilMs: diesMs + 2000 },
  ]
  return { rows, wholeMs, diesMs }
}
