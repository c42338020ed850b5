import { describe, expect, it } from 'vitest'
import {
  parseBrokerList,
  parseReassignment,
  parseReassignmentToExecute,
  parseTopicsToMove,
  reassignmentJson,
} from '../../../../../src/cli/reassign/reassignment-file.ts'

function file(...partitions: readonly object[]): string {
  return JSON.stringify({ partitions, version: 1 })
}

describe('the file of a reassignment', () => {
  it('names replicas, and the directories of some', () => {
    const text = file({ topic: 't', partition: 0, replicas: [2, 3], log_dirs: ['any', '/d'] })
    expect(parseReassignmentToExecute(text)).toEqual({
      partitions: [{ topic: 't', partition: 0, replicas: [2, 3] }],
      directories: [{ topic: 't', partition: 0, broker: 3, path: '/d' }],
    })
    expect(parseReassignment('{}')).toEqual({ partitions: [], directories: [] })
  })

  it.each([
    [file(), 'Partition reassignment list cannot be empty'],
    [file({ topic: 't', partition: 0, replicas: [] }), 'Partition replica list cannot be empty'],
    [
      file({ topic: 't', partition: 0, replicas: [2, 2] }),
      'Partition replica lists may not contain duplicate entries: t-0 contains multiple entries for 2',
    ],
    [
      file(
        { topic: 't', partition: 0, replicas: [2] },
        { topic: 't', partition: 0, replicas: [3] },
      ),
      'Partition reassignment contains duplicate topic partitions: t-0',
    ],
    [
      file({ topic: 't', partition: 0, replicas: [2, 3], log_dirs: ['any'] }),
      'Size of replicas list [2, 3] is different from size of log dirs list [any] for partition t-0',
    ],
    ['{"version":2}', 'Not supported version field value 2'],
    ['xx', 'is not valid JSON'],
  ])('is refused as %s', (text, message) => {
    expect(() => parseReassignmentToExecute(text)).toThrow(message)
  })

  it('is printed in order of partition, with "any" for a directory that is not known', () => {
    const partitions = [
      { topic: 'b', partition: 0, replicas: [1] },
      { topic: 'a', partition: 10, replicas: [2, 1] },
      { topic: 'a', partition: 9, replicas: [1] },
    ]
    expect(reassignmentJson(partitions, ({ broker }) => (broker === 2 ? '/d' : null))).toBe(
      '{"version":1,"partitions":[' +
        '{"topic":"a","partition":9,"replicas":[1],"log_dirs":["any"]},' +
        '{"topic":"a","partition":10,"replicas":[2,1],"log_dirs":["/d","any"]},' +
        '{"topic":"b","partition":0,"replicas":[1],"log_dirs":["any"]}]}',
    )
  })
})

describe('what --generate is given', () => {
  it('is topics and brokers, each once', () => {
    expect(parseTopicsToMove('{"topics":[{"topic":"a"},{"topic":"b"}]}')).toEqual(['a', 'b'])
    expect(parseBrokerList('1,2')).toEqual([1, 2])
    expect(() => parseTopicsToMove('{"topics":[{"topic":"a"},{"topic":"a"}]}')).toThrow(
      'List of topics to reassign contains duplicate entries: [a]',
    )
    expect(() => parseTopicsToMove('{')).toThrow('The input string is not a valid JSON')
    expect(() => parseBrokerList('1,1')).toThrow('Broker list contains duplicate entries: [1]')
    expect(() => parseBrokerList('1,x')).toThrow('For input string: "x"')
  })
})
