import {
  UnsupportedVersionError,
  type Admin,
  type EndpointDescription,
} from '../../client/index.ts'
import { connectionOf, runArgumentTool, textOf, withAdmin } from '../argument-tool.ts'
import { readProperties } from '../command-config.ts'
import { ToolCommand, type ToolIo } from '../kafka-tool.ts'
import {
  toolHelp,
  type ArgumentGroup,
  type ArgumentSpec,
  type ArgumentTool,
  type ParsedArguments,
} from '../options/argument-parser.ts'
import { named, ToolError } from '../tool-errors.ts'

const NODES: ArgumentGroup = {
  oneOf: [
    {
      names: ['--bootstrap-server', '-b'],
      description: 'host:port of one or more brokers.',
      type: 'String',
    },
    {
      names: ['--bootstrap-controller', '-C'],
      description: 'host:port of one or more controllers.',
      type: 'String',
    },
  ],
  options: [
    {
      names: ['--config'],
      description: 'DEPRECATED: --command-config under its old name.',
      type: 'String',
    },
    {
      names: ['--command-config', '-c'],
      description: 'A properties file for the admin client.',
      type: 'String',
    },
  ],
}
const BROKER_ID: ArgumentSpec = {
  names: ['--id', '-i'],
  description: 'The broker.',
  type: 'Integer',
  isRequired: true,
}
const INCLUDE_FENCED: ArgumentSpec = {
  names: ['--include-fenced-brokers'],
  description: 'List fenced brokers too.',
}

/** kafka-cluster.sh. */
export const CLUSTER_TOOL: ArgumentTool = {
  name: 'cluster',
  about: 'The Kafka cluster tool.',
  oneOf: [],
  options: [],
  subcommands: [
    { name: 'cluster-id', description: 'Show the id of the cluster.', ...NODES },
    {
      name: 'unregister',
      description: 'Remove the registration of a broker that will not come back.',
      ...NODES,
      options: [...NODES.options, BROKER_ID],
    },
    {
      name: 'list-endpoints',
      description: 'List the nodes with their addresses.',
      ...NODES,
      options: [...NODES.options, INCLUDE_FENCED],
    },
  ],
}

/** `kafkette cluster`. */
export function clusterCommand(): ToolCommand {
  const summary = "Show a cluster's id and nodes, unregister a broker (kafka-cluster.sh)."
  const words = CLUSTER_TOOL.subcommands.map(({ name }) => name)
  return new ToolCommand('cluster', summary, words, runCluster, () => toolHelp(CLUSTER_TOOL))
}

/** Gives the exit code. */
export function runCluster(args: readonly string[], io: ToolIo): Promise<number> {
  return runArgumentTool(CLUSTER_TOOL, args, io, (parsed) => run(parsed, io), 1)
}

async function run(parsed: ParsedArguments, io: ToolIo): Promise<void> {
  const file = configFile(parsed, io)
  const connection = connectionOf(parsed, file === null ? {} : readProperties(file))
  const { command, values } = parsed
  const includeFenced = values.has('include-fenced-brokers')
  if (includeFenced && connection.to === 'controllers') {
    throw new ToolError(
      'The option --include-fenced-brokers is only supported with --bootstrap-server option',
    )
  }
  await withAdmin(connection, async (admin) => {
    const isController = connection.to === 'controllers'
    if (command === 'unregister') {
      await unregister(admin, Number(textOf(values, 'id')), io)
      return
    }
    const { clusterId, endpoints } = await named(
      'listNodes',
      isController ? admin.cluster.controllers() : admin.cluster.brokers({ includeFenced }),
    )
    if (command === 'cluster-id') io.out(`Cluster ID: ${clusterId}`)
    else for (const line of endpointTable(endpoints, isController)) io.out(line)
  })
}

function configFile({ values }: ParsedArguments, io: ToolIo): string | null {
  const old = textOf(values, 'config')
  const file = textOf(values, 'command-config')
  if (old !== null && file !== null) {
    throw new ToolError('--config and --command-config cannot be specified together.')
  }
  if (old !== null) {
    io.out(
      'Option --config has been deprecated and will be removed in a future version. ' +
        'Use --command-config instead.',
    )
  }
  return file ?? old
}

async function unregister(admin: Admin, id: number, io: ToolIo): Promise<void> {
  try {
    await named('unregisterBroker', admin.cluster.unregister(id))
    io.out(`Broker ${id} is no longer registered.`)
  } catch (error) {
    if (!(error instanceof UnsupportedVersionError)) throw error
    io.out('The target cluster does not support the broker unregistration API.')
  }
}

const COLUMN = 10
const LAST_COLUMN = 15

/** The lines of `list-endpoints`; controllers are never fenced, so they have no column for it. */
export function endpointTable(
  endpoints: readonly EndpointDescription[],
  isController: boolean,
): readonly string[] {
  const widest = (texts: readonly string[], otherwise: number): number =>
    texts.length === 0 ? otherwise : Math.max(...texts.map(({ length }) => length))
  const hostWidth = widest(
    endpoints.map(({ host }) => host),
    100,
  )
  const rackWidth = widest(
    endpoints.flatMap(({ rack }) => rack ?? []),
    COLUMN,
  )
  const line = (
    id: string,
    host: string,
    port: string,
    rack: string,
    state: string,
    type: string,
  ): string =>
    [
      id.padEnd(COLUMN),
      host.padEnd(hostWidth),
      port.padEnd(COLUMN),
      rack.padEnd(rackWidth),
      ...(isController ? [] : [state.padEnd(COLUMN)]),
      type.padEnd(LAST_COLUMN),
    ].join(' ')
  const type = isController ? 'controller' : 'broker'
  return [
    line('ID', 'HOST', 'PORT', 'RACK', 'STATE', 'ENDPOINT_TYPE'),
    ...endpoints.map(({ id, host, port, rack, isFenced }) =>
      line(`${id}`, host, `${port}`, rack ?? 'null', isFenced ? 'fenced' : 'unfenced', type),
    ),
  ]
}
