import { Command } from 'commander'
import { colors } from '../../real/colors.ts'
import { runServer } from '../server/run-server.ts'

/** What is wrong with a server ends it with Kafka's code, also a mistake on its command line. */
const FAILED = 1

/** `kafkette server`: one broker and/or controller as a process, as kafka-server-start.sh. */
export function serverCommand(): Command {
  const command = new Command('server')
    .description("Run one broker and/or controller from Kafka's server.properties, until SIGTERM.")
    .argument('<file>', 'server.properties')
    .option(
      '--override <property=value>',
      'comes before the value in the file; may be repeated',
      (entry: string, earlier: readonly string[]) => [...earlier, entry],
      [] as readonly string[],
    )
    .option('--json', 'print one line of JSON when ready, and nothing else on standard output')
    .addHelpText('after', EXAMPLES)
  return command.action(async (file: string, flags: ServerFlags) => {
    const problem = flags.override.find((entry) => entry.indexOf('=') <= 0)
    if (problem !== undefined) {
      process.stderr.write(
        `${colors.red('error')}: --override: expected property=value, not "${problem}"\n`,
      )
      process.exitCode = FAILED
      return
    }
    await runServer({ file, overrides: flags.override, isJson: flags.json === true })
  })
}

interface ServerFlags {
  readonly override: readonly string[]
  readonly json?: boolean
}

const EXAMPLES = `
The log directory must be formatted once:
  kafkette storage format -t "$(kafkette storage random-uuid)" -c server.properties
  kafkette server server.properties --override log.retention.hours=1

SIGTERM and Ctrl-C move the leaderships away and end in order; a second one ends at once.
Exit codes: 0 stopped, 1 it could not start or it died, 130 ended at once.`
