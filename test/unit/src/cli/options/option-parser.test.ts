import { describe, expect, it } from 'vitest'
import {
  flag,
  option,
  parseOptions,
  type OptionSpec,
} from '../../../../../src/cli/options/option-parser.ts'

const SPECS: readonly OptionSpec[] = [
  flag('list', ''),
  option('topic', '', 'topic'),
  option('partitions', '', '#', { type: 'Integer' }),
  option('throttle', '', 'rate', { type: 'Long', defaultValue: '-1' }),
  option('delete-config', '', '', { separator: ',' }),
  option('server', '', '', { kind: 'optional' }),
]

function parse(line: string) {
  return parseOptions(SPECS, line.split(' '))
}

describe('parseOptions', () => {
  it('takes a value after a space, after an equals sign, and after one dash', () => {
    expect(parse('--topic a').value('topic')).toBe('a')
    expect(parse('--topic=a=b').value('topic')).toBe('a=b')
    expect(parse('-topic a').value('topic')).toBe('a')
    expect(parse('--topic= --list').value('topic')).toBe('')
  })

  it('takes the next word as the argument even when it looks like an option', () => {
    const options = parse('--topic --list')
    expect([options.value('topic'), options.has('list')]).toEqual(['--list', false])
  })

  it('leaves an option alone that may go without an argument', () => {
    const options = parse('--server --list')
    expect([options.has('server'), options.value('server'), options.has('list')]).toEqual([
      true,
      null,
      true,
    ])
    expect(parse('--server a').value('server')).toBe('a')
  })

  it('ignores other words, and everything after two dashes', () => {
    const options = parse('word --list=3 - -- --topic a')
    expect([options.given, options.has('topic')]).toEqual([['list'], false])
  })

  it.each([
    ['--nope', 'nope is not a recognized option'],
    ['--lis', 'lis is not a recognized option'],
    ['-x', 'x is not a recognized option'],
    ['-xyz=3', 'x is not a recognized option'],
    ['--topic', 'Option topic requires an argument'],
  ])('refuses %s', (line, message) => {
    expect(() => parse(line)).toThrow(message)
  })

  it('keeps the order and refuses one value of two', () => {
    const options = parse('--topic a --list --topic b')
    expect(options.given).toEqual(['topic', 'list', 'topic'])
    expect(options.values('topic')).toEqual(['a', 'b'])
    expect(() => options.value('topic')).toThrow(
      'Found multiple arguments for option topic, but you asked for only one',
    )
  })

  it('splits values, gives defaults, and converts when asked', () => {
    expect(parse('--delete-config a,b --delete-config c').values('delete-config')).toEqual([
      'a',
      'b',
      'c',
    ])
    expect([parse('--list').number('throttle'), parse('--list').has('throttle')]).toEqual([
      -1,
      false,
    ])
    expect(parse('--partitions +7').number('partitions')).toBe(7)
    expect(parse('--throttle 9999999999').number('throttle')).toBe(9_999_999_999)
    for (const text of ['x', '2147483648', '1.5']) {
      expect(() => parse(`--partitions ${text}`).number('partitions')).toThrow(
        `Cannot parse argument '${text}' of option partitions`,
      )
    }
  })
})
