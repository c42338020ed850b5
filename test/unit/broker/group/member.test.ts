import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memberIdFor } from '../../../../broker/group/member-id.ts'
import { Member, selectProtocol } from '../../../../broker/group/member.ts'
import { SimRandom } from '../../../../src/sim/sim-random.ts'

const protocols = (names: readonly string[]) =>
  names.map((name) => ({ name, metadata: Buffer.from(name) }))

describe('selectProtocol', () => {
  it.each([
    ['a', ['a']],
    ['b', ['a b', 'b a', 'b']],
    ['a', ['a b', 'b a']],
    ['c', ['a c', 'b c', 'c']],
  ])('chooses %s of %j', (expected, members) => {
    expect(selectProtocol(members.map((names) => protocols(names.split(' '))))).toBe(expected)
  })

  it('never chooses what somebody does not support, and always what most prefer of the rest', () => {
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 })
    fc.assert(
      fc.property(fc.array(names, { minLength: 1, maxLength: 6 }), (lists) => {
        const members = lists.map((list) => [...list, 'z'])
        const chosen = selectProtocol(members.map(protocols))
        const common = members[0]!.filter((name) => members.every((list) => list.includes(name)))
        const votes = (name: string) =>
          members.filter((list) => list.find((each) => common.includes(each)) === name).length
        expect(common).toContain(chosen)
        expect(votes(chosen)).toBe(Math.max(...common.map(votes)))
      }),
    )
  })

  it('needs one that all support', () => {
    expect(() => selectProtocol([protocols(['a']), protocols(['b'])])).toThrow(
      /all members support/,
    )
  })
})

describe('Member', () => {
  it('knows whether its protocols have changed', () => {
    const member = new Member({
      memberId: 'm',
      groupInstanceId: null,
      clientId: 'c',
      clientHost: '/h',
      rebalanceTimeoutMs: 1,
      sessionTimeoutMs: 1,
      protocols: protocols(['a', 'b']),
    })
    expect(member.hasProtocols(protocols(['a', 'b']))).toBe(true)
    expect(member.hasProtocols(protocols(['b', 'a']))).toBe(false)
    expect(member.hasProtocols(protocols(['a']))).toBe(false)
    expect(
      member.hasProtocols([{ name: 'a', metadata: Buffer.from('x') }, protocols(['b'])[0]!]),
    ).toBe(false)
  })
})

describe('member ids', () => {
  it('are the prefix and a uuid of version 4, and never twice the same', () => {
    const random = SimRandom.ofSeed(1)
    const ids = Array.from({ length: 100 }, () => memberIdFor('app', random))
    expect(new Set(ids).size).toBe(100)
    for (const id of ids) {
      expect(id).toMatch(
        /^app-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      )
    }
  })
})
