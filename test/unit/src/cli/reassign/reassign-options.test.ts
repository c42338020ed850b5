import { describe, expect, it } from 'vitest'
import { parseOptions } from '../../../../../src/cli/options/option-parser.ts'
import {
  checkReassignOptions,
  REASSIGN_OPTIONS,
} from '../../../../../src/cli/reassign/reassign-options.ts'

const ONE =
  'Command must include exactly one action: --generate, --execute, --verify, --cancel, --list'

describe('the options of reassign-partitions', () => {
  it.each([
    ['--bootstrap-server b', ONE],
    ['--bootstrap-server b --list --verify', ONE],
    ['--list', 'Please specify either --bootstrap-server or --bootstrap-controller'],
    [
      '--list --bootstrap-server b --bootstrap-controller c',
      "Please don't specify both --bootstrap-server and --bootstrap-controller",
    ],
    ['--execute --bootstrap-server b', 'Missing required argument "[reassignment-json-file]"'],
    [
      '--generate --bootstrap-server b --topics-to-move-json-file f',
      'Missing required argument "[broker-list]"',
    ],
    [
      '--cancel --bootstrap-server b --reassignment-json-file f --throttle 3',
      'Option "[throttle]" can\'t be used with action "[cancel]"',
    ],
    [
      '--verify --bootstrap-controller c --reassignment-json-file f',
      'Option "[bootstrap-controller]" can\'t be used with action "[verify]"',
    ],
    ['--list --bootstrap-controller c', 'none'],
    [
      '--execute --bootstrap-server b --reassignment-json-file f --throttle 3 --additional --timeout 9 ' +
        '--disallow-replication-factor-change',
      'none',
    ],
  ])('%s', (line, message) => {
    let problem = 'none'
    try {
      checkReassignOptions(parseOptions(REASSIGN_OPTIONS, line.split(' ')))
    } catch (error) {
      problem = (error as Error).message
    }
    expect(problem).toBe(message)
  })
})
