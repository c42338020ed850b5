import { readProperties } from '../command-config.ts'
import type { ParsedOptions } from '../options/option-parser.ts'
import { ToolError } from '../tool-errors.ts'

/** What stands between entries or around `=`, but not inside square brackets. */
const OUTSIDE_BRACKETS = '(?=[^\\]]*(?:\\[|$))'
const COMMA = new RegExp(`,${OUTSIDE_BRACKETS}`)
const EQUALS = new RegExp(`\\s*=\\s*${OUTSIDE_BRACKETS}`)

/** The settings of `--add-config` or `--add-config-file` by name. Throws `ToolError`. */
export function configsToAdd(options: ParsedOptions): ReadonlyMap<string, string> {
  const file = options.value('add-config-file')
  const text = options.value('add-config')
  const added = new Map(file === null ? [] : Object.entries(readProperties(file)))
  for (const [name, value] of text === null ? [] : parseConfigs(text)) added.set(name, value)
  for (const name of added.keys()) {
    if (!/^[a-zA-Z0-9._-]*$/.test(name)) {
      throw new ToolError(`Invalid character found for config key: ${name}`)
    }
  }
  return added
}

/** The names of `--delete-config`. */
export function configsToDelete(options: ParsedOptions): readonly string[] {
  return options.values('delete-config').map((name) => name.trim())
}

/** `k1=v1,k2=[v1,v2],k3=v3`. Throws `ToolError`. */
export function parseConfigs(text: string): readonly (readonly [name: string, value: string])[] {
  const entries = text.split(COMMA)
  while (entries.at(-1) === '') entries.pop()
  return entries.map((entry) => {
    const [name, value, ...more] = entry.split(EQUALS)
    if (name === undefined || value === undefined || more.length > 0) {
      throw new ToolError(
        'requirement failed: Invalid entity config: all configs to be added must be in the format "key=val" or  ' +
          '"key=[val1,val2]" to group values which contain commas.',
      )
    }
    return [name.trim(), value.replaceAll(/[[\]]/g, '').trim()]
  })
}
