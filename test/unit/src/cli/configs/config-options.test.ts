import { describe, expect, it } from 'vitest'
import {
  checkConfigOptions,
  CONFIG_OPTIONS,
} from '../../../../../src/cli/configs/config-options.ts'
import { entityNames, entityTypes } from '../../../../../src/cli/configs/entities.ts'
import { parseOptions } from '../../../../../src/cli/options/option-parser.ts'

function parse(line: string) {
  return parseOptions(CONFIG_OPTIONS, `--bootstrap-server b ${line}`.split(' '))
}

function problem(line: string): string {
  try {
    checkConfigOptions(parse(line))
  } catch (error) {
    return (error as Error).message
  }
  return 'none'
}

const AND_A_SERVER =
  'the entity type must be one of topics, clients, users, brokers, ips, client-metrics, groups, broker-loggers ' +
  'with a --bootstrap-server or --bootstrap-controller argument'

describe('the options of configs', () => {
  it.each([
    ['--describe --alter', 'Command must include exactly one action: --describe, --alter'],
    ['--describe', 'At least one entity type must be specified'],
    [
      '--describe --topic a --add-config x=y',
      'Option "[describe]" can\'t be used with option "[add-config]"',
    ],
    ['--describe --entity-type topics --topic a', 'Duplicate entity type(s) specified: topics'],
    ['--describe --entity-type nope', `Invalid entity type nope, ${AND_A_SERVER}`],
    [
      '--describe --topic a --user b',
      "Only 'users' and 'clients' entity types may be specified together",
    ],
    [
      '--describe --entity-type users --client b',
      '--entity-{type,name,default} should not be used in conjunction with specific entity flags',
    ],
    [
      '--describe --topic a --bootstrap-controller c',
      'Only one of --bootstrap-server or --bootstrap-controller can be specified',
    ],
    [
      '--describe --broker x',
      'The entity name for brokers must be a valid integer broker id, but it is: x',
    ],
    [
      '--describe --ip not!an!ip',
      'The entity name for ips must be a valid IP or resolvable host, but it is: not!an!ip',
    ],
    [
      '--describe --entity-type topics --entity-default',
      '--entity-default must not be specified with --describe of topics',
    ],
    [
      '--describe --entity-type broker-loggers',
      'An entity name must be specified with --describe of broker-loggers',
    ],
    [
      '--alter --entity-type topics --add-config a=b',
      'An entity name must be specified with --alter of topics',
    ],
    [
      '--alter --entity-type users --add-config a=b',
      'An entity-name or default entity must be specified with --alter of users, clients, brokers or ips',
    ],
    [
      '--alter --topic a',
      'At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter',
    ],
    [
      '--alter --topic a --add-config a=b --add-config-file f',
      'Only one of --add-config or --add-config-file must be specified',
    ],
    ['--alter --broker-defaults --delete-config a', 'none'],
    ['--describe --user a --client b', 'none'],
    ['--describe --entity-type ips', 'none'],
  ])('%s', (line, message) => {
    expect(problem(line)).toBe(message)
  })

  it('need somebody to ask', () => {
    const options = parseOptions(CONFIG_OPTIONS, '--describe --topic a'.split(' '))
    expect(() => checkConfigOptions(options)).toThrow(
      'Either --bootstrap-server or --bootstrap-controller must be specified.',
    )
  })
})

describe('the entities of a command line', () => {
  it.each([
    [
      '--entity-type users --entity-default --entity-type clients --entity-name c',
      ['users', 'clients'],
      ['', 'c'],
    ],
    ['--user u --client c', ['clients', 'users'], ['c', 'u']],
    ['--client-defaults --user u', ['users', 'clients'], ['u', '']],
    ['--entity-type topics', ['topics'], []],
  ])('%s', (line, types, names) => {
    const options = parse(line)
    expect([entityTypes(options), entityNames(options)]).toEqual([types, names])
  })
})
