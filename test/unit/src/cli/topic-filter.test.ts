import { describe, expect, it } from 'vitest'
import { checkTopicName, topicFilter } from '../../../../src/cli/topic-filter.ts'

describe('topicFilter', () => {
  it('means whole names, a comma is an or, quotes and spaces do not count', () => {
    const isWanted = topicFilter('"a.*, exact"')
    expect(['a', 'abc', 'exact', 'exactly', 'ba'].map((name) => isWanted(name, false))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ])
  })

  it('leaves out internal topics when asked to', () => {
    const isWanted = topicFilter('.*')
    expect(isWanted('__consumer_offsets', false)).toBe(true)
    expect(isWanted('__consumer_offsets', true)).toBe(false)
  })

  it('refuses what is no regular expression', () => {
    expect(() => topicFilter('[')).toThrow('[ is an invalid regex.')
  })
})

describe('checkTopicName', () => {
  it.each([
    ['', 'the empty string is not allowed'],
    ['..', "'.' or '..' is not allowed"],
    ['a!', "'a!' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"],
    ['a'.repeat(250), 'is longer than the max allowed length 249'],
  ])('refuses "%s"', (name, message) => {
    expect(() => checkTopicName(name)).toThrow(message)
  })

  it('takes the others', () => {
    checkTopicName('a.b_c-D9')
  })
})
