import { describe, expect, it } from 'vitest'
import { ConfigDef, type ConfigKey } from '../../../../src/base/config-def.ts'
import { ConfigError } from '../../../../src/base/errors.ts'

function key(name: string, options: Partial<ConfigKey>): ConfigKey {
  return {
    name,
    type: 'int',
    defaultValue: undefined,
    valid: null,
    importance: 'high',
    isInternal: false,
    ...options,
  }
}

const def = new ConfigDef([
  key('port', { defaultValue: 1, valid: '[1,...,65535]' }),
  key('names', { type: 'list', defaultValue: [] }),
  key('max', { type: 'long', defaultValue: Infinity }),
  key('flag', { type: 'boolean', defaultValue: false }),
  key('kind', { type: 'string', defaultValue: 'a', valid: '[a, b]' }),
  key('level', { defaultValue: -1, valid: '[1,...,9] or -1' }),
  key('rack', { type: 'string', defaultValue: null }),
])

describe('ConfigDef', () => {
  it('gives defaults for what is not set', () => {
    const config = def.parse({})
    expect(config.int('port')).toBe(1)
    expect(config.list('names')).toEqual([])
    expect(config.long('max')).toBe(Infinity)
    expect(config.nullableString('rack')).toBeNull()
    expect(config.isSet('port')).toBe(false)
  })

  it('reads each type as Kafka does', () => {
    const config = def.parse({
      port: ' 9092 ',
      names: 'a, b,c',
      max: '9223372036854775807',
      flag: 'TRUE',
    })
    expect(config.int('port')).toBe(9092)
    expect(config.list('names')).toEqual(['a', 'b', 'c'])
    expect(config.long('max')).toBe(Infinity)
    expect(config.boolean('flag')).toBe(true)
  })

  it.each([
    ['port', 'many', 'Not a number of type INT'],
    ['port', '0', 'Invalid value 0 for configuration port: Value must be at least 1'],
    ['port', '65536', 'Value must be no more than 65535'],
    ['port', '99999999999', 'Not a number of type INT'],
    ['flag', 'yes', 'Expected value to be either true or false'],
    ['kind', 'c', 'String must be one of: a, b'],
    ['level', '0', 'Value must be between 1 and'],
  ])('refuses %s=%s and says why', (name, value, reason) => {
    expect(() => def.parse({ [name]: value })).toThrow(ConfigError)
    expect(() => def.parse({ [name]: value })).toThrow(reason)
  })

  it('refuses a missing value that has no default', () => {
    const strict = new ConfigDef([key('node.id', {})])
    expect(() => strict.parse({})).toThrow('Missing required configuration "node.id"')
  })

  it('names the nearest setting for an unknown one', () => {
    expect(def.unknownNames({ prot: '1', zzzzzzzz: '2' })).toEqual([
      { name: 'prot', nearest: 'port' },
      { name: 'zzzzzzzz', nearest: null },
    ])
  })

  it('takes any value of a setting that has no rule for it', () => {
    expect(def.parse({ level: '-1', rack: 'r1' }).nullableString('rack')).toBe('r1')
  })
})
