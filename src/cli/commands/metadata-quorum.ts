import { existsSync } from 'node:fs'
import type { Admin, Properties } from '../../client/index.ts'
import { connectionOf, runArgumentTool, textOf, withAdmin } from '../argument-tool.ts'
import { readProperties } from '../command-config.ts'
import { parseUuid } from '../java-values.ts'
import { ToolCommand, type ToolIo } from '../kafka-tool.ts'
import {
  toolHelp,
  type ArgumentSpec,
  type ArgumentTool,
  type ParsedArguments,
} from '../options/argument-parser.ts'
import { controllerOf } from '../quorum/controller-file.ts'
import { endpointText, quorumReplication, quorumStatus } from '../quorum/quorum-text.ts'
import { named, ToolError } from '../tool-errors.ts'

const DRY_RUN: ArgumentSpec = {
  names: ['--dry-run'],
  description: 'Show what would be done, and do not do it.',
}

/** kafka-metadata-quorum.sh. */
export const METADATA_QUORUM_TOOL: ArgumentTool = {
  name: 'metadata-quorum',
  about: 'This tool describes kraft metadata quorum status.',
  oneOf: [
    {
      names: ['--bootstrap-server'],
      description: 'host:port of one or more brokers.',
      type: 'String',
    },
    {
      names: ['--bootstrap-controller'],
      description: 'host:port of one or more controllers.',
      type: 'String',
    },
  ],
  options: [
    {
      names: ['--command-config'],
      description:
        'A properties file for the admin client; for add-controller that of the controller itself.',
      type: 'String',
    },
  ],
  subcommands: [
    {
      name: 'describe',
      description: 'Show the quorum.',
      oneOf: [],
      options: [
        { names: ['--status'], description: 'Leader, epoch, greatest lag, voters and observers.' },
        { names: ['--replication'], description: 'How far every replica is.' },
        { names: ['--human-readable'], description: 'Times as how long ago.' },
      ],
    },
    {
      name: 'add-controller',
      description: 'Make a controller a voter.',
      oneOf: [],
      options: [DRY_RUN],
    },
    {
      name: 'remove-controller',
      description: 'Take the vote from a controller.',
      oneOf: [],
      options: [
        {
          names: ['--controller-id', '-i'],
          description: 'The id of the controller.',
          type: 'Integer',
          isRequired: true,
        },
        {
          names: ['--controller-directory-id', '-d'],
          description: 'The id of its metadata directory.',
          type: 'String',
          isRequired: true,
        },
        DRY_RUN,
      ],
    },
  ],
}

/** `kafkette metadata-quorum`. */
export function metadataQuorumCommand(): ToolCommand {
  const summary = 'Describe the metadata quorum, add and remove voters (kafka-metadata-quorum.sh).'
  const words = METADATA_QUORUM_TOOL.subcommands.map(({ name }) => name)
  return new ToolCommand('metadata-quorum', summary, words, runMetadataQuorum, () =>
    toolHelp(METADATA_QUORUM_TOOL),
  )
}

/** Gives the exit code. */
export function runMetadataQuorum(args: readonly string[], io: ToolIo): Promise<number> {
  return runArgumentTool(METADATA_QUORUM_TOOL, args, io, (parsed) => run(parsed, io), 0)
}

async function run(parsed: ParsedArguments, io: ToolIo): Promise<void> {
  const file = textOf(parsed.values, 'command-config')
  if (file !== null && !existsSync(file)) {
    throw new ToolError(`Properties file ${file} does not exists!`)
  }
  const properties = file === null ? null : readProperties(file)
  const connection = connectionOf(parsed, properties ?? {})
  const action = actionOf(parsed, properties, io)
  await withAdmin(connection, action)
}

type Action = (admin: Admin) => Promise<void>

/** Throws `ToolError` for what can be refused without asking anybody. */
function actionOf(parsed: ParsedArguments, properties: Properties | null, io: ToolIo): Action {
  if (parsed.command === 'describe') return describeAction(parsed, io)
  if (parsed.command === 'remove-controller') return removeAction(parsed, io)
  if (properties !== null) return addAction(parsed, properties, io)
  throw new ToolError(
    'You must supply the configuration file of the controller you are adding when using add-controller.',
  )
}

function describeAction({ values }: ParsedArguments, io: ToolIo): Action {
  const isStatus = values.has('status')
  const isReplication = values.has('replication')
  const isHuman = values.has('human-readable')
  if (isStatus && isReplication) {
    throw new ToolError(
      'Only one of --status or --replication should be specified with describe sub-command',
    )
  }
  if (!isStatus && !isReplication) {
    throw new ToolError(
      'One of --status or --replication must be specified with describe sub-command',
    )
  }
  if (isStatus && isHuman) {
    throw new ToolError('The option --human-readable is only supported along with --replication')
  }
  return async (admin) => {
    const { clusterId } = isStatus
      ? await named(
          'listNodes',
          values.has('bootstrap-controller')
            ? admin.cluster.controllers()
            : admin.cluster.brokers(),
        )
      : { clusterId: '' }
    const quorum = await named('describeMetadataQuorum', admin.quorum.describe())
    const lines = isStatus
      ? quorumStatus(clusterId, quorum)
      : quorumReplication(quorum, isHuman ? Date.now() : null)
    for (const line of lines) io.out(line)
  }
}

function addAction({ values }: ParsedArguments, properties: Properties, io: ToolIo): Action {
  const { id, directoryId, endpoints } = controllerOf(properties)
  const isDry = values.has('dry-run')
  return async (admin) => {
    if (!isDry) await named('addRaftVoter', admin.quorum.addVoter(id, directoryId, endpoints))
    const listeners = endpoints.map(({ name, host, port }) => endpointText(name, host, port))
    io.out(
      `${isDry ? 'DRY RUN of adding' : 'Added'} controller ${id} with directory id ${directoryId} ` +
        `and endpoints: ${listeners.join(', ')}`,
    )
  }
}

function removeAction({ values }: ParsedArguments, io: ToolIo): Action {
  const id = Number(textOf(values, 'controller-id'))
  if (id < 0) throw new ToolError(`Invalid negative --controller-id: ${id}`)
  const directoryId = directoryIdOf(textOf(values, 'controller-directory-id') ?? '')
  const isDry = values.has('dry-run')
  return async (admin) => {
    if (!isDry) await named('removeRaftVoter', admin.quorum.removeVoter(id, directoryId))
    // Two spaces: Kafka's tool prints them.
    const done = isDry ? 'DRY RUN of removing ' : 'Removed '
    io.out(`${done} KRaft controller ${id} with directory id ${directoryId}`)
  }
}

function directoryIdOf(text: string): string {
  try {
    return parseUuid(text)
  } catch (error) {
    if (!(error instanceof ToolError)) throw error
    throw new ToolError(`Failed to parse --controller-directory-id: ${error.message}`)
  }
}
