import { ConfigError } from '../../src/base/errors.ts'
import { didYouMean } from '../../src/base/nearest-name.ts'
import { MODES, type Mode } from './evidence.ts'
import type { Scenario } from './scenario.ts'

/** As the command line gives them. */
export interface RunFlags {
  readonly list?: boolean
  readonly mode?: string
  readonly seed?: string
  readonly seeds?: string
  readonly json?: boolean
  readonly verbose?: boolean
  readonly twins?: boolean
  readonly out?: string
  readonly bootstrapServer?: string
}

/** What is to be done with a scenario, checked. */
export interface RunOptions {
  readonly mode: Mode
  /** First and last; one run when they are equal. */
  readonly seeds: { readonly first: number; readonly last: number }
  /** Fault times are moved by the seed: it was given as a range. */
  readonly isJittered: boolean
  readonly isJson: boolean
  readonly isVerbose: boolean
  readonly wantsTwins: boolean
  readonly outDirectory: string | null
  readonly bootstrapServers: string | null
}

const RANGE = /^(\d+)\.\.(\d+)$/

/** Throws `ConfigError` that names what cannot be used, and what could. */
export function runOptions(scenario: Scenario, flags: RunFlags): RunOptions {
  const mode = modeOf(scenario, flags)
  const range = flags.seeds === undefined ? null : rangeOf(flags.seeds)
  const seed = flags.seed === undefined ? 1 : seedOf(flags.seed)
  if (range !== null && flags.seed !== undefined) {
    throw new ConfigError('give --seed or --seeds, not both')
  }
  if (flags.bootstrapServer !== undefined && mode !== 'kafka') {
    throw new ConfigError(`--bootstrap-server needs --mode kafka, not ${mode}`)
  }
  return {
    mode,
    seeds: range ?? { first: seed, last: seed },
    isJittered: range !== null,
    isJson: flags.json ?? false,
    isVerbose: flags.verbose ?? false,
    wantsTwins: flags.twins ?? false,
    outDirectory: flags.out ?? null,
    bootstrapServers: flags.bootstrapServer ?? null,
  }
}

function modeOf(scenario: Scenario, flags: RunFlags): Mode {
  if (flags.mode === undefined) {
    return flags.bootstrapServer === undefined ? scenario.defaultMode : 'kafka'
  }
  const mode = MODES.find((each) => each === flags.mode)
  if (mode === undefined) {
    throw new ConfigError(
      `unknown mode "${flags.mode}"${didYouMean(flags.mode, MODES)}; modes are ${MODES.join(', ')}`,
    )
  }
  if (scenario.modes.includes(mode)) return mode
  throw new ConfigError(
    `scenario "${scenario.name}" has no mode ${mode}; it has ${scenario.modes.join(', ')}`,
  )
}

function seedOf(text: string): number {
  const seed = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(seed)) return seed
  throw new ConfigError(`--seed must be a whole number from 0, not "${text}"`)
}

function rangeOf(text: string): { readonly first: number; readonly last: number } {
  const [, first, last] = RANGE.exec(text) ?? []
  if (first === undefined || last === undefined || seedOf(first) > seedOf(last)) {
    throw new ConfigError(`--seeds must be like 1..500, not "${text}"`)
  }
  return { first: seedOf(first), last: seedOf(last) }
}
