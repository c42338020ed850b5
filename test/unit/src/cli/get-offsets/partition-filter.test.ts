import { describe, expect, it } from 'vitest'
import { parseOffsetTime } from '../../../../../src/cli/get-offsets/offset-time.ts'
import {
  filterByLists,
  filterByRules,
  withoutInternal,
} from '../../../../../src/cli/get-offsets/partition-filter.ts'

function wanted(rules: string): readonly string[] {
  const filter = filterByRules(rules)
  return ['a', 'b'].flatMap((topic) =>
    [0, 1, 2, 3]
      .filter((partition) => filter.isWanted({ topic, partition }))
      .map((partition) => `${topic}${partition}`),
  )
}

describe('filterByRules', () => {
  it.each([
    ['a', ['a0', 'a1', 'a2', 'a3']],
    ['a:1', ['a1']],
    ['a:1-3', ['a1', 'a2']],
    ['a:2-', ['a2', 'a3']],
    ['a:-2', ['a0', 'a1']],
    [':0', ['a0', 'b0']],
    ['a:0,b:3', ['a0', 'b3']],
    ['a|b:1', ['a1', 'b1']],
  ])('%s', (rules, expected) => {
    expect(wanted(rules)).toEqual(expected)
  })

  it('refuses another form', () => {
    expect(() => filterByRules('a:x')).toThrow(
      'org.apache.kafka.tools.TerseException: Invalid rule specification: a:x',
    )
  })
})

describe('filterByLists', () => {
  it('means all when nothing is given', () => {
    expect(filterByLists(null, null).isWanted({ topic: 'x', partition: 9 })).toBe(true)
  })

  it('means some partitions of some topics, internal ones left out on request', () => {
    const filter = filterByLists('a,__.*', '0,2')
    expect([0, 1, 2].map((partition) => filter.isWanted({ topic: 'a', partition }))).toEqual([
      true,
      false,
      true,
    ])
    expect(filter.isTopicWanted('__consumer_offsets')).toBe(true)
    expect(withoutInternal(filter).isTopicWanted('__consumer_offsets')).toBe(false)
    expect(() => filterByLists(null, '1,x')).toThrow(
      '--partitions expects a comma separated list of numeric partition ids, but received: 1,x',
    )
  })
})

describe('parseOffsetTime', () => {
  it('knows names and numbers', () => {
    expect(
      ['latest', 'earliest-pending-upload', '-3', '1700000000000'].map(parseOffsetTime),
    ).toEqual([-1, -6, -3, 1_700_000_000_000])
    expect(() => parseOffsetTime('now')).toThrow(
      /^Malformed time argument now\. Please use -1 or latest/,
    )
  })
})
