import type { Admin } from '../../client/index.ts'
import { readProperties } from '../command-config.ts'
import { toolCommand, type KafkaTool, type ToolCommand, type ToolIo } from '../kafka-tool.ts'
import type { ParsedOptions } from '../options/option-parser.ts'
import {
  cancelReassignment,
  executeReassignment,
  listReassignments,
  proposeReassignment,
  verifyReassignment,
} from '../reassign/reassign-actions.ts'
import { checkReassignOptions, REASSIGN_OPTIONS } from '../reassign/reassign-options.ts'
import type { Connection } from '../tool-admin.ts'
import { executionMessage, OptionError, ToolError } from '../tool-errors.ts'

/** kafka-reassign-partitions.sh. */
export const reassignPartitionsTool: KafkaTool = {
  name: 'reassign-partitions',
  summary: 'Move replicas between brokers and directories (kafka-reassign-partitions.sh).',
  about: 'This tool helps to move topic partitions between replicas.',
  options: REASSIGN_OPTIONS,
  check: checkReassignOptions,
  connection,
  run,
  // Kafka's tool tells a wrong option on standard error, and everything else on standard output.
  report: (error, phase, io) => {
    const isTerse = error instanceof ToolError && error.javaClass.endsWith('TerseException')
    if (phase === 'options' && error instanceof OptionError) io.err(error.message)
    else if (isTerse) io.out(error.message)
    else io.out(`Error: ${executionMessage(error)}`)
  },
}

/** `kafkette reassign-partitions`. */
export function reassignPartitionsCommand(): ToolCommand {
  return toolCommand(reassignPartitionsTool)
}

function connection(options: ParsedOptions): Connection {
  const file = options.value('command-config')
  const properties = file === null ? {} : readProperties(file)
  return options.has('bootstrap-controller')
    ? { to: 'controllers', servers: options.value('bootstrap-controller') ?? '', properties }
    : { to: 'brokers', servers: options.value('bootstrap-server') ?? '', properties }
}

async function run(admin: Admin, options: ParsedOptions, io: ToolIo): Promise<void> {
  if (options.has('verify')) await verifyReassignment(admin, options, io)
  else if (options.has('generate')) await proposeReassignment(admin, options, io)
  else if (options.has('execute')) await executeReassignment(admin, options, io)
  else if (options.has('cancel')) await cancelReassignment(admin, options, io)
  else await listReassignments(admin, io)
}
