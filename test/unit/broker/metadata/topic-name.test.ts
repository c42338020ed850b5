import { describe, expect, it } from 'vitest'
import { collisionKey, problemWithTopicName } from '../../../../broker/metadata/topic-name.ts'

describe('names of topics', () => {
  it('may have letters, digits, dots, underscores and hyphens, up to 249', () => {
    for (const name of ['a', 'A.b_c-9', '...', 'x'.repeat(249)]) {
      expect(problemWithTopicName(name)).toBeNull()
    }
  })

  it('are otherwise refused with the reason', () => {
    const reasons: Record<string, string> = {
      '': 'the empty string is not allowed',
      '.': "'.' is not allowed",
      '..': "'..' is not allowed",
      'a b': 'one or more characters other than',
      ü: 'one or more characters other than',
      'a\n': 'one or more characters other than',
      ['x'.repeat(250)]: 'is longer than the max allowed length 249',
    }
    for (const [name, reason] of Object.entries(reasons)) {
      expect(problemWithTopicName(name)).toContain(`Topic name is invalid: `)
      expect(problemWithTopicName(name)).toContain(reason)
    }
  })

  it('collide when dots and underscores are the only difference', () => {
    expect(collisionKey('a.b_c')).toBe(collisionKey('a_b.c'))
    expect(collisionKey('a.b')).not.toBe(collisionKey('a-b'))
  })
})
