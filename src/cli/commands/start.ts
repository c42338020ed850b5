import { Command, InvalidArgumentError, Option } from 'commander'
import { KafketteError } from '../../base/errors.ts'
import type { Cluster } from '../../fixture/cluster.ts'
import type { Isolation } from '../../fixture/cluster-options.ts'
import type { NodeEvent } from '../../ports/events.ts'
import { colors } from '../../real/colors.ts'
import { shownEvent } from '../shown-event.ts'
import { untilAskedToStop, type StopRequest } from '../until-asked-to-stop.ts'

interface StartFlags {
  readonly brokers: number
  readonly port: number
  readonly dataDir?: string
  readonly isolation: Isolation
  readonly set?: Readonly<Record<string, string>>
  readonly json?: boolean
}

/** Kafka's own defaults that a fixture turns off and a cluster for any client has. */
const CLUSTER_FOR_ANY_CLIENT = { 'auto.create.topics.enable': 'true' }

/** `kafkette start`: a running cluster for any client, until Ctrl-C. */
export function startCommand(): Command {
  return new Command('start')
    .description('Start a cluster for any Kafka client; it runs until Ctrl-C.')
    .option('-b, --brokers <count>', 'number of brokers, each also a controller', wholeNumber, 1)
    .option(
      '-p, --port <port>',
      'port of the first broker, the others follow (0: any)',
      wholeNumber,
      9092,
    )
    .option('-d, --data-dir <path>', 'keep the data here (default: a temporary directory)')
    .addOption(
      new Option('-i, --isolation <kind>', 'all brokers in this process, or a process each')
        .choices(['inline', 'process'])
        .default('inline'),
    )
    .option(
      '-s, --set <name=value>',
      "a broker setting by Kafka's name; may be repeated",
      addSetting,
    )
    .option('--json', 'print one line of JSON when ready; end when standard input closes')
    .addHelpText('after', EXAMPLES)
    .action(start)
}

const EXAMPLES = `
Examples:
  kafkette start --brokers 3
  kafkette start --brokers 3 --isolation process --data-dir ./data
  kafkette start --set num.partitions=6 --set log.retention.hours=1
  kafkette start --brokers 3 --port 0 --json`

async function start(flags: StartFlags): Promise<void> {
  const isJson = flags.json === true
  const stop = untilAskedToStop({ endsWithStdin: isJson })
  try {
    const cluster = await startUnlessAsked(flags, stop)
    if (cluster === null) return
    process.stdout.write(isJson ? `${readyLine(cluster)}\n` : banner(cluster))
    const died = cluster.allDied.then(() => null)
    const reason = await Promise.race([stop.asked, died])
    if (!isJson && reason !== null) process.stdout.write(colors.dim(`stopping (${reason}) ...\n`))
    await cluster.stop()
    if (reason === null) throw new KafketteError('ALL_DIED', 'every broker has died')
    if (!isJson) process.stdout.write('stopped\n')
  } finally {
    stop.release()
  }
}

/** Null when the process was asked to end before the cluster was up. */
async function startUnlessAsked(flags: StartFlags, stop: StopRequest): Promise<Cluster | null> {
  // Loaded only now: a mistake on the command line and --help answer at once.
  const { startCluster } = await import('../../fixture/start-cluster.ts')
  try {
    return await startCluster({
      brokers: flags.brokers,
      port: flags.port,
      isolation: flags.isolation,
      storage: 'disk',
      ...(flags.dataDir === undefined ? {} : { dataDir: flags.dataDir }),
      properties: { ...CLUSTER_FOR_ANY_CLIENT, ...flags.set },
      onEvent: warn,
      signal: stop.signal,
    })
  } catch (error) {
    if (stop.signal.aborted) return null
    throw error
  }
}

function readyLine(cluster: Cluster): string {
  const brokers = cluster.brokers.map(({ id, host, port, pid }) => ({ id, host, port, pid }))
  const pids = [...new Set(brokers.map(({ pid }) => pid))]
  return JSON.stringify({ bootstrapServers: cluster.bootstrapServers, brokers, pids })
}

function banner(cluster: Cluster): string {
  const rows = cluster.brokers.map(
    ({ id, host, port, pid }) => `  broker ${id}  ${host}:${port}  ${colors.dim(`pid ${pid}`)}`,
  )
  return [
    `${colors.green('ready')}  cluster ${cluster.clusterId} in ${Math.round(cluster.startMs)} ms`,
    ...rows,
    '',
    `  bootstrap.servers=${colors.bold(cluster.bootstrapServers)}`,
    `  data in ${cluster.dataDir ?? 'memory'}`,
    '',
    colors.dim('Ctrl-C stops it.'),
    '',
  ].join('\n')
}

/** What an operator wants to know goes to standard error, a line each. */
function warn(event: NodeEvent): void {
  const { node, kind, fields } = event
  const line = shownEvent(event)
  if (kind === 'broker.died') {
    process.stderr.write(`${colors.red(node)} died: ${String(fields['reason'])}\n`)
  } else if (line !== null) {
    process.stderr.write(`${colors.yellow(node)} ${line}\n`)
  }
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('expected a whole number')
  return Number(text)
}

function addSetting(
  text: string,
  earlier: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  if (at <= 0) throw new InvalidArgumentError('expected name=value')
  return { ...earlier, [text.slice(0, at).trim()]: text.slice(at + 1).trim() }
}
