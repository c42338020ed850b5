import { OptionError } from '../tool-errors.ts'

/** What an option takes. `shown` describes it in the help. */
export interface OptionArgument {
  readonly kind: 'required' | 'optional'
  readonly type: 'String' | 'Integer' | 'Long'
  readonly shown: string
  readonly defaultValue?: string
  /** One argument holds several values, with this between them. */
  readonly separator?: string
}

export interface OptionSpec {
  readonly name: string
  readonly description: string
  readonly argument?: OptionArgument
}

const INT_RANGE = 0x8000_0000n
const LONG_RANGE = 0x8000_0000_0000_0000n

/** A switch without an argument. */
export function flag(name: string, description: string): OptionSpec {
  return { name, description }
}

/** An option with an argument that must be there. */
export function option(
  name: string,
  description: string,
  shown: string,
  more: Partial<OptionArgument> = {},
): OptionSpec {
  return { name, description, argument: { kind: 'required', type: 'String', shown, ...more } }
}

/** The options of one command line. Values are converted when they are asked for, as the parser of Kafka's tools does. */
export class ParsedOptions {
  readonly #specs: ReadonlyMap<string, OptionSpec>
  readonly #values = new Map<string, string[]>()
  /** Names in the order of the command line, each as often as it was given. */
  readonly given: string[] = []

  constructor(specs: ReadonlyMap<string, OptionSpec>) {
    this.#specs = specs
  }

  add(name: string, value: string | null): void {
    this.given.push(name)
    const values = this.#values.get(name) ?? []
    this.#values.set(name, values)
    if (value === null) return
    const separator = this.#specs.get(name)?.argument?.separator
    values.push(...(separator === undefined ? [value] : value.split(separator)))
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  values(name: string): readonly string[] {
    const given = this.#values.get(name)
    if (given !== undefined && given.length > 0) return given
    const { defaultValue } = this.#specs.get(name)?.argument ?? {}
    return defaultValue === undefined ? [] : [defaultValue]
  }

  /** Null when it was not given. Throws `OptionError` when it was given twice. */
  value(name: string): string | null {
    const values = this.values(name)
    if (values.length > 1) {
      throw new OptionError(
        `Found multiple arguments for option ${name}, but you asked for only one`,
      )
    }
    return values[0] ?? null
  }

  /** Throws `OptionError` when it is no whole number of its type. */
  number(name: string): number | null {
    const text = this.value(name)
    if (text === null) return null
    const range = this.#specs.get(name)?.argument?.type === 'Long' ? LONG_RANGE : INT_RANGE
    const number = /^[+-]?\d+$/.test(text) ? BigInt(text.replace('+', '')) : null
    if (number === null || number < -range || number >= range) {
      throw new OptionError(`Cannot parse argument '${text}' of option ${name}`)
    }
    return Number(number)
  }
}

/**
 * Parses a command line by the rules of Kafka's tools (jopt-simple without abbreviations): `--name value`,
 * `--name=value`, and `-name` too; what follows an option that needs an argument is its argument, even when it begins
 * with a dash; words that belong to no option are ignored. Throws `OptionError`.
 */
export function parseOptions(specs: readonly OptionSpec[], args: readonly string[]): ParsedOptions {
  const byName = new Map(specs.map((spec) => [spec.name, spec]))
  const parsed = new ParsedOptions(byName)
  const rest = [...args]
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') break
    if (!word.startsWith('-') || word === '-') continue
    const isLong = word.startsWith('--')
    const at = word.indexOf('=')
    const name = word.slice(isLong ? 2 : 1, at < 0 ? undefined : at)
    const spec = byName.get(name)
    // A single dash may stand before a group of one-letter options; there are none, so the first letter is to blame.
    if (spec === undefined) {
      throw new OptionError(`${isLong ? name : name.slice(0, 1)} is not a recognized option`)
    }
    parsed.add(name, argumentOf(spec, at < 0 ? null : word.slice(at + 1), rest))
  }
  return parsed
}

function argumentOf(spec: OptionSpec, given: string | null, rest: string[]): string | null {
  if (spec.argument === undefined) return null
  if (given !== null) return given
  const next = rest[0]
  if (spec.argument.kind === 'optional' && (next === undefined || next.startsWith('-'))) return null
  if (next === undefined) throw new OptionError(`Option ${spec.name} requires an argument`)
  rest.shift()
  return next
}
