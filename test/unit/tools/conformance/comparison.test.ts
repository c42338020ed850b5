// Goal: what the comparison calls equal is equal, what it calls different is shown where it is, and the list of
// tolerated differences covers no more than it says.
import { describe, expect, it } from 'vitest'
import { metadataApi } from '../../../../src/wire/messages/03-metadata.ts'
import { createTopicsApi } from '../../../../src/wire/messages/19-create-topics.ts'
import { SCENES } from '../../../../tools/conformance/cases/index.ts'
import { differencesOf } from '../../../../tools/conformance/differences.ts'
import { normalForm } from '../../../../tools/conformance/normal-form.ts'
import { isGood, verdict, type ConformanceResult } from '../../../../tools/conformance/report.ts'
import { bothOutcomes, Target, type Outcome } from '../../../../tools/conformance/target.ts'
import { ToleratedList, type Tolerated } from '../../../../tools/conformance/tolerated.ts'
import { bodyOfVersion, variationsOf } from '../../../../tools/conformance/variations.ts'
import { API_HANDLERS } from '../../../../broker/api/index.ts'
import type { Pair, PairState } from '../../../../tools/conformance/comparison.ts'

const target = (brokerPort: number): Target =>
  new Target('t', { clusterId: `cluster-${brokerPort}`, host: 'h', brokerPort, controllerPort: 2 })
const answer = (body: unknown): Outcome => ({ kind: 'answer', body })

describe('what is asked', () => {
  it('has a scene for every API that is served', () => {
    const without = API_HANDLERS.filter(({ api }) => !SCENES.has(api.key)).map(
      ({ api }) => api.name,
    )
    expect(without).toEqual([])
  })

  it('tries wrong values in every field of a version, and in no other', () => {
    const { fields } = createTopicsApi.request
    const body = { topics: [{ name: 't', numPartitions: 1 }], timeoutMs: 10, validateOnly: true }
    const names = variationsOf({ name: 's', body }, fields, 7).map(({ name }) => name)
    expect(names).toContain('s, topics empty')
    expect(names).toContain('s, topics twice')
    expect(names).toContain('s, topics[].name ""')
    expect(names).toContain('s, topics[].numPartitions -1')
    expect(names).toContain('s, timeoutMs -1')
    expect(names).toContain('s, validateOnly false')
    expect(names.filter((name) => name.includes('timeoutMs')).length).toBeLessThan(4)
    expect(variationsOf({ name: 's', body: {} }, metadataApi.request.fields, 0)).toHaveLength(1)
  })

  it('leaves out what a version cannot say', () => {
    const { fields } = metadataApi.request
    const body = { topics: [{ name: 't', topicId: 'x' }], allowAutoTopicCreation: false }
    expect(bodyOfVersion(body, fields, 0)).toEqual({ topics: [{ name: 't' }] })
    expect(bodyOfVersion(body, fields, 12)).toEqual(body)
  })
})

describe('the normal form', () => {
  const ofTopics = (port: number, topics: readonly unknown[]) =>
    normalForm(
      metadataApi,
      1,
      answer({
        brokers: [{ nodeId: 1, host: 'h', port, rack: null }],
        controllerId: 1,
        topics,
        throttleTimeMs: port,
      }),
      target(port),
      7,
    )
  const topic = (name: string, errorCode = 0) => ({
    errorCode,
    name,
    isInternal: false,
    partitions: [],
  })

  it('is the same for another port, throttle time and order', () => {
    expect(ofTopics(1, [topic('a'), topic('b')])).toEqual(ofTopics(5, [topic('b'), topic('a')]))
  })

  it('names error codes, and leaves out what earlier cases made', () => {
    expect(ofTopics(1, [topic('t-6'), topic('t-7', 3)])).toMatchObject({
      topics: [{ name: 't-7', errorCode: 'UNKNOWN_TOPIC_OR_PARTITION' }],
    })
  })

  it('tells an answer from an end and from silence', () => {
    const kinds = (['closed', 'silent'] as const).map((kind) =>
      normalForm(metadataApi, 1, { kind }, target(1), 1),
    )
    expect(differencesOf(kinds[0]!, kinds[1]!)).toEqual([
      { path: '', kafka: { outcome: 'closed' }, ours: { outcome: 'silent' } },
    ])
  })

  it('waits for the second answer when one has come, and for none when both are silent', async () => {
    const never = new Promise<Outcome>(() => {})
    expect(await bothOutcomes(never, never)).toEqual([{ kind: 'silent' }, { kind: 'silent' }])
    const closed = Promise.resolve<Outcome>({ kind: 'closed' })
    expect(await bothOutcomes(closed, closed)).toEqual([{ kind: 'closed' }, { kind: 'closed' }])
  })
})

describe('differences', () => {
  it('are found where they are, and a list of another length is one', () => {
    expect(differencesOf({ a: [{ b: 1, c: 2 }] }, { a: [{ b: 1, c: 3 }] })).toEqual([
      { path: 'a[].c', kafka: 2, ours: 3 },
    ])
    expect(differencesOf({ a: [1] }, { a: [1, 2] })).toEqual([
      { path: 'a', kafka: [1], ours: [1, 2] },
    ])
    expect(differencesOf({ a: [1] }, { a: [1] })).toEqual([])
  })

  it('are tolerated only by an entry that fits in everything', () => {
    const entry: Tolerated = {
      api: 'Metadata',
      versions: '2+',
      path: 'topics\\[\\]\\.name',
      case: 'twice',
      kafka: '^"a"$',
      ours: '^"b"$',
      reason: 'a test',
    }
    const list = new ToleratedList([entry])
    const difference = { path: 'topics[].name', kafka: 'a', ours: 'b' }
    expect(list.find('Metadata', 1, 'twice', difference)).toBeNull()
    expect(list.find('Produce', 2, 'twice', difference)).toBeNull()
    expect(list.find('Metadata', 2, 'once', difference)).toBeNull()
    expect(list.find('Metadata', 2, 'twice', { ...difference, ours: 'c' })).toBeNull()
    expect(list.find('Metadata', 2, 'twice', { ...difference, path: 'topics[].names' })).toBeNull()
    expect(list.unused()).toEqual([entry])
    expect(list.find('Metadata', 2, 'twice', difference)).toBe(entry)
    expect(list.unused()).toEqual([])
  })

  it('have a reason and patterns that can be read, all of them', () => {
    expect(ToleratedList.read().entries.length).toBeGreaterThan(0)
  })
})

describe('the verdict', () => {
  const pair = (state: PairState): Pair => ({
    key: 3,
    api: 'Metadata',
    version: 1,
    state,
    cases: 1,
    differences: [],
  })
  const result = (
    pairs: readonly Pair[],
    more: Partial<ConformanceResult> = {},
  ): ConformanceResult => ({
    kafkaVersion: '1',
    pairs,
    clients: [],
    skipped: [],
    unusedTolerated: [],
    ...more,
  })

  it('counts what is not served as not equal, and a pair without a case as bad', () => {
    const pairs = [pair('equal'), pair('tolerated'), pair('not served')]
    expect(verdict(pairs)).toBe('2 of 3 (key, version) pairs equal')
    expect(isGood(result(pairs))).toBe(true)
    expect(isGood(result([...pairs, pair('different')]))).toBe(false)
    expect(isGood(result([...pairs, pair('not compared')]))).toBe(false)
  })

  it('is bad with a client that failed, or an entry that nothing needs', () => {
    const client = { name: 'c', about: '', stepsPassed: 0, reason: '' }
    expect(isGood(result([], { clients: [{ ...client, state: 'skipped' }] }))).toBe(true)
    expect(isGood(result([], { clients: [{ ...client, state: 'failed' }] }))).toBe(false)
    const unused = { api: 'a', versions: '0+', path: '', reason: 'r' }
    expect(isGood(result([], { unusedTolerated: [unused] }))).toBe(false)
  })
})
