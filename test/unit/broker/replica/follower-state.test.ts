import { describe, expect, it } from 'vitest'
import { FollowerState } from '../../../../broker/replica/follower-state.ts'

const LAG_MS = 100

function fetched(
  state: FollowerState,
  offset: number,
  leaderEndOffset: number,
  nowMs: number,
): void {
  state.onFetch({ offset, logStartOffset: 0, leaderEndOffset, brokerEpoch: 7, nowMs })
}

describe('FollowerState', () => {
  it('is unheard of at first, and in time if it was in sync at the election', () => {
    const inSync = new FollowerState(2, true, 1000)
    const outOfSync = new FollowerState(3, false, 1000)
    expect(inSync.logEndOffset).toBe(-1)
    expect(inSync.brokerEpoch).toBeNull()
    expect(inSync.isCaughtUp(0, 1000 + LAG_MS, LAG_MS)).toBe(true)
    expect(inSync.isCaughtUp(0, 1001 + LAG_MS, LAG_MS)).toBe(false)
    expect(outOfSync.isCaughtUp(0, 1000, LAG_MS)).toBe(false)
  })

  it('is caught up at the moment it asks for the leader end', () => {
    const state = new FollowerState(2, false, 0)
    fetched(state, 5, 5, 300)
    expect(state.lastCaughtUpMs).toBe(300)
    expect(state.isCaughtUp(9, 300 + LAG_MS, LAG_MS)).toBe(true)
    expect(state.isCaughtUp(9, 301 + LAG_MS, LAG_MS)).toBe(false)
    expect(state.brokerEpoch).toBe(7)
  })

  it('was caught up at its previous fetch when it asks for what was the end then', () => {
    const state = new FollowerState(2, false, 0)
    fetched(state, 0, 10, 100)
    fetched(state, 10, 20, 200)
    expect(state.lastCaughtUpMs).toBe(100)
    fetched(state, 19, 30, 300)
    expect(state.lastCaughtUpMs).toBe(100)
    fetched(state, 30, 40, 400)
    expect(state.lastCaughtUpMs).toBe(300)
  })

  it('is caught up for good while it has all of an idle leader', () => {
    const state = new FollowerState(2, false, 0)
    fetched(state, 5, 5, 0)
    expect(state.isCaughtUp(5, 1_000_000, LAG_MS)).toBe(true)
  })

  it('keeps its offset over a re-election of the same leader and has its lag counted anew', () => {
    const state = new FollowerState(2, true, 0)
    fetched(state, 5, 9, 10)
    state.onReelection(true, 9, 500)
    expect(state.logEndOffset).toBe(5)
    expect(state.isCaughtUp(9, 500 + LAG_MS, LAG_MS)).toBe(true)
    state.onReelection(false, 9, 600)
    expect(state.isCaughtUp(9, 600, LAG_MS)).toBe(false)
    fetched(state, 9, 12, 700)
    expect(state.lastCaughtUpMs).toBe(600)
  })

  it('may go back when the follower lost its tail', () => {
    const state = new FollowerState(2, true, 0)
    fetched(state, 9, 9, 10)
    fetched(state, 3, 9, 20)
    expect(state.logEndOffset).toBe(3)
  })
})
