// Goal: a probe that can never be hit is no probe. Method: its kind of event must be emitted somewhere in the source.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { PROFILES } from '../../../../../src/chaos/plan/plan.ts'
import { PROBES } from '../../../../../src/chaos/probes/index.ts'
import { ErrorCode } from '../../../../../src/wire/error-codes.ts'
import type { NodeEvent } from '../../../../../src/ports/events.ts'

const ROOT = fileURLToPath(new URL('../../../../..', import.meta.url))
const EMITTERS = [
  'broker',
  'connect',
  'src/client',
  'src/sim',
  'src/chaos/sim',
  'src/chaos/workload',
]
/** Made of a phase: `controller.broker-${phase}`. */
const COMPUTED = /^controller\.broker-(fenced|unfenced|shutting-down|left)$/

function sourcesIn(folder: string): string {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .map((path) => {
      if (statSync(path).isDirectory()) return sourcesIn(path)
      return path.endsWith('.ts') ? readFileSync(path, 'utf8') : ''
    })
    .join('\n')
}

function hits(kind: string, fields: NodeEvent['fields']): readonly string[] {
  const event = { atMs: 0, node: 'b1', kind, fields }
  return PROBES.filter((probe) => probe.isHit(event)).map(({ name }) => name)
}

test('there are many probes, each with a name of its own', () => {
  expect(PROBES.length).toBeGreaterThanOrEqual(100)
  expect(new Set(PROBES.map(({ name }) => name)).size).toBe(PROBES.length)
})

test('names, sentences and profiles are well-formed', () => {
  for (const { name, says, profiles, kind } of PROBES) {
    expect(name).toMatch(/^[a-z]+\.[a-z]+(-[a-z]+)*$/)
    expect(kind).toMatch(/^[a-z]+\.[a-z]+(-[a-z]+)*$/)
    expect(says.length).toBeGreaterThan(10)
    for (const profile of profiles) expect(PROFILES).toContain(profile)
  }
})

test('every profile that runs now expects probes of its own', () => {
  for (const profile of ['data', 'groups', 'quorum']) {
    expect(PROBES.filter(({ profiles }) => profiles.includes(profile)).length).toBeGreaterThan(30)
  }
})

test('every kind of event is emitted somewhere', () => {
  const source = EMITTERS.map((folder) => sourcesIn(join(ROOT, folder))).join('\n')
  const missing = PROBES.filter(
    ({ kind }) => !source.includes(`'${kind}'`) && !COMPUTED.test(kind),
  ).map(({ name, kind }) => `${name}: ${kind}`)
  expect(missing).toEqual([])
})

test('probes tell errors, readers and sizes apart', () => {
  expect(hits('partition.isr-shrunk', { isr: [1], replicas: [2] })).toEqual([
    'isr.shrunk',
    'isr.alone',
  ])
  expect(
    hits('partition.fetch-refused', {
      reader: 'follower',
      errorCode: ErrorCode.FENCED_LEADER_EPOCH,
    }),
  ).toEqual(['fetch.follower-fenced'])
  expect(
    hits('replica.truncated', {
      from: 30,
      to: 10,
      fromEpoch: 5,
      toEpoch: 3,
      reason: 'diverging-epoch',
    }),
  ).toEqual([
    'replica.truncated',
    'replica.truncated-far',
    'replica.truncated-into-earlier-epoch',
    'replica.truncated-across-two-epochs',
    'replica.truncated-as-diverging',
  ])
  expect(hits('quorum.role-changed', { from: 'candidate', to: 'follower' })).toEqual([
    'quorum.candidate-overtaken',
  ])
  expect(hits('log.flush-failed', { code: 'EIO' })).toEqual(['log.flush-failed'])
  expect(hits('nothing.known', {})).toEqual([])
})
