import { Command } from 'commander'
import {
  readConnectorFile,
  readPropertiesFile,
  startStandalone,
  type StandaloneWorker,
  type StartPhase,
  type WorkerEvent,
} from '../../../connect/index.ts'
import { KafketteError } from '../../base/errors.ts'
import { colors } from '../../real/colors.ts'
import { NodeClock } from '../../real/node-clock.ts'
import { NodeNetwork } from '../../real/node-network.ts'
import { NodeRandom } from '../../real/node-random.ts'
import { untilAskedToStop, type StopRequest } from '../until-asked-to-stop.ts'

/** Kafka's exit codes of its connect-standalone. */
const USAGE = 1
const STARTUP_FAILED = 2
const CONNECTORS_FAILED = 3

const USAGE_TEXT =
  'usage: kafkette connect-standalone worker.properties [connector1.properties connector2.json ...]'

/** `kafkette connect-standalone`: a Connect worker with the properties files of Apache Kafka, until Ctrl-C. */
export function connectStandaloneCommand(): Command {
  return new Command('connect-standalone')
    .description('Run a Kafka Connect worker that is alone, with its connectors, until Ctrl-C.')
    .argument('[files...]', 'worker.properties, then one file a connector (properties or JSON)')
    .allowUnknownOption()
    .addHelpText('after', EXAMPLES)
    .action(run)
}

const EXAMPLES = `
Example:
  kafkette connect-standalone connect-standalone.properties file-source.properties file-sink.properties

Exit codes: 0 stopped, 1 wrong usage, 2 the worker could not be started, 3 a connector could not be started.`

async function run(files: readonly string[]): Promise<void> {
  const option = files.find((file) => file.startsWith('-'))
  const [workerFile, ...connectorFiles] = files
  if (option !== undefined || workerFile === undefined) {
    if (option !== undefined) printError(`unknown option "${option}"`)
    process.stderr.write(`${USAGE_TEXT}\n`)
    process.exitCode = USAGE
    return
  }
  const stop = untilAskedToStop({ endsWithStdin: false })
  const worker = await startOrExplain(workerFile, connectorFiles, stop)
  if (worker === null) return
  process.stdout.write(`${colors.green('ready')}  ${colors.dim('Ctrl-C stops it.')}\n`)
  const reason = await stop.asked
  process.stdout.write(`${colors.dim(`stopping (${reason}) ...`)}\n`)
  await worker.stop()
  process.stdout.write('stopped\n')
  // A task that was given up may still hold something open.
  process.exit()
}

/** Null: it was not started, and the reason was printed. */
async function startOrExplain(
  workerFile: string,
  connectorFiles: readonly string[],
  stop: StopRequest,
): Promise<StandaloneWorker | null> {
  let phase: StartPhase = 'worker'
  // Asked to stop before there is anything to stop.
  void stop.asked.then(() => (phase === 'worker' ? process.exit() : undefined))
  try {
    const workerProperties = readPropertiesFile(workerFile)
    phase = 'connectors'
    const connectors = connectorFiles.map(readConnectorFile)
    return await startStandalone({
      workerProperties,
      connectors,
      ports: { clock: new NodeClock(), network: new NodeNetwork(), random: new NodeRandom() },
      onEvent: print,
      onPhase: (reached) => {
        phase = reached
      },
    })
  } catch (error) {
    if (!(error instanceof KafketteError)) throw error
    printError(error.message)
    stop.release()
    process.exitCode = phase === 'worker' ? STARTUP_FAILED : CONNECTORS_FAILED
    return null
  }
}

function print(event: WorkerEvent): void {
  const { level, message } = event
  if (level === 'info') process.stdout.write(`${message}\n`)
  else if (level === 'warn') process.stderr.write(`${colors.yellow('warning')}: ${message}\n`)
  else printError(message)
}

function printError(message: string): void {
  process.stderr.write(`${colors.red('error')}: ${message}\n`)
}
