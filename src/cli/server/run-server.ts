import { KafketteError, messageOf } from '../../base/errors.ts'
import type { NodeEvent } from '../../ports/events.ts'
import { colors } from '../../real/colors.ts'
import { readPropertiesFile } from '../../real/properties-file.ts'
import type { ServerNode } from '../../fixture/server-node.ts'
import { shownEvent } from '../shown-event.ts'
import { untilAskedToStop } from '../until-asked-to-stop.ts'

const FAILED = 1

export interface RunServerOptions {
  readonly file: string
  /** `property=value`, the later one counts. */
  readonly overrides: readonly string[]
  readonly isJson: boolean
}

/** Runs until a signal or its death, which end the process; gives the exit code when it could not start. */
export async function runServer(options: RunServerOptions): Promise<number> {
  const stop = untilAskedToStop({ endsWithStdin: false })
  process.on('uncaughtException', (error) => {
    process.stderr.write(`${error.stack ?? error.message}\n`)
    process.exit(FAILED)
  })
  const startedMs = performance.now()
  let server: ServerNode
  try {
    server = await startServer(options)
  } catch (error) {
    stop.release()
    explain(error)
    return FAILED
  }
  const death = server.died.then((error) => {
    explain(error)
    process.exit(FAILED)
  })
  const isUp = await Promise.race([up(server), stop.asked.then(() => false), death])
  if (isUp) process.stdout.write(readyText(server, options.isJson, performance.now() - startedMs))
  const reason = await Promise.race([stop.asked, death])
  say(options, colors.dim(`stopping (${reason}) ...`))
  await server.stop()
  say(options, 'stopped')
  // Connections of peers that hold on would keep the process.
  process.exit(0)
}

/** False: what kept it from coming up is told by its death. */
async function up(server: ServerNode): Promise<boolean> {
  try {
    await server.ready
    return true
  } catch {
    return false
  }
}

async function startServer(options: RunServerOptions): Promise<ServerNode> {
  const properties: Record<string, string> = { ...readPropertiesFile(options.file) }
  for (const entry of options.overrides) {
    const at = entry.indexOf('=')
    properties[entry.slice(0, at).trim()] = entry.slice(at + 1).trim()
  }
  // Loaded only now: a mistake on the command line and --help answer at once.
  const { ServerNode: Server, unknownSettings } = await import('../../fixture/server-node.ts')
  for (const { name, nearest } of unknownSettings(properties)) {
    const hint = nearest === null ? '' : ` (did you mean "${nearest}"?)`
    warn(`unknown setting "${name}"${hint}`)
  }
  if ((properties['authorizer.class.name'] ?? '') !== '') {
    warn('authorizer.class.name is not served: everybody may do everything')
  }
  return new Server({ properties, onEvent: tell })
}

function readyText(server: ServerNode, isJson: boolean, startMs: number): string {
  const { nodeId, clusterId, directory, plan } = server
  const roles = [
    ...(plan.roles.isBroker ? ['broker'] : []),
    ...(plan.roles.isController ? ['controller'] : []),
  ]
  const advertised = [...plan.advertised].map(([name, { host, port }]) => ({ name, host, port }))
  const bootstrap = advertised.map(({ host, port }) => `${host}:${port}`)
  if (isJson) {
    const { brokers, controllers } = plan
    return `${JSON.stringify({
      nodeId,
      clusterId,
      roles,
      pid: process.pid,
      bootstrapServers: bootstrap[0] ?? '',
      listeners: [...brokers, ...controllers],
      advertisedListeners: advertised,
      logDir: directory,
    })}\n`
  }
  const rows = [...plan.brokers, ...plan.controllers].map(
    ({ name, host, port }) => `  ${name}://${host}:${port}`,
  )
  return [
    `${colors.green('ready')}  node ${nodeId} (${roles.join(', ')}) of cluster ${clusterId} in ${Math.round(startMs)} ms`,
    ...rows,
    `  data in ${directory}`,
    '',
  ].join('\n')
}

/** What an operator wants to know goes to standard error, a line each. */
function tell(event: NodeEvent): void {
  const line = shownEvent(event)
  if (line !== null) warn(line)
}

function warn(text: string): void {
  process.stderr.write(`${colors.yellow('warning')}: ${text}\n`)
}

function say({ isJson }: RunServerOptions, line: string): void {
  if (!isJson) process.stdout.write(`${line}\n`)
}

/** One line for the user's mistakes and the world's; a stack only for our own. */
function explain(error: unknown): void {
  const isExpected = error instanceof KafketteError
  const text = isExpected || !(error instanceof Error) ? messageOf(error) : (error.stack ?? '')
  process.stderr.write(`${colors.red('error')}: ${text}\n`)
}
