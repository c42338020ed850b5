import { Command, InvalidArgumentError } from 'commander'
import pc from 'picocolors'
import { brokerSettingNames } from '../../fixture/broker-settings.ts'
import { startCluster } from '../../fixture/start-cluster.ts'
import type { Cluster } from '../../fixture/cluster.ts'
import type { Isolation, StartClusterOptions } from '../../fixture/cluster-options.ts'
import type { NodeEvent } from '../../ports/events.ts'
import { ConfigError } from '../../base/errors.ts'
import { didYouMean } from '../../base/nearest-name.ts'
import { untilAskedToStop } from '../until-asked-to-stop.ts'

interface StartFlags {
  readonly brokers: number
  readonly port: number
  readonly dataDir?: string
  readonly isolation: Isolation
  readonly set: Readonly<Record<string, string>>
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
    .option('-i, --isolation <kind>', 'inline (this process) or process (one each)', 'inline')
    .option(
      '-s, --set <name=value>',
      "a broker setting by Kafka's name; may be repeated",
      addSetting,
      {},
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
  const cluster = await startCluster({
    brokers: flags.brokers,
    port: flags.port,
    isolation: flags.isolation,
    storage: 'disk',
    ...(flags.dataDir === undefined ? {} : { dataDir: flags.dataDir }),
    properties: { ...CLUSTER_FOR_ANY_CLIENT, ...flags.set },
    onEvent: warn,
  } satisfies StartClusterOptions)
  process.stdout.write(isJson ? `${readyLine(cluster)}\n` : banner(cluster))
  const reason = await untilAskedToStop({ endsWithStdin: isJson, cluster })
  if (!isJson) process.stdout.write(`${pc.dim(`stopping (${reason}) ...`)}\n`)
  await cluster.stop()
  if (!isJson) process.stdout.write('stopped\n')
}

function readyLine(cluster: Cluster): string {
  const brokers = cluster.brokers.map(({ id, host, port, pid }) => ({ id, host, port, pid }))
  const pids = [...new Set(brokers.map(({ pid }) => pid))]
  return JSON.stringify({ bootstrapServers: cluster.bootstrapServers, brokers, pids })
}

function banner(cluster: Cluster): string {
  const rows = cluster.brokers.map(
    ({ id, host, port, pid }) => `  broker ${id}  ${host}:${port}  ${pc.dim(`pid ${pid}`)}`,
  )
  return [
    `${pc.green('ready')}  cluster ${cluster.clusterId} in ${Math.round(cluster.startMs)} ms`,
    ...rows,
    '',
    `  bootstrap.servers=${pc.bold(cluster.bootstrapServers)}`,
    `  data in ${cluster.dataDir ?? 'memory'}`,
    '',
    pc.dim('Ctrl-C stops it.'),
    '',
  ].join('\n')
}

const SHOWN_KINDS = new Set(['broker.died', 'connection.refused', 'broker.refused', 'warning'])

function warn(event: NodeEvent): void {
  if (!SHOWN_KINDS.has(event.kind)) return
  const fields = Object.entries(event.fields).map(([name, value]) => `${name}=${String(value)}`)
  process.stderr.write(`${pc.yellow(event.node)} ${event.kind} ${fields.join(' ')}\n`)
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('expected a whole number')
  return Number(text)
}

function addSetting(
  text: string,
  earlier: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  if (at <= 0) throw new InvalidArgumentError('expected name=value')
  const name = text.slice(0, at).trim()
  const known = brokerSettingNames()
  if (!known.has(name)) {
    throw new ConfigError(`--set: unknown broker setting "${name}"${didYouMean(name, known)}`)
  }
  return { ...earlier, [name]: text.slice(at + 1) }
}
