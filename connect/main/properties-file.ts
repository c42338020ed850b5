import { readFileSync } from 'node:fs'
import { ConfigError, messageOf } from '../../src/base/errors.ts'
import { parsePropertiesText, propertiesTextOf } from '../../src/base/properties-text.ts'
import type { Properties } from '../api.ts'

/** Of Kafka's states at creation, the one that this worker knows. */
const RUNNING = 'RUNNING'

/** Reads a Java properties file. Throws `ConfigError` naming the file. */
export function readPropertiesFile(path: string): Properties {
  return parsePropertiesText(textOf(path))
}

/**
 * Reads a connector's file in one of the forms that Kafka takes: a JSON object of settings, a JSON request as for the
 * REST API (`name`, `config`, `initial_state`), or properties. Throws `ConfigError` naming the file.
 */
export function readConnectorFile(path: string): Properties {
  const text = textOf(path)
  if (!text.trimStart().startsWith('{')) return parsePropertiesText(text)
  try {
    return settingsOf(JSON.parse(text) as object)
  } catch (error) {
    throw new ConfigError(`${path}: ${messageOf(error)}`)
  }
}

function textOf(path: string): string {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw new ConfigError(`cannot read ${path}: ${messageOf(error)}`)
  }
  return propertiesTextOf(bytes)
}

function settingsOf(json: object): Properties {
  const { name, config, initial_state: state } = json as Readonly<Record<string, unknown>>
  if (typeof config !== 'object' || config === null) return texts(json)
  const settings = texts(config)
  if (typeof state === 'string' && state !== RUNNING) {
    throw new ConfigError(`initial_state is "${state}", but this version knows only ${RUNNING}`)
  }
  if (typeof name !== 'string') throw new ConfigError('"name" is missing beside "config"')
  if ((settings.name ?? name) !== name) {
    throw new ConfigError(`"name" is "${name}", but its config has the name "${settings.name}"`)
  }
  return { ...settings, name }
}

function texts(json: object): Properties {
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => {
      if (typeof value === 'string') return [name, value]
      if (typeof value === 'number' || typeof value === 'boolean') return [name, String(value)]
      throw new ConfigError(`the setting "${name}" is ${typeof value}, expected a text`)
    }),
  )
}
