import { describe, expect, it } from 'vitest'
import { PeerRequests } from '../../../../../broker/controller/quorum/peer-requests.ts'

describe('requests to peers', () => {
  it('go out one at a time to each peer', () => {
    const requests = new PeerRequests(20)
    expect(requests.readyAtMs(1)).toBe(-Infinity)
    requests.onSent(1)
    expect(requests.readyAtMs(1)).toBe(Infinity)
    expect(requests.readyAtMs(2)).toBe(-Infinity)
    requests.onAnswered(1)
    expect(requests.readyAtMs(1)).toBe(-Infinity)
  })

  it('wait longer after each failure, up to the retry backoff, and not after an answer', () => {
    const requests = new PeerRequests(20)
    const pauses = [0, 0, 0, 0, 0, 0, 0].map(() => {
      requests.onSent(1)
      requests.onFailed(1, 100)
      return requests.readyAtMs(1) - 100
    })
    expect(pauses).toEqual([1, 2, 4, 8, 16, 20, 20])
    requests.onAnswered(1)
    requests.onFailed(1, 100)
    expect(requests.readyAtMs(1)).toBe(101)
  })
})
