import { describe, expect, it } from 'vitest'
import { configsToAdd, parseConfigs } from '../../../../../src/cli/configs/config-changes.ts'
import { CONFIG_OPTIONS } from '../../../../../src/cli/configs/config-options.ts'
import { parseOptions } from '../../../../../src/cli/options/option-parser.ts'

describe('parseConfigs', () => {
  it.each([
    [
      'a=1,b=2',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    [
      'a=[1,2],b=3',
      [
        ['a', '1,2'],
        ['b', '3'],
      ],
    ],
    [
      'match=[client_id=x],m=[a,b]',
      [
        ['match', 'client_id=x'],
        ['m', 'a,b'],
      ],
    ],
    ['a = 1 ,', [['a', '1']]],
    ['a=', [['a', '']]],
    [
      'SCRAM-SHA-256=[iterations=8192,password=p]',
      [['SCRAM-SHA-256', 'iterations=8192,password=p']],
    ],
  ])('%s', (text, expected) => {
    expect(parseConfigs(text)).toEqual(expected)
  })

  it.each(['a', 'a=b=c', 'a=1,b'])('refuses %s', (text) => {
    expect(() => parseConfigs(text)).toThrow(
      'requirement failed: Invalid entity config: all configs to be added must be in the format "key=val" or  ' +
        '"key=[val1,val2]" to group values which contain commas.',
    )
  })

  it('refuses odd names', () => {
    const options = parseOptions(CONFIG_OPTIONS, ['--add-config', 'a b=3'])
    expect(() => configsToAdd(options)).toThrow('Invalid character found for config key: a b')
  })
})
