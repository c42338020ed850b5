import { describe, expect, it } from 'vitest'
import { saysNotController } from '../../../../src/wire/not-controller.ts'

describe('saysNotController', () => {
  it.each([
    [{ errorCode: 41 }, true],
    [{ errorCode: 0, topics: [{ errorCode: 3 }, { errorCode: 41 }] }, true],
    [{ errorCode: 42, topics: [], records: Buffer.from([41]) }, false],
    [null, false],
    ['41', false],
  ])('of %j is %s', (response, says) => {
    expect(saysNotController(response)).toBe(says)
  })
})
