import { pbkdf2Sync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { configRow } from '../../../../../src/cli/configs/describe-configs.ts'
import { javaDouble, parseDouble } from '../../../../../src/cli/configs/java-double.ts'
import { quotaRow } from '../../../../../src/cli/configs/quota-entities.ts'
import { scramUpsertion } from '../../../../../src/cli/configs/scram.ts'

describe('numbers of Java', () => {
  it.each([
    [10, '10.0'],
    [0.5, '0.5'],
    [0.0005, '5.0E-4'],
    [12_345_678.9, '1.23456789E7'],
    [1e8, '1.0E8'],
    [9_999_999, '9999999.0'],
    [0, '0.0'],
    [-2048, '-2048.0'],
  ])('%d is %s', (value, text) => {
    expect(javaDouble(value)).toBe(text)
  })

  it('are read with Java endings', () => {
    expect(['1e3', '5d', '.5', ' 7 ', '1.', 'x', '1_0', ''].map(parseDouble)).toEqual([
      1000,
      5,
      0.5,
      7,
      1,
      null,
      null,
      null,
    ])
  })
})

describe('quotaRow', () => {
  it('names user, client and address, and defaults', () => {
    const values = new Map([
      ['producer_byte_rate', 1024],
      ['consumer_byte_rate', 2048],
    ])
    const entity = new Map([
      ['client-id', 'c'],
      ['user', null],
    ])
    expect(quotaRow({ entity, values })).toBe(
      "Quota configs for the default user-principal, client-id 'c' are consumer_byte_rate=2048.0, " +
        'producer_byte_rate=1024.0',
    )
  })
})

describe('configRow', () => {
  it('shows a value and where else it could come from', () => {
    const synonyms = [
      { name: 'retention.bytes', value: '77', source: 1 },
      { name: 'log.retention.bytes', value: null, source: 5 },
    ]
    const config = {
      name: 'retention.bytes',
      value: '77',
      isReadOnly: false,
      isSensitive: false,
      source: 1,
      synonyms,
    }
    expect(configRow(config)).toBe(
      '  retention.bytes=77 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.bytes=77, ' +
        'DEFAULT_CONFIG:log.retention.bytes=null}',
    )
    expect(configRow({ ...config, value: null, isSensitive: true, synonyms: [] })).toBe(
      '  retention.bytes=null sensitive=true synonyms={}',
    )
  })
})

describe('scramUpsertion', () => {
  it('salts a password', () => {
    const { mechanism, iterations, salt, saltedPassword } = scramUpsertion(
      'SCRAM-SHA-512',
      'iterations=8192,password=se,cret',
    )
    expect([mechanism, iterations]).toEqual([2, 8192])
    expect(saltedPassword).toEqual(pbkdf2Sync('se,cret', salt, 8192, 64, 'sha512'))
    expect(scramUpsertion('SCRAM-SHA-256', 'password=p')).toMatchObject({
      mechanism: 1,
      iterations: 4096,
    })
  })

  it('refuses what is too weak or no credential', () => {
    expect(() => scramUpsertion('SCRAM-SHA-256', 'iterations=12,password=a')).toThrow(
      'Iterations 12 is less than the minimum 4096 required for SCRAM-SHA-256',
    )
    expect(() => scramUpsertion('SCRAM-SHA-256', 'pass=a')).toThrow(
      'Invalid credential property SCRAM_SHA_256=pass=a',
    )
  })
})
