import { describe, expect, it } from 'vitest'
import { PendingAnswers } from '../../../../broker/controller/pending-answers.ts'
import { AssertionError } from '../../../../src/base/assert.ts'

class Fixture {
  readonly pending = new PendingAnswers(3, 10)
  readonly told: string[] = []

  add(name: string, offset: number, onCommit: () => void = () => {}): void {
    this.pending.add(
      offset,
      () => {
        this.told.push(name)
        onCommit()
      },
      () => this.told.push(`${name} failed`),
    )
  }
}

describe('PendingAnswers', () => {
  it('answers at once what is committed already', () => {
    const fixture = new Fixture()
    fixture.add('a', 10)
    expect(fixture.told).toEqual(['a'])
  })

  it('answers in order, up to the committed offset', () => {
    const fixture = new Fixture()
    fixture.add('a', 11)
    fixture.add('b', 12)
    fixture.add('c', 13)
    expect([fixture.told, fixture.pending.isFull]).toEqual([[], true])
    fixture.pending.onCommitted(12)
    expect([fixture.told, fixture.pending.isFull]).toEqual([['a', 'b'], false])
    fixture.pending.onCommitted(11)
    fixture.pending.onCommitted(99)
    expect(fixture.told).toEqual(['a', 'b', 'c'])
  })

  it('fails everything that still waits', () => {
    const fixture = new Fixture()
    fixture.add('a', 11)
    fixture.add('b', 12)
    fixture.pending.onCommitted(11)
    fixture.pending.failAll()
    fixture.pending.onCommitted(99)
    expect(fixture.told).toEqual(['a', 'b failed'])
  })

  it('puts a request that an answer brings behind those that wait', () => {
    const fixture = new Fixture()
    fixture.add('a', 11, () => {
      fixture.add('c', 12)
    })
    fixture.add('b', 12)
    fixture.pending.onCommitted(12)
    expect(fixture.told).toEqual(['a', 'b', 'c'])
  })

  it('refuses an answer that has seen less than the one before', () => {
    const fixture = new Fixture()
    fixture.add('a', 12)
    expect(() => {
      fixture.add('b', 11)
    }).toThrow(AssertionError)
  })
})
