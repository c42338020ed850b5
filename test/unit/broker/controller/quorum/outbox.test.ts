import { describe, expect, it } from 'vitest'
import { Outbox } from '../../../../../broker/controller/quorum/outbox.ts'

describe('the outbox', () => {
  it('lets things out in order, once the state they stand on is durable', () => {
    const outbox = new Outbox()
    const sent: string[] = []
    outbox.add(1, () => sent.push('a'))
    outbox.add(2, () => sent.push('b'))
    outbox.add(2, () => sent.push('c'))
    outbox.add(3, () => sent.push('d'))
    outbox.release(0)
    expect(sent).toEqual([])
    outbox.release(2)
    expect(sent).toEqual(['a', 'b', 'c'])
    outbox.release(2)
    outbox.release(3)
    expect(sent).toEqual(['a', 'b', 'c', 'd'])
  })

  it('keeps what is added while it lets things out', () => {
    const outbox = new Outbox()
    const sent: string[] = []
    outbox.add(1, () => outbox.add(2, () => sent.push('later')))
    outbox.release(1)
    expect(sent).toEqual([])
    outbox.release(2)
    expect(sent).toEqual(['later'])
  })

  it('forgets all when it is cleared', () => {
    const outbox = new Outbox()
    outbox.add(1, () => expect.unreachable())
    outbox.clear()
    outbox.release(1)
  })
})
