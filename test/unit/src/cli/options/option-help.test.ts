import { describe, expect, it } from 'vitest'
import { optionHelp } from '../../../../../src/cli/options/option-help.ts'
import { flag, option } from '../../../../../src/cli/options/option-parser.ts'

describe('optionHelp', () => {
  it('prints sorted options in two columns of at most 80 characters', () => {
    const text = optionHelp([
      option('topic', 'The topic.', 'topic'),
      flag('all', `All of them, ${'and then some '.repeat(6).trim()}.`),
      option('server', 'Where.', 'Server(s) to use for bootstrapping', { kind: 'optional' }),
      option('timeout', 'How long.', '', { type: 'Long', defaultValue: '10' }),
    ])
    const lines = text.split('\n')
    expect(lines[0]).toMatch(/^Option +Description$/)
    expect(lines[1]).toMatch(/^------ +-----------$/)
    expect(lines.filter((line) => line.startsWith('--')).map((line) => line.split(' ')[0])).toEqual(
      ['------', '--all', '--server', '--timeout', '--topic'],
    )
    expect(text).toContain('--timeout <Long>')
    expect(text).toContain('How long. (default: 10)')
    expect(text).toContain('--server [String: Server(s) to use for')
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80)
  })

  it('keeps the lines of an example as they are', () => {
    const text = optionHelp([option('file', 'JSON:\n{"a":\n  [1]}', 'path')])
    expect(text).toMatch(/JSON:\n +\{"a":\n +\[1\]\}$/)
  })
})
