import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WireError } from '../../../../src/base/errors.ts'
import {
  assignorsOf,
  rangeAssignor,
  roundRobinAssignor,
  type Assignor,
  type AssignorMember,
} from '../../../../src/client/assignors.ts'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../../src/client/consumer-protocol.ts'

function member(memberId: string, topics: readonly string[], groupInstanceId?: string) {
  return { memberId, topics, groupInstanceId: groupInstanceId ?? null }
}

function run(
  assignor: Assignor,
  counts: Readonly<Record<string, number>>,
  members: readonly AssignorMember[],
): Readonly<Record<string, string>> {
  const assignment = assignor.assign(new Map(Object.entries(counts)), members)
  return Object.fromEntries(
    [...assignment].map(([id, list]) => [id, list.map((p) => `${p.topic}${p.partition}`).join()]),
  )
}

describe('rangeAssignor', () => {
  it('gives the first members one more of each topic', () => {
    const members = [member('c1', ['x', 'y']), member('c0', ['x', 'y'])]
    expect(run(rangeAssignor, { x: 3, y: 3 }, members)).toEqual({
      c0: 'x0,x1,y0,y1',
      c1: 'x2,y2',
    })
  })

  it('shares each topic among those who want it', () => {
    const members = [member('a', ['x']), member('b', ['x', 'y']), member('c', ['y', 'z'])]
    expect(run(rangeAssignor, { x: 3, y: 1 }, members)).toEqual({ a: 'x0,x1', b: 'x2,y0', c: '' })
  })

  it('puts static members first, by instance id', () => {
    const members = [
      member('a', ['x']),
      member('z', ['x'], 'i1'),
      member('y', ['x'], 'i2'),
      member('b', ['x']),
    ]
    expect(run(rangeAssignor, { x: 6 }, members)).toEqual({
      z: 'x0,x1',
      y: 'x2,x3',
      a: 'x4',
      b: 'x5',
    })
  })
})

describe('roundRobinAssignor', () => {
  it('deals all partitions of all topics in turn', () => {
    const members = [member('c0', ['x', 'y']), member('c1', ['x', 'y'])]
    expect(run(roundRobinAssignor, { x: 3, y: 3 }, members)).toEqual({
      c0: 'x0,x2,y1',
      c1: 'x1,y0,y2',
    })
  })

  it('skips members that do not want a topic', () => {
    const members = [member('a', ['x']), member('b', ['x', 'y']), member('c', ['x', 'y', 'z'])]
    expect(run(roundRobinAssignor, { x: 1, y: 2, z: 3 }, members)).toEqual({
      a: 'x0',
      b: 'y0',
      c: 'y1,z0,z1,z2',
    })
  })
})

describe('any assignor', () => {
  const groups = fc.record({
    counts: fc.dictionary(fc.constantFrom('x', 'y', 'z'), fc.nat(9)),
    topics: fc.array(fc.subarray(['x', 'y', 'z']), { minLength: 1, maxLength: 6 }),
  })

  it('gives every wanted partition to exactly one member that wants it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(rangeAssignor, roundRobinAssignor),
        groups,
        (assignor, { counts, topics }) => {
          const members = topics.map((each, index) => member(`m${index}`, each))
          const assignment = assignor.assign(new Map(Object.entries(counts)), members)
          const given = [...assignment].flatMap(([memberId, list]) =>
            list.map(({ topic, partition }) => ({ memberId, topic, partition })),
          )
          const wanted = new Set(topics.flat())
          const all = Object.entries(counts)
            .filter(([topic]) => wanted.has(topic))
            .reduce((sum, [, count]) => sum + count, 0)
          const distinct = new Set(given.map(({ topic, partition }) => `${topic}-${partition}`))
          expect([given.length, distinct.size]).toEqual([all, all])
          for (const { memberId, topic } of given) {
            expect(topics[Number(memberId.slice(1))]).toContain(topic)
          }
          expect([...assignment.keys()]).toHaveLength(members.length)
        },
      ),
    )
  })

  it('gives the same whatever the order of the members', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(rangeAssignor, roundRobinAssignor),
        groups,
        (assignor, { counts, topics }) => {
          const members = topics.map((each, index) => member(`m${index}`, each))
          const there = run(assignor, counts, members)
          expect(run(assignor, counts, [...members].reverse())).toEqual(there)
        },
      ),
    )
  })
})

describe('assignorsOf', () => {
  it('knows Java class names and short names, and leaves out what it lacks', () => {
    expect(
      assignorsOf([
        'org.apache.kafka.clients.consumer.RangeAssignor',
        'org.apache.kafka.clients.consumer.CooperativeStickyAssignor',
      ]),
    ).toEqual([rangeAssignor])
    expect(assignorsOf(['roundrobin', 'range', 'RangeAssignor'])).toEqual([
      roundRobinAssignor,
      rangeAssignor,
    ])
  })

  it('refuses a list of which nothing is left', () => {
    expect(() => assignorsOf(['sticky'])).toThrow('expected range or roundrobin')
  })
})

describe('consumer protocol', () => {
  it('carries subscriptions and assignments', () => {
    const partitions = [
      { topic: 'x', partition: 0 },
      { topic: 'y', partition: 4 },
      { topic: 'x', partition: 2 },
    ]
    const subscription = { topics: ['y', 'x'], ownedPartitions: partitions, generation: 4 }
    expect(decodeSubscription(encodeSubscription(subscription))).toEqual({
      topics: ['x', 'y'],
      ownedPartitions: [partitions[0], partitions[2], partitions[1]],
      generation: 4,
    })
    expect(decodeAssignment(encodeAssignment(partitions))).toHaveLength(3)
    expect(decodeAssignment(Buffer.alloc(0))).toEqual([])
  })

  it('reads what it knows of a newer version, and older ones', () => {
    const newer = Buffer.concat([
      encodeSubscription({ topics: ['x'], ownedPartitions: [], generation: 1 }),
      Buffer.from('more'),
    ])
    newer.writeInt16BE(9)
    expect(decodeSubscription(newer).topics).toEqual(['x'])
    const old = Buffer.from('000000000001000178ffffffff', 'hex')
    expect(decodeSubscription(old)).toEqual({ topics: ['x'], ownedPartitions: [], generation: -1 })
  })

  it('refuses bytes that are neither', () => {
    for (const bad of ['', '00', 'ffff', '0001ffff']) {
      expect(() => decodeSubscription(Buffer.from(bad, 'hex'))).toThrow(WireError)
    }
    expect(() => decodeAssignment(Buffer.from('ff', 'hex'))).toThrow(WireError)
  })
})
