import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Uuid } from '../../base/uuid.ts'
import type { Properties, QuorumEndpoint } from '../../client/index.ts'
import { readProperties } from '../command-config.ts'
import { parseInteger, parseUuid } from '../java-values.ts'
import { ToolError } from '../tool-errors.ts'

const IS_VALID = 'Is this a valid controller configuration file?'

export interface NewController {
  readonly id: number
  readonly directoryId: Uuid
  readonly endpoints: readonly QuorumEndpoint[]
}

/** What `add-controller` reads from the server properties of the controller. Throws `ToolError`. */
export function controllerOf(properties: Properties): NewController {
  const idText = properties['node.id']
  if (idText === undefined) {
    throw new ToolError(`node.id not found in configuration file. ${IS_VALID}`)
  }
  const id = parseInteger(idText)
  if (id < 0) throw new ToolError(`node.id was negative in configuration file. ${IS_VALID}`)
  if (!(properties['process.roles'] ?? '').includes('controller')) {
    throw new ToolError(
      `process.roles did not contain 'controller' in configuration file. ${IS_VALID}`,
    )
  }
  const directoryId = directoryIdOf(metadataDirectoryOf(properties))
  return { id, directoryId, endpoints: endpointsOf(properties) }
}

function metadataDirectoryOf(properties: Properties): string {
  const own = properties['metadata.log.dir'] ?? properties['log.dirs']?.trim().split(',')[0]
  if (own !== undefined) return own
  throw new ToolError(`Neither metadata.log.dir nor log.dirs were found. ${IS_VALID}`)
}

function directoryIdOf(directory: string): Uuid {
  const file = join(directory, 'meta.properties')
  if (!existsSync(file)) {
    throw new ToolError(`Unable to read meta.properties from ${directory}`)
  }
  const text = readProperties(file)['directory.id']
  if (text === undefined) throw new ToolError(`No directory id found in ${directory}`)
  return parseUuid(text)
}

function endpointsOf(properties: Properties): readonly QuorumEndpoint[] {
  const listeners = new Map(
    [properties['listeners'] ?? '', properties['advertised.listeners'] ?? '']
      .flatMap(parseListeners)
      .map((endpoint) => [endpoint.name, endpoint]),
  )
  const names = properties['controller.listener.names']
  if (names === undefined) {
    throw new ToolError(`controller.listener.names was not found. ${IS_VALID}`)
  }
  return names.split(',').map((given) => {
    const name = given.trim().toUpperCase()
    const endpoint = listeners.get(name)
    if (endpoint !== undefined) return endpoint
    throw new ToolError(`Cannot find information about controller listener name: ${name}`)
  })
}

/** `NAME://host:port` entries; an empty host is this machine. */
function parseListeners(text: string): readonly QuorumEndpoint[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [whole, name = '', ipv6, host, port] =
        /^([^:]+):\/\/(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(entry) ?? []
      if (whole === undefined) throw new ToolError(`Unable to parse ${entry} to a broker endpoint`)
      const given = ipv6 ?? host ?? ''
      return {
        name: name.toUpperCase(),
        host: given === '' ? 'localhost' : given,
        port: Number(port),
      }
    })
}
