import { InvalidArgumentError, Option } from 'commander'
import { SWARM_PROFILES, type Swarm } from '../swarm/swarm-profile.ts'
import { SWARM_SIZES } from '../swarm/swarm-size.ts'

/** The command line, as commander leaves it. */
export interface SimOptions extends Swarm {
  readonly seeds?: number
  readonly from: number
  readonly workers: number
  readonly out?: string
  readonly resume?: true
  readonly keepGoing?: true
  readonly seed?: number
  readonly replay?: string
  /** With a file name or without. */
  readonly shrink?: string | true
  readonly determinism?: number
  readonly mutants?: true
  readonly only?: readonly string[]
  readonly mutant?: string
  readonly maxSeeds?: number
  readonly listMutants?: true
  readonly json?: true
  readonly verbose?: true
  readonly wallLimit: number
  readonly runner?: string
}

const DEFAULT_WORKERS = 2
const DEFAULT_WALL_LIMIT_SECONDS = 120

/** What is to be done: one of these. */
export const MODES: readonly Option[] = [
  new Option('--seeds <count>', 'a campaign: run this many seeds').argParser(count),
  new Option('--seed <seed>', 'run one seed and tell what happened').argParser(whole),
  new Option('--replay <file>', 'carry out a schedule file and tell what happened'),
  new Option(
    '--determinism <seeds>',
    'run each of so many seeds several times, in several ways, and compare the traces',
  ).argParser(count),
  new Option('--mutants', 'plant each bug of the catalogue and run seeds until one of them fails'),
  new Option('--list-mutants', 'list the planted bugs'),
]

/** How it is to be done. */
export const DETAILS: readonly Option[] = [
  new Option('--from <seed>', 'the first seed').argParser(whole).default(1),
  new Option('--profile <name>', 'what the plans are about')
    .choices([...SWARM_PROFILES, 'transactions'])
    .default('all'),
  new Option('--size <name>', 'how much a seed holds: small ones take a quarter of the time')
    .choices(SWARM_SIZES)
    .default('full'),
  new Option('--workers <count>', 'processes at a time').argParser(count).default(DEFAULT_WORKERS),
  new Option(
    '--shrink [file]',
    'with --seed or --replay: make a failing schedule small and write it, its story and a diagram',
  ),
  new Option('--resume', 'go on with a campaign that was interrupted'),
  new Option(
    '--out <folder>',
    'where a campaign keeps its state (default: in the temporary folder)',
  ),
  new Option(
    '--keep-going',
    'do not end a campaign after 20 failures; with --mutants: hunt each bug until every check that it names has found it',
  ),
  new Option('--only <names...>', 'with --mutants: only these'),
  new Option('--mutant <name>', 'with --seed or --replay: with this bug planted'),
  new Option('--max-seeds <count>', 'with --mutants: a mutant survives after so many').argParser(
    count,
  ),
  new Option('--wall-limit <seconds>', 'a seed that takes longer is given up')
    .argParser(count)
    .default(DEFAULT_WALL_LIMIT_SECONDS),
  new Option('--json', 'print the result as JSON'),
  new Option('--verbose', 'a line for each seed; with --seed, every row of the trace'),
  new Option('--runner <module>', 'another module to run seeds with, for tests').hideHelp(),
]

const MODE_NAMES = ['seeds', 'seed', 'replay', 'determinism', 'mutants', 'listMutants'] as const

/** The modes that were asked for, as flags. */
export function askedModes(options: SimOptions): readonly string[] {
  return MODE_NAMES.filter((name) => options[name] !== undefined).map(flagOf)
}

function flagOf(name: (typeof MODE_NAMES)[number]): string {
  return name === 'listMutants' ? '--list-mutants' : `--${name}`
}

function whole(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('expected a whole number')
  }
  return value
}

function count(text: string): number {
  const value = whole(text)
  if (value === 0) throw new InvalidArgumentError('expected a whole number from 1 on')
  return value
}
