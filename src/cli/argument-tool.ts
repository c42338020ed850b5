import { KafketteError } from '../base/errors.ts'
import { explain, type ToolIo } from './kafka-tool.ts'
import {
  ArgumentError,
  HelpWanted,
  parseArguments,
  type ArgumentTool,
  type ParsedArguments,
} from './options/argument-parser.ts'
import { openAdmin, useAdmin, type Connection } from './tool-admin.ts'
import type { Admin } from '../client/index.ts'
import { executionMessage } from './tool-errors.ts'

const FAILED = 1

/**
 * Carries out one command line of a tool with subcommands. `helpCode`: kafka-cluster.sh ends with 1 after its help, as
 * it does after a mistake.
 */
export async function runArgumentTool(
  tool: ArgumentTool,
  args: readonly string[],
  io: ToolIo,
  action: (parsed: ParsedArguments) => Promise<void>,
  helpCode: 0 | 1,
): Promise<number> {
  try {
    await action(parseArguments(tool, args))
    return 0
  } catch (error) {
    if (error instanceof HelpWanted) {
      io.out(error.message)
      return helpCode
    }
    if (!(error instanceof KafketteError)) throw error
    if (error instanceof ArgumentError) {
      io.err(error.usage)
      io.err(`kafkette ${tool.name}: error: ${error.message}`)
    } else {
      io.err(executionMessage(error))
      explain(error, io)
    }
    return FAILED
  }
}

/** The nodes that `--bootstrap-server` or `--bootstrap-controller` names. */
export function connectionOf(
  { values }: ParsedArguments,
  properties: Connection['properties'],
): Connection {
  const servers = textOf(values, 'bootstrap-server')
  const controllers = textOf(values, 'bootstrap-controller')
  return controllers === null
    ? { to: 'brokers', servers: servers ?? '', properties }
    : { to: 'controllers', servers: controllers, properties }
}

/** The value of an option, null when it was not given. */
export function textOf(values: ParsedArguments['values'], name: string): string | null {
  const value = values.get(name)
  return typeof value === 'string' ? value : null
}

/** An admin client for one action. */
export async function withAdmin(
  connection: Connection,
  action: (admin: Admin) => Promise<void>,
): Promise<void> {
  const admin = await openAdmin(connection)
  await useAdmin(admin, connection, action)
}
