import { KafketteError } from '../../base/errors.ts'
import { VERSION } from '../environment.ts'
import { ToolCommand, type ToolIo } from '../kafka-tool.ts'
import { optionHelp } from '../options/option-help.ts'
import { flag, option, parseOptions } from '../options/option-parser.ts'
import { UsageError } from '../tool-errors.ts'

const FAILED = 1

const OPTIONS = [
  option('override', 'Comes before the value in the file; may be repeated.', 'property=value'),
  flag('json', 'Print one line of JSON when ready, and nothing else on standard output.'),
  flag('help', 'Show this help.'),
  flag('version', 'Show the version.'),
]

const ABOUT = `USAGE: kafkette server server.properties [--override property=value]* [--json]
Runs one broker and/or controller from Kafka's own settings. Its log directory must be formatted once:
  kafkette storage format -t "$(kafkette storage random-uuid)" -c server.properties
SIGTERM and Ctrl-C move the leaderships away and end in order; a second one ends at once.
Exit codes: 0 stopped, 1 it could not start or it died, 130 ended at once.
`

/** `kafkette server`: one broker and/or controller as a process, as kafka-server-start.sh. */
export function serverCommand(): ToolCommand {
  const summary = "Run one broker and/or controller from Kafka's server.properties."
  const names = OPTIONS.map(({ name }) => `--${name}`)
  return new ToolCommand('server', summary, names, serve)
}

/** Gives the exit code when it cannot start; a server that runs ends the process itself. */
async function serve(args: readonly string[], io: ToolIo): Promise<number> {
  try {
    const { file, rest } = fileOf(args)
    const options = parseOptions(OPTIONS, rest)
    if (options.has('version')) {
      io.out(VERSION)
      return 0
    }
    if (file === null || options.has('help')) throw new UsageError(ABOUT)
    const overrides = options.values('override')
    const problem = overrides.find((entry) => entry.indexOf('=') <= 0)
    if (problem !== undefined) {
      io.err(`error: --override: expected property=value, not "${problem}"`)
      return FAILED
    }
    const { runServer } = await import('../server/run-server.ts')
    return await runServer({ file, overrides, isJson: options.has('json') })
  } catch (error) {
    if (!(error instanceof KafketteError)) throw error
    io.err(error.message)
    if (error instanceof UsageError) io.err(optionHelp(OPTIONS))
    return FAILED
  }
}

/** The file is the one word that belongs to no option. Throws `UsageError` for a second one. */
function fileOf(args: readonly string[]): {
  readonly file: string | null
  readonly rest: readonly string[]
} {
  const isWord = (at: number): boolean =>
    args[at]?.startsWith('-') === false && args[at - 1] !== '--override'
  const places = args.map((_, at) => at).filter(isWord)
  const [place, ...others] = places
  if (others.length > 0) {
    const words = others.map((at) => args[at] ?? '')
    throw new UsageError(`Found non argument parameters: ${words.join(',')}`)
  }
  return {
    file: place === undefined ? null : (args[place] ?? null),
    rest: args.filter((_, at) => at !== place),
  }
}
