import { KafketteError } from '../../base/errors.ts'

/** One option of a command in the style of Python's argparse, which some of Kafka's tools have. */
export interface ArgumentSpec {
  /** `--name` first, then the short form. */
  readonly names: readonly [string, ...string[]]
  readonly description: string
  /** Left out: a switch. */
  readonly type?: 'String' | 'Integer'
  readonly isRequired?: boolean
}

export interface ArgumentGroup {
  readonly options: readonly ArgumentSpec[]
  /** Exactly one of these must be given. */
  readonly oneOf: readonly ArgumentSpec[]
}

export interface Subcommand extends ArgumentGroup {
  readonly name: string
  readonly description: string
}

export interface ArgumentTool extends ArgumentGroup {
  readonly name: string
  readonly about: string
  readonly subcommands: readonly Subcommand[]
}

export interface ParsedArguments {
  readonly command: string
  /** By the first name without dashes. */
  readonly values: ReadonlyMap<string, string | true>
}

/** A command line that is wrong; `usage` is printed before the message. */
export class ArgumentError extends KafketteError {
  readonly usage: string

  constructor(message: string, usage: string) {
    super('ARGUMENT', message)
    this.usage = usage
  }
}

/** `--help` was given: the text to print. */
export class HelpWanted extends KafketteError {}

const INT_RANGE = 0x8000_0000

/** Parses options, a subcommand and its options. Throws `ArgumentError` and `HelpWanted`. */
export function parseArguments(tool: ArgumentTool, args: readonly string[]): ParsedArguments {
  const values = new Map<string, string | true>()
  const rest = [...args]
  const word = takeOptions(tool, usageOf(tool, null), () => toolHelp(tool), rest, values)
  if (word === null) throw new ArgumentError('too few arguments', usageOf(tool, null))
  const command = tool.subcommands.find(({ name }) => name === word)
  if (command === undefined) {
    const choices = tool.subcommands.map(({ name }) => `'${name}'`).join(', ')
    const problem = `invalid choice: '${word}' (choose from ${choices})`
    throw new ArgumentError(problem, usageOf(tool, null))
  }
  const usage = usageOf(tool, command)
  const extra = takeOptions(command, usage, () => commandHelp(tool, command), rest, values)
  if (extra !== null) throw new ArgumentError(`unrecognized arguments: '${extra}'`, usage)
  checkRequired(command, usage, values)
  checkRequired(tool, usageOf(tool, null), values)
  return { command: command.name, values }
}

/** Takes options off `rest` up to the first word that is none, and gives that word. */
function takeOptions(
  group: ArgumentGroup,
  usage: string,
  help: () => string,
  rest: string[],
  values: Map<string, string | true>,
): string | null {
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (!word.startsWith('-') || word === '-') return word
    if (word === '--help' || word === '-h') throw new HelpWanted('HELP', help())
    const at = word.startsWith('--') ? word.indexOf('=') : -1
    const name = at < 0 ? word : word.slice(0, at)
    const spec = findOption(group, name, usage)
    const value = valueOf(spec, at < 0 ? null : word.slice(at + 1), usage, rest)
    forbidOthers(group, spec, usage, values)
    values.set(keyOf(spec), value)
  }
  return null
}

function findOption(group: ArgumentGroup, name: string, usage: string): ArgumentSpec {
  const specs = [...group.oneOf, ...group.options]
  const exact = specs.find(({ names }) => names.includes(name))
  if (exact !== undefined) return exact
  const near = specs.filter(({ names }) => name.startsWith('--') && names[0].startsWith(name))
  const [only, ...others] = near
  if (only === undefined) throw new ArgumentError(`unrecognized arguments: '${name}'`, usage)
  if (others.length === 0) return only
  const matches = near
    .map(({ names }) => names[0])
    .sort()
    .join(', ')
  throw new ArgumentError(`ambiguous option: ${name} could match ${matches}`, usage)
}

function valueOf(
  spec: ArgumentSpec,
  given: string | null,
  usage: string,
  rest: string[],
): string | true {
  if (spec.type === undefined) return true
  const next = rest[0]
  const isMissing = next === undefined || (next.startsWith('-') && !/^-\d+$/.test(next))
  if (given === null && isMissing) {
    throw new ArgumentError(`argument ${shownNames(spec)}: expected one argument`, usage)
  }
  const value = given ?? rest.shift() ?? ''
  const isNumber = /^[+-]?\d+$/.test(value) && Math.abs(Number(value)) < INT_RANGE
  if (spec.type === 'String' || isNumber) return value
  const problem = `could not convert '${value}' to Integer (For input string: "${value}")`
  throw new ArgumentError(`argument ${shownNames(spec)}: ${problem}`, usage)
}

function forbidOthers(
  group: ArgumentGroup,
  spec: ArgumentSpec,
  usage: string,
  values: ReadonlyMap<string, string | true>,
): void {
  if (!group.oneOf.includes(spec)) return
  const other = group.oneOf.find((each) => each !== spec && values.has(keyOf(each)))
  if (other === undefined) return
  const problem = `not allowed with argument ${shownNames(other)}`
  throw new ArgumentError(`argument ${shownNames(spec)}: ${problem}`, usage)
}

function checkRequired(
  group: ArgumentGroup,
  usage: string,
  values: ReadonlyMap<string, string | true>,
): void {
  const missing = group.options.findLast(
    (spec) => spec.isRequired === true && !values.has(keyOf(spec)),
  )
  if (missing !== undefined) {
    throw new ArgumentError(`argument ${shownNames(missing)} is required`, usage)
  }
  if (group.oneOf.length === 0 || group.oneOf.some((spec) => values.has(keyOf(spec)))) return
  const names = group.oneOf.map(shownNames).join(' ')
  throw new ArgumentError(`one of the arguments ${names} is required`, usage)
}

function usageOf(tool: ArgumentTool, command: Subcommand | null): string {
  const words = ['usage: kafkette', tool.name]
  if (command !== null) words.push(...oneOfUsage(tool), command.name)
  const group = command ?? tool
  words.push('[-h]', ...group.options.map(optionUsage), ...oneOfUsage(group))
  if (command === null) words.push(`{${tool.subcommands.map(({ name }) => name).join(',')}}`, '...')
  return words.join(' ')
}

function oneOfUsage({ oneOf }: ArgumentGroup): readonly string[] {
  return oneOf.length === 0 ? [] : [`(${oneOf.map(bareUsage).join(' | ')})`]
}

function optionUsage(spec: ArgumentSpec): string {
  return spec.isRequired === true ? bareUsage(spec) : `[${bareUsage(spec)}]`
}

function bareUsage(spec: ArgumentSpec): string {
  return `${spec.names[0]}${placeholder(spec)}`
}

/** ` BOOTSTRAP_SERVER` for an option that takes a value. */
function placeholder(spec: ArgumentSpec): string {
  return spec.type === undefined ? '' : ` ${keyOf(spec).replaceAll('-', '_').toUpperCase()}`
}

/** What `--help` before the subcommand prints. */
export function toolHelp(tool: ArgumentTool): string {
  const commands = tool.subcommands.map(({ name, description }) => row(name, description))
  const options = [...tool.oneOf, ...tool.options].map(optionRow)
  return [
    usageOf(tool, null),
    '',
    tool.about,
    '',
    'positional arguments:',
    ...commands,
    '',
    'optional arguments:',
    row('-h, --help', 'show this help message and exit'),
    ...options,
  ].join('\n')
}

function commandHelp(tool: ArgumentTool, command: Subcommand): string {
  return [
    usageOf(tool, command),
    '',
    'optional arguments:',
    row('-h, --help', 'show this help message and exit'),
    ...[...command.oneOf, ...command.options].map(optionRow),
  ].join('\n')
}

function optionRow(spec: ArgumentSpec): string {
  const names = spec.names.map((name) => `${name}${placeholder(spec)}`).join(', ')
  return row(names, spec.description)
}

function row(left: string, right: string): string {
  const column = 23
  if (left.length < column - 1) return `  ${left.padEnd(column)}${right}`
  return `  ${left}\n  ${' '.repeat(column)}${right}`
}

function shownNames({ names }: ArgumentSpec): string {
  return names.join('/')
}

function keyOf({ names }: ArgumentSpec): string {
  return names[0].slice(2)
}
