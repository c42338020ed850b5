import { describe, expect, it } from 'vitest'
import { duplicates, javaList, parseInteger, parseUuid } from '../../../../src/cli/java-values.ts'

describe('values as Java reads them', () => {
  it('are whole numbers of 32 bits', () => {
    expect([parseInteger('+7'), parseInteger('-2147483648')]).toEqual([7, -2_147_483_648])
    for (const text of ['x', '', '1.5', '2147483648', ' 1']) {
      expect(() => parseInteger(text)).toThrow(`For input string: "${text}"`)
    }
  })

  it('are uuids of 22 characters', () => {
    expect(parseUuid('AAAAAAAAAAAAAAAAAAAAAg')).toBe('AAAAAAAAAAAAAAAAAAAAAg')
    expect(() => parseUuid('x')).toThrow(
      'Input byte[] should at least have 2 bytes for base64 bytes',
    )
    expect(() => parseUuid('abcd')).toThrow(/decoded as 3 bytes/)
    expect(() => parseUuid('a'.repeat(25))).toThrow(/is too long to be decoded/)
    expect(() => parseUuid('a!')).toThrow('Illegal base64 character 21')
  })

  it('are lists, and what stands in them twice', () => {
    expect([javaList([1, 2]), duplicates([1, 2, 1, 1, 3, 3])]).toEqual(['[1, 2]', [1, 3]])
  })
})
