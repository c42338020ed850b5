import { KafketteError } from '../../base/errors.ts'
import { VERSION } from '../environment.ts'
import { explain, ToolCommand, type ToolIo } from '../kafka-tool.ts'
import { optionHelp } from '../options/option-help.ts'
import {
  flag,
  parseOptions,
  type OptionSpec,
  type ParsedOptions,
} from '../options/option-parser.ts'
import { executionMessage, UsageError } from '../tool-errors.ts'

/** One of Kafka's tools that makes its own clients, or none at all. */
export interface PlainTool {
  readonly name: string
  /** One line for the help of `kafkette`. */
  readonly summary: string
  /** First line of the help. */
  readonly about: string
  readonly options: readonly OptionSpec[]
  /** Gives the exit code. Throws `UsageError` for options that do not go together, and others. */
  readonly run: (options: ParsedOptions, io: ToolIo) => Promise<number>
}

const COMMON = [flag('help', 'Show this help.'), flag('version', 'Show the version.')]
const FAILED = 1

export function plainToolCommand(tool: PlainTool): ToolCommand {
  const names = [...tool.options, ...COMMON].map(({ name }) => `--${name}`)
  return new ToolCommand(tool.name, tool.summary, names, (args, io) => runPlainTool(tool, args, io))
}

/** Carries out one command line and gives its exit code: 1 for every mistake, as Kafka's tools do. */
export async function runPlainTool(
  tool: PlainTool,
  args: readonly string[],
  io: ToolIo,
): Promise<number> {
  const specs = [...tool.options, ...COMMON]
  try {
    if (args.length === 0) throw new UsageError(tool.about)
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
    io.err(executionMessage(error))
    explain(error, io)
    return FAILED
  }
}
