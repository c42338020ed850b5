import { describe, expect, it } from 'vitest'
import { parseOptions } from '../../../../../src/cli/options/option-parser.ts'
import { parseReplicaAssignment } from '../../../../../src/cli/topics/replica-assignment.ts'
import { checkTopicOptions, TOPIC_OPTIONS } from '../../../../../src/cli/topics/topic-options.ts'

function check(line: string): { readonly problem: string; readonly told: readonly string[] } {
  const told: string[] = []
  const tell = (text: string): void => {
    told.push(text)
  }
  try {
    checkTopicOptions(parseOptions(TOPIC_OPTIONS, line.split(' ')), { out: tell, err: tell })
  } catch (error) {
    return { problem: (error as Error).message, told }
  }
  return { problem: 'none', told }
}

const ONE_ACTION =
  'Command must include exactly one action: --list, --describe, --create, --alter or --delete'

describe('the options of topics', () => {
  it.each([
    ['--list --describe', ONE_ACTION],
    ['--topic a', ONE_ACTION],
    ['--list', '--bootstrap-server must be specified'],
    ['--bootstrap-server b --create', 'Missing required argument "[topic]"'],
    ['--bootstrap-server b --alter --topic a', 'Missing required argument "[partitions]"'],
    [
      '--bootstrap-server b --alter --topic a --config x=y',
      'Option combination "[[bootstrap-server], [config]]" can\'t be used with option "[alter]" ' +
        '(To alter topic configurations, the kafka-configs tool can be used.)',
    ],
    [
      '--bootstrap-server b --create --topic a --replica-assignment 1 --partitions 2',
      'Option "[replica-assignment]" can\'t be used with option "[partitions]"',
    ],
    [
      '--bootstrap-server b --list --if-exists',
      'Option "[if-exists]" can\'t be used with option "[list]"',
    ],
    [
      '--bootstrap-server b --delete --topic a --exclude-internal',
      'Option "[exclude-internal]" can\'t be used with option "[delete]"',
    ],
    [
      '--bootstrap-server b --describe --topics-with-overrides --unavailable-partitions',
      'Option "[unavailable-partitions]" can\'t be used with option "[topics-with-overrides]"',
    ],
    [
      '--bootstrap-server b --describe --if-exists',
      '--topic or --topic-id is required to describe a topic',
    ],
    ['--bootstrap-server b --describe --under-min-isr-partitions', 'none'],
    ['--bootstrap-server b --alter --topic a --partitions 3 --if-exists', 'none'],
  ])('%s', (line, problem) => {
    expect(check(line).problem).toBe(problem)
  })

  it('warn of what has no effect', () => {
    expect(check('--bootstrap-server b --create --topic a --delete-config x').told).toEqual([
      'delete-config option is no longer supported and deprecated since version 4.0. ' +
        'The config will be fully removed in future releases.',
    ])
  })
})

describe('parseReplicaAssignment', () => {
  it('reads the replicas of each partition', () => {
    expect(parseReplicaAssignment('1:2, 2 : 3')).toEqual([
      [1, 2],
      [2, 3],
    ])
  })

  it.each([
    ['1:1,2:3', 'Partition replica lists may not contain duplicate entries: 1'],
    ['1:2,2', 'Partition 1 has different replication factor: [2]'],
    ['1:x', 'For input string: "x"'],
  ])('refuses %s', (text, message) => {
    expect(() => parseReplicaAssignment(text)).toThrow(message)
  })
})
