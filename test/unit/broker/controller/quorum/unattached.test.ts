import { describe, expect, it } from 'vitest'
import { Unattached } from '../../../../../broker/controller/quorum/unattached.ts'
import { ZERO_UUID } from '../../../../../src/base/uuid.ts'

const ONE = { id: 1, directoryId: ZERO_UUID }
const TWO = { id: 2, directoryId: ZERO_UUID }
const DIRECTORY = 'AAAAAAAAAAAAAAAAAAAABQ'
const OTHER_DIRECTORY = 'AAAAAAAAAAAAAAAAAAAABg'

describe('an unattached node', () => {
  it('without a vote grants one to an up-to-date log', () => {
    const role = new Unattached(2, null, 100)
    expect(role.canGrant(ONE, true, false)).toBe(true)
    expect(role.canGrant(ONE, false, false)).toBe(false)
  })

  it('with a vote grants it again to the same candidate and to no other', () => {
    const role = new Unattached(2, ONE, 100)
    expect(role.canGrant(ONE, true, false)).toBe(true)
    expect(role.canGrant(TWO, true, false)).toBe(false)
  })

  it('takes another directory of the same node for another candidate', () => {
    const role = new Unattached(2, { id: 1, directoryId: DIRECTORY }, 100)
    expect(role.canGrant({ id: 1, directoryId: OTHER_DIRECTORY }, true, false)).toBe(false)
    expect(role.canGrant({ id: 1, directoryId: DIRECTORY }, true, false)).toBe(true)
    expect(role.canGrant(ONE, true, false)).toBe(true)
  })

  it('grants pre-votes by the log alone', () => {
    const role = new Unattached(2, ONE, 100)
    expect(role.canGrant(TWO, true, true)).toBe(true)
    expect(role.canGrant(TWO, false, true)).toBe(false)
  })
})
