import { Command } from 'commander'
import { KafketteError, TimeoutError } from '../base/errors.ts'
import type { Admin } from '../client/index.ts'
import { VERSION } from './environment.ts'
import { optionHelp } from './options/option-help.ts'
import { flag, parseOptions, type OptionSpec, type ParsedOptions } from './options/option-parser.ts'
import { openAdmin, useAdmin, type Connection } from './tool-admin.ts'
import { executionMessage, UsageError } from './tool-errors.ts'

/** Where a tool writes, a line each. */
export interface ToolIo {
  readonly out: (line: string) => void
  readonly err: (line: string) => void
}

/** One of Kafka's command-line tools under its flags. */
export interface KafkaTool {
  readonly name: string
  /** One line for the help of `kafkette`. */
  readonly summary: string
  /** First line of the help. */
  readonly about: string
  /** First line when there are no arguments at all; `about` when left out. */
  readonly aboutWithoutArguments?: string
  readonly options: readonly OptionSpec[]
  /** Looks at the options as a whole. Throws `UsageError` and others. */
  readonly check: (options: ParsedOptions, io: ToolIo) => void
  readonly connection: (options: ParsedOptions) => Connection
  readonly run: (admin: Admin, options: ParsedOptions, io: ToolIo) => Promise<void>
  /** How a failure is told; default: its message on standard error. */
  readonly report?: (error: Error, phase: ToolPhase, io: ToolIo, args: readonly string[]) => void
}

/** How far a tool had come when it failed: reading the command line and making its client, or doing what it says. */
export type ToolPhase = 'options' | 'action'

const COMMON = [
  flag('help', 'Show this help.'),
  flag('version', 'Show the version.'),
] as const satisfies readonly OptionSpec[]

const FAILED = 1

/** A tool as a command of `kafkette`. `toolOptions` are its flags, for shell completion. */
export class ToolCommand extends Command {
  readonly toolOptions: readonly string[]
  readonly #help: (() => string) | null

  constructor(
    name: string,
    summary: string,
    toolOptions: readonly string[],
    run: (args: readonly string[], io: ToolIo) => Promise<number>,
    help: (() => string) | null = null,
  ) {
    super(name)
    this.toolOptions = toolOptions
    this.#help = help
    // Kafka's tools have rules of their own for options, and exit codes too: all words go to the tool as they are.
    this.description(summary)
      .argument('[args...]')
      .allowUnknownOption()
      .passThroughOptions()
      .helpOption(false)
      .action(async (args: readonly string[]) => {
        process.exitCode = await run(args, STANDARD_IO)
      })
  }

  /** What `kafkette help NAME` prints. */
  override helpInformation(): string {
    return this.#help === null ? super.helpInformation() : `${this.#help()}\n`
  }
}

const STANDARD_IO: ToolIo = {
  out: (line) => {
    process.stdout.write(`${line}\n`)
  },
  err: (line) => {
    process.stderr.write(`${line}\n`)
  },
}

export function toolCommand(tool: KafkaTool): ToolCommand {
  const specs = [...tool.options, ...COMMON]
  return new ToolCommand(
    tool.name,
    tool.summary,
    specs.map(({ name }) => `--${name}`),
    (args, io) => runTool(tool, args, io),
    () => `${tool.about}\n${optionHelp(specs)}`,
  )
}

/** Carries out one command line and gives its exit code: 0, or 1 for everything that Kafka's tools end with 1. */
export async function runTool(
  tool: KafkaTool,
  args: readonly string[],
  io: ToolIo,
): Promise<number> {
  const specs = [...tool.options, ...COMMON]
  let phase: ToolPhase = 'options'
  try {
    // Kafka's tools take a help that was asked for as a mistake too: standard error, 1.
    const about = args.length === 0 ? tool.aboutWithoutArguments : undefined
    if (args.length === 0) throw new UsageError(about ?? tool.about)
    const options = parseOptions(specs, args)
    if (options.has('help')) throw new UsageError(tool.about)
    if (options.has('version')) {
      io.out(VERSION)
      return 0
    }
    tool.check(options, io)
    const connection = tool.connection(options)
    const admin = await openAdmin(connection)
    phase = 'action'
    await useAdmin(admin, connection, () => tool.run(admin, options, io))
    return 0
  } catch (error) {
    if (error instanceof UsageError) {
      io.err(error.message)
      io.err(optionHelp(specs))
      return FAILED
    }
    if (!(error instanceof KafketteError)) throw error
    const report = tool.report ?? reportOnStderr
    report(error, phase, io, args)
    explain(error, io)
    return FAILED
  }
}

/** The message, as most of Kafka's tools tell it. */
export function reportOnStderr(error: Error, _phase: ToolPhase, io: ToolIo): void {
  io.err(executionMessage(error))
}

/** What Kafka's client would have logged beside the message: why no broker could be asked, why a setting is wrong. */
export function explain(error: Error, io: ToolIo): void {
  const { cause } = error
  const why = cause instanceof TimeoutError ? (cause.cause ?? cause) : cause
  if (why instanceof KafketteError) io.err(`Caused by: ${why.message}`)
}
