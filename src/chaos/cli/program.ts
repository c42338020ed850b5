import { Command, CommanderError } from 'commander'
import { ConfigError, KafketteError, messageOf } from '../../base/errors.ts'
import { PLANT_VARIABLE } from '../mutants/planted-process.ts'
import { askedModes, DETAILS, MODES, type SimOptions } from './options.ts'

/** Exit codes: 0 all well, 1 something was found, 2 the command line was wrong, 130 after Ctrl-C. */
const FAILED = 1
const USAGE = 2
const INTERRUPTED = 130

const EXAMPLES = `
Examples:
  npm run sim -- --seeds 1000                        a campaign over all profiles
  npm run sim -- --seeds 1000 --from 5001 --profile quorum --keep-going
  npm run sim -- --seeds 1000 --resume               go on after Ctrl-C
  npm run sim -- --seed 42 --profile data            one seed, as the report of a campaign names it
  npm run sim -- --seed 42 --profile data --shrink found.json    the fewest faults that still fail
  npm run sim -- --replay found.json                 that failure again
  npm run sim -- --determinism 100                   the same seed gives the same trace, everywhere
  npm run sim -- --mutants                           do the checkers find the bugs that are planted?

Exit codes: 0 all well, 1 something was found, 2 the command line was wrong, 130 after Ctrl-C.
`

/** Carries out one command line; the exit code is left in `process.exitCode`. */
export async function run(argv: readonly string[]): Promise<void> {
  const program = new Command('npm run sim --')
    .description(
      'Runs clusters in a simulated world, under faults, and checks what must always hold.',
    )
    .showSuggestionAfterError(true)
    .showHelpAfterError('(run with --help for the options)')
    .allowExcessArguments(false)
    .exitOverride()
    .addHelpText('after', EXAMPLES)
  for (const option of MODES) program.addOption(option)
  for (const option of DETAILS) program.addOption(option)
  const interrupt = new AbortController()
  process.on('SIGINT', () => {
    // The second one does not wait for the summary.
    if (interrupt.signal.aborted) process.exit(INTERRUPTED)
    interrupt.abort()
  })
  program.action(async (options: SimOptions) => {
    process.exitCode = await carryOut(options, program, interrupt.signal)
    if (interrupt.signal.aborted) process.exitCode = INTERRUPTED
  })
  try {
    await program.parseAsync([...argv])
  } catch (error) {
    process.exitCode = interrupt.signal.aborted ? INTERRUPTED : report(error)
  }
}

async function carryOut(
  options: SimOptions,
  program: Command,
  signal: AbortSignal,
): Promise<number> {
  const modes = askedModes(options)
  if (modes.length > 1) throw new ConfigError(`${modes.join(' and ')} cannot be used together`)
  if (options.profile === 'transactions') {
    throw new ConfigError(
      '--profile transactions: no plan of it can be drawn yet, so there is nothing to run',
    )
  }
  if (options.mutant !== undefined && process.env[PLANT_VARIABLE] !== options.mutant) {
    const { plantedCommand } = await import('./planted-command.ts')
    return await plantedCommand(options.mutant, process.argv)
  }
  // Each way loads only what it needs, so that help and mistakes are answered at once.
  if (options.seeds !== undefined) {
    const { campaignCommand } = await import('./campaign-command.ts')
    return (await campaignCommand(options, signal)) ? 0 : FAILED
  }
  if (options.seed !== undefined) {
    const { seedCommand } = await import('./seed-command.ts')
    return (await seedCommand(options, options.seed)) ? 0 : FAILED
  }
  if (options.replay !== undefined) {
    const { replayCommand } = await import('./replay-command.ts')
    return (await replayCommand(options, options.replay)) ? 0 : FAILED
  }
  if (options.shrink !== undefined) throw new ConfigError('--shrink needs --seed or --replay')
  if (options.determinism !== undefined) {
    const { determinismCommand } = await import('./determinism-command.ts')
    return (await determinismCommand(options, options.determinism, signal)) ? 0 : FAILED
  }
  if (options.mutants === true || options.listMutants === true) {
    const { listMutantsCommand, mutantsCommand } = await import('./mutants-command.ts')
    if (options.mutants === true) return (await mutantsCommand(options, signal)) ? 0 : FAILED
    listMutantsCommand(options)
    return 0
  }
  program.outputHelp()
  return 0
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE
  if (error instanceof KafketteError) {
    process.stderr.write(`sim: ${error.message}\n`)
    return error.code === 'CONFIG' ? USAGE : FAILED
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : messageOf(error)
  process.stderr.write(`sim: unexpected error\n${text}\n`)
  return FAILED
}
