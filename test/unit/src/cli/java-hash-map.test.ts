import { describe, expect, it } from 'vitest'
import { namesInHashOrder, partitionsInHashOrder } from '../../../../src/cli/java-hash-map.ts'

// The orders below were printed by tools of Apache Kafka 4.3.1.
describe('the order of a HashMap', () => {
  it('is that of topics in topics --describe, in a map made for their number', () => {
    const names = ['a.b', 'a.b-k', 'a.b-o', 'asg', 'asg-k', 'asg-o', 'conf-o', 'dc', 'dc-k']
    expect(namesInHashOrder(names, names.length)).toEqual([
      'dc-k',
      'a.b',
      'asg',
      'conf-o',
      'a.b-o',
      'asg-o',
      'a.b-k',
      'asg-k',
      'dc',
    ])
  })

  it('is that of quotas, in a map made for two', () => {
    expect(namesInHashOrder(['producer_byte_rate', 'consumer_byte_rate'], 2)).toEqual([
      'consumer_byte_rate',
      'producer_byte_rate',
    ])
  })

  it('is that of partitions in log-dirs', () => {
    const given = [
      { topic: 'asg', partition: 0 },
      { topic: 'asg', partition: 1 },
      { topic: 'a.b', partition: 0 },
      { topic: 'a.b', partition: 1 },
      { topic: 'a.b', partition: 2 },
      { topic: 'a.b', partition: 3 },
    ]
    expect(partitionsInHashOrder(given).map((each) => `${each.topic}-${each.partition}`)).toEqual([
      'a.b-3',
      'asg-1',
      'a.b-1',
      'a.b-2',
      'asg-0',
      'a.b-0',
    ])
  })
})
