import { readFileSync } from 'node:fs'
import { ConfigError, messageOf } from '../base/errors.ts'
import { parsePropertiesText, propertiesTextOf } from '../base/properties-text.ts'

/** Reads a Java properties file. Throws `ConfigError` naming the file. */
export function readPropertiesFile(path: string): Readonly<Record<string, string>> {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw new ConfigError(`cannot read ${path}: ${messageOf(error)}`)
  }
  return parsePropertiesText(propertiesTextOf(bytes))
}
