import { writeFileSync } from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import logUpdate from 'log-update'
import { messageOf } from '../../src/base/errors.ts'
import { didYouMean } from '../../src/base/nearest-name.ts'
import { startCluster } from '../../src/index.ts'
import { apis } from '../../src/wire/messages/index.ts'
import { jarsDirectory, kafkaVersion } from '../apache-kafka/jars.ts'
import { PlainCluster } from '../apache-kafka/plain-cluster.ts'
import { findJava, MissingRequirementError } from '../apache-kafka/requirements.ts'
import {
  CLIENT_PROGRAMS,
  runClient,
  type ClientResult,
  type ClientSetting,
} from './client-programs.ts'
import { Comparison, type Pair } from './comparison.ts'
import { runFuzz } from './fuzz/run.ts'
import { OurNode } from './our-node.ts'
import { isGood, printed, record, type ConformanceResult } from './report.ts'
import { Target } from './target.ts'
import { ToleratedList } from './tolerated.ts'

const RECORD = new URL('../../docs/reference/conformance.md', import.meta.url)
const HOST = '127.0.0.1'
const BAR_COLUMNS = 30
const CLIENT_BROKERS = 3
/** Small clusters, the same on both sides. */
const PROPERTIES = {
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '5',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '5',
  'group.initial.rebalance.delay.ms': '0',
}

interface Options {
  readonly only: readonly string[]
  readonly json: boolean
  readonly short: boolean
  readonly record: boolean
  readonly fuzz?: number
  readonly seed: number
}

interface Selection {
  readonly keys: ReadonlySet<number>
  readonly clients: readonly (typeof CLIENT_PROGRAMS)[number][]
  readonly isWhole: boolean
}

interface JavaSetting {
  readonly java: { readonly java: string; readonly jars: string } | null
  readonly missingJava: string
}

async function main(args: readonly string[]): Promise<void> {
  const program = new Command('npm run conformance --')
    .description(
      'Compares our brokers with Apache Kafka, request by request, and runs other clients against them.',
    )
    .option('--only <name...>', 'API keys (by number or name) and clients; all unless given', [])
    .option('--short', 'the cases written by hand, oldest and newest version of each key', false)
    .option('--json', 'the result as one JSON object', false)
    .option('--record', 'write docs/reference/conformance.md', false)
    .option('--fuzz <seconds>', 'send broken requests for so long instead', wholeNumber)
    .option('--seed <number>', 'where the broken requests of --fuzz start', wholeNumber, 1)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .parse([...args], { from: 'user' })
  const options = program.opts<Options>()
  if (options.fuzz !== undefined) {
    process.exitCode = await runFuzz({ seconds: options.fuzz, seed: options.seed })
    return
  }
  const selection = select(options.only, program)
  if (options.record && (options.short || !selection.isWhole)) {
    program.error('error: only a whole run can be recorded', { exitCode: 2 })
  }
  const setting = await javaSetting()
  const tolerated = ToleratedList.read()
  const skipped = setting.java === null ? [`the comparison: ${setting.missingJava}`] : []
  const pairs = await compare(setting, selection, options, tolerated)
  const clients = await runClients(setting, selection, options)
  const isWholeComparison = selection.isWhole && !options.short && pairs.length > 0
  const result: ConformanceResult = {
    kafkaVersion: kafkaVersion(),
    pairs,
    clients,
    skipped,
    unusedTolerated: isWholeComparison ? tolerated.unused() : [],
  }
  if (options.record && isWholeComparison) writeFileSync(RECORD, record(result, new Date()))
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : printed(result))
  process.exitCode = isGood(result) ? 0 : 1
}

async function javaSetting(): Promise<JavaSetting> {
  try {
    const java = findJava(process.env)
    const jars = await jarsDirectory(process.env, (directory) => {
      process.stderr.write(`fetching Apache Kafka ${kafkaVersion()} into ${directory} ...\n`)
    })
    return { java: { java, jars }, missingJava: '' }
  } catch (error) {
    if (!(error instanceof MissingRequirementError)) throw error
    return { java: null, missingJava: error.message.replace(/, or give a running cluster.*$/, '') }
  }
}

async function compare(
  { java }: JavaSetting,
  { keys, isWhole }: Selection,
  options: Options,
  tolerated: ToleratedList,
): Promise<readonly Pair[]> {
  if (java === null || (keys.size === 0 && !isWhole)) return []
  await using ours = await OurNode.start(PROPERTIES)
  await using theirs = await PlainCluster.start({ ...java, brokers: 1, properties: PROPERTIES })
  const kafkaTarget = new Target('Apache Kafka', {
    clusterId: theirs.clusterId,
    host: HOST,
    brokerPort: portOf(theirs.bootstrapServers),
    controllerPort: portOf(theirs.controllers),
  })
  const ourTarget = new Target('ours', ours.addresses)
  try {
    const comparison = new Comparison({
      kafka: kafkaTarget,
      ours: ourTarget,
      tolerated,
      keys,
      isShort: options.short,
      onPair: (done, of, { api, version }) => showProgress(done, of, `${api} v${version}`),
    })
    return await comparison.run()
  } finally {
    logUpdate.clear()
    kafkaTarget.close()
    ourTarget.close()
    if (!ours.isRunning) process.stderr.write(`our node ended:\n${ours.output}\n`)
  }
}

async function runClients(
  setting: JavaSetting,
  { clients }: Selection,
  options: Options,
): Promise<readonly ClientResult[]> {
  if (clients.length === 0 || (options.short && options.only.length === 0)) return []
  const brokers = CLIENT_BROKERS
  await using cluster = await startCluster({ brokers, isolation: 'process' })
  const whole: ClientSetting = { ...setting, bootstrapServers: cluster.bootstrapServers }
  const results: ClientResult[] = []
  for (const client of clients) {
    showProgress(results.length, clients.length, client.name)
    results.push(await runClient(client, whole))
  }
  if (process.stderr.isTTY) logUpdate.clear()
  return results
}

function select(only: readonly string[], program: Command): Selection {
  if (only.length === 0) return { keys: new Set(), clients: CLIENT_PROGRAMS, isWhole: true }
  const keys = new Set<number>()
  const clients: (typeof CLIENT_PROGRAMS)[number][] = []
  for (const word of only) {
    const api = apis.find(({ key, name }) => String(key) === word || name === word)
    const client = CLIENT_PROGRAMS.find(({ name }) => name === word)
    if (api !== undefined) keys.add(api.key)
    else if (client !== undefined) clients.push(client)
    else {
      const names = [...apis, ...CLIENT_PROGRAMS].map(({ name }) => name)
      program.error(
        `error: no API key and no client is called '${word}'${didYouMean(word, names)}`,
        {
          exitCode: 2,
        },
      )
    }
  }
  return { keys, clients, isWhole: false }
}

/** On a terminal only; elsewhere the result is what counts. */
function showProgress(done: number, of: number, what: string): void {
  if (!process.stdout.isTTY) return
  const filled = Math.round((done / of) * BAR_COLUMNS)
  logUpdate(`[${'#'.repeat(filled)}${'.'.repeat(BAR_COLUMNS - filled)}] ${done}/${of} ${what}`)
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('expected a whole number')
  return Number(text)
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1))
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`conformance: ${messageOf(error)}\n`)
  process.exitCode = 1
}
