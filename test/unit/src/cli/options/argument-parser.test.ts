import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  HelpWanted,
  parseArguments,
  type ArgumentTool,
} from '../../../../../src/cli/options/argument-parser.ts'

const TOOL: ArgumentTool = {
  name: 'tool',
  about: 'About it.',
  oneOf: [],
  options: [],
  subcommands: [
    {
      name: 'show',
      description: 'Shows.',
      oneOf: [
        { names: ['--bootstrap-server', '-b'], description: '', type: 'String' },
        { names: ['--bootstrap-controller', '-C'], description: '', type: 'String' },
      ],
      options: [
        { names: ['--id', '-i'], description: 'The id.', type: 'Integer', isRequired: true },
        { names: ['--dry-run'], description: 'Nothing happens.' },
      ],
    },
  ],
}

function parse(line: string) {
  return parseArguments(
    TOOL,
    line.split(' ').filter((word) => word !== ''),
  )
}

function problem(line: string): string {
  try {
    parse(line)
  } catch (error) {
    if (error instanceof ArgumentError) return error.message
    throw error
  }
  return 'none'
}

describe('parseArguments', () => {
  it('takes long, short and shortened names', () => {
    const { command, values } = parse('show -b a:1 --id=-3 --dry')
    expect([command, Object.fromEntries(values)]).toEqual([
      'show',
      { 'bootstrap-server': 'a:1', id: '-3', 'dry-run': true },
    ])
  })

  it.each([
    ['', 'too few arguments'],
    ['nope', "invalid choice: 'nope' (choose from 'show')"],
    ['--nope', "unrecognized arguments: '--nope'"],
    ['show --nope', "unrecognized arguments: '--nope'"],
    ['show -b a:1 --id 1 word', "unrecognized arguments: 'word'"],
    ['show -b', 'argument --bootstrap-server/-b: expected one argument'],
    ['show -b --id', 'argument --bootstrap-server/-b: expected one argument'],
    [
      'show --boot a',
      'ambiguous option: --boot could match --bootstrap-controller, --bootstrap-server',
    ],
    [
      'show -C a -b b',
      'argument --bootstrap-server/-b: not allowed with argument --bootstrap-controller/-C',
    ],
    ['show -b a', 'argument --id/-i is required'],
    [
      'show --id 1',
      'one of the arguments --bootstrap-server/-b --bootstrap-controller/-C is required',
    ],
    ['show --id x', 'argument --id/-i: could not convert \'x\' to Integer (For input string: "x")'],
  ])('refuses "%s"', (line, message) => {
    expect(problem(line)).toBe(message)
  })

  it('prints help of the tool and of a command', () => {
    expect(() => parse('--help')).toThrow(HelpWanted)
    expect(() => parse('--help')).toThrow(
      /^usage: kafkette tool \[-h\] \{show\} \.\.\.\n\nAbout it\.\n/,
    )
    expect(() => parse('show -h')).toThrow(
      /^usage: kafkette tool show \[-h\] --id ID \[--dry-run\] \(--bootstrap-server BOOTSTRAP_SERVER \| /,
    )
  })
})
