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

interface ToolFacts {
  readonly name: string
  /** One line for the help of `kafkette`. */
  readonly summary: string
  /** First line of the help. */
  readonly about: string
  /** First line when there are no arguments at all; `about` when left out. */
  readonly aboutWithoutArguments?: string
  readonly options: readonly OptionSpec[]
}

/** One of Kafka's tools that makes its own clients, or none at all. */
export interface PlainTool extends ToolFacts {
  /** Gives the exit code. Throws `UsageError` for options that do not go together, and others. */
  readonly run: (options: ParsedOptions, io: ToolIo) => Promise<number>
}

/** One of Kafka's tools that asks a cluster by its admin client. */
export interface KafkaTool extends ToolFacts {
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

export function plainToolCommand(tool: PlainTool): ToolCommand {
  const names = [...tool.options, ...COMMON].map(({ name }) => `--${name}`)
  return new ToolCommand(tool.name, tool.summary, names, (args, io) => runPlainTool(tool, args, io))
}

/** Carries out one command line and gives its exit code: 0, or 1 for everything that Kafka's tools end with 1. */
export function runTool(tool: KafkaTool, args: readonly string[], io: ToolIo): Promise<number> {
  let phase: ToolPhase = 'options'
  const run = async (options: ParsedOptions): Promise<number> => {
    tool.check(options, io)
    const connection = tool.connection(options)
    const admin = await openAdmin(connection)
    phase = 'action'
    await useAdmin(admin, connection, () => tool.run(admin, options, io))
    return 0
  }
  const report = tool.report ?? reportOnStderr
  return carryOut({ ...tool, run }, args, io, (error) => report(error, phase, io, args))
}

/** The same for a tool that needs no admin client. */
export function runPlainTool(
  tool: PlainTool,
  args: readonly string[],
  io: ToolIo,
): Promise<number> {
  return carryOut(tool, args, io, (error) => reportOnStderr(error, 'action', io))
}

async function carryOut(
  tool: PlainTool,
  args: readonly string[],
  io: ToolIo,
  report: (error: Error) => void,
): Promise<number> {
  const specs = [...tool.options, ...COMMON]
  try {
    if (args.length === 0) throw new UsageError(tool.aboutWithoutArguments ?? tool.about)
    const options = parseOptions(specs, args)
    // Kafka's tools take a help that was asked for as a mistake too: standard error, 1.
    if (options.has('help')) throw new UsageError(tool.about)
    if (options.has('version')) {
      io.out(VERSION)
      return 0
    }
    return await tool.run(options, io)
  } catch (error) {
    if (error instanceof UsageError) {
      io.err(error.message)
      io.err(optionHelp(specs))
      return FAILED
    }
    if (!(error instanceof KafketteError)) throw error
    report(error)
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
