import { describe, expect, it } from 'vitest'
import { checkJsonVersion, JsonInput, parseJson } from '../../../../src/cli/json-input.ts'

describe('JsonInput', () => {
  const input = new JsonInput({ topic: 't', partition: 1, list: [1, 2], big: 2 ** 40 })

  it('gives what is there', () => {
    expect(input.topicPartition()).toEqual({ topic: 't', partition: 1 })
    expect(
      input
        .field('list')
        .array()
        .map((each) => each.int()),
    ).toEqual([1, 2])
    expect([input.field('big').long(), input.get('none')]).toEqual([2 ** 40, null])
  })

  it.each([
    [() => input.field('none'), 'No such field exists: `none`'],
    [() => input.field('topic').int(), 'Expected `Integer` value, received "t"'],
    [() => input.field('big').int(), 'Expected `Integer` value, received 1099511627776'],
    [() => input.field('topic').long(), 'Expected `Long` value, received "t"'],
    [() => input.field('list').string(), 'Expected `String` value, received [1,2]'],
    [() => input.field('topic').array(), 'Expected JSON array, received "t"'],
    [() => new JsonInput([]).get('x'), 'Expected JSON object, received []'],
    [() => checkJsonVersion(new JsonInput({ version: 2 })), 'Not supported version field value 2'],
  ])('refuses the wrong shape in words of Kafka (%#)', (act, message) => {
    expect(act).toThrow(message)
  })

  it('is null for what is no JSON', () => {
    expect(parseJson('{')).toBeNull()
    checkJsonVersion(new JsonInput({}))
  })
})
