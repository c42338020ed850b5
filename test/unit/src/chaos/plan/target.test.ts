import { describe, expect, it } from 'vitest'
import { parseTarget, SYMBOLS } from '../../../../../src/chaos/plan/target.ts'

describe('a target', () => {
  it.each([
    ['b2', { kind: 'name', name: 'b2' }],
    ['leader(my-topic-12)', { kind: 'leader', topic: 'my-topic', partition: 12 }],
    ['follower(t-0,1)', { kind: 'follower', topic: 't', partition: 0, index: 1 }],
    ['replica(t-0, 2)', { kind: 'replica', topic: 't', partition: 0, index: 2 }],
    ['coordinator(g 1)', { kind: 'coordinator', group: 'g 1' }],
    ['other-controller(0)', { kind: 'other-controller', index: 0 }],
    ['any-broker(7)', { kind: 'any-broker', index: 7 }],
    ['controller', { kind: 'controller' }],
    ['all', { kind: 'all' }],
  ])('%s is understood', (text, target) => {
    expect(parseTarget(text)).toEqual(target)
  })

  it.each([
    '',
    'leader()',
    'leader(t)',
    'follower(t-0)',
    'any-broker(x)',
    'b(1)',
    'a b',
    'replica(t-0,-1)',
  ])('"%s" is refused', (text) => {
    expect(parseTarget(text)).toBeNull()
  })

  it('lists only symbols that it understands', () => {
    for (const symbol of SYMBOLS) expect(parseTarget(symbol)).not.toBeNull()
  })
})
