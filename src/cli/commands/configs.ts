import type { Admin } from '../../client/index.ts'
import { readProperties } from '../command-config.ts'
import { alterConfigs } from '../configs/alter-configs.ts'
import { checkConfigOptions, CONFIG_OPTIONS } from '../configs/config-options.ts'
import { describeResources } from '../configs/describe-configs.ts'
import { entityNames, entityTypes } from '../configs/entities.ts'
import { describeQuotas } from '../configs/quota-entities.ts'
import { describeScram } from '../configs/scram.ts'
import { toolCommand, type KafkaTool, type ToolCommand, type ToolIo } from '../kafka-tool.ts'
import type { ParsedOptions } from '../options/option-parser.ts'
import type { Connection } from '../tool-admin.ts'
import { causeText, isFromCluster, ToolError } from '../tool-errors.ts'

/** Errors of these classes are told with the command line, the others by their message alone. */
const UNEXPECTED = /^(?:java\.nio|java\.io|org\.apache\.kafka\.common\.KafkaException)/

/** kafka-configs.sh. */
export const configsTool: KafkaTool = {
  name: 'configs',
  summary: 'Describe and alter settings, quotas and SCRAM credentials (kafka-configs.sh).',
  about:
    'This tool helps to manipulate and describe entity config for a topic, client, user, broker, ip, ' +
    'client-metrics or group',
  options: CONFIG_OPTIONS,
  check: checkConfigOptions,
  connection,
  run,
  report,
}

/** `kafkette configs`. */
export function configsCommand(): ToolCommand {
  return toolCommand(configsTool)
}

function connection(options: ParsedOptions): Connection {
  const file = options.value('command-config')
  const properties = file === null ? {} : readProperties(file)
  const controllers = options.value('bootstrap-controller')
  return controllers === null
    ? { to: 'brokers', servers: options.value('bootstrap-server') ?? '', properties }
    : { to: 'controllers', servers: controllers, properties }
}

async function run(admin: Admin, options: ParsedOptions, io: ToolIo): Promise<void> {
  if (options.has('alter')) {
    await alterConfigs(admin, options, io)
    return
  }
  const types = entityTypes(options)
  const names = entityNames(options)
  const [type = ''] = types
  if (type === 'ips') await describeQuotas(admin, types, names, io)
  else if (type === 'users' || type === 'clients') {
    await describeQuotas(admin, types, names, io)
    // Credentials belong to users, and to no default.
    if (!types.includes('clients') && !names.includes('')) await describeScram(admin, names, io)
  } else {
    const isController = options.has('bootstrap-controller')
    const scope = { admin, isController, isAll: options.has('all') }
    await describeResources(scope, type, names[0] ?? null, io)
  }
}

function report(error: Error, _phase: unknown, io: ToolIo, args: readonly string[]): void {
  const cause = isFromCluster(error)
    ? `java.util.concurrent.ExecutionException: ${causeText(error)}`
    : error instanceof ToolError && UNEXPECTED.test(error.javaClass)
      ? `${error.javaClass}: ${error.message}`
      : null
  if (cause === null) return io.err(error.message)
  io.err(`Error while executing config command with args '${args.join(' ')}'`)
  io.err(cause)
}
