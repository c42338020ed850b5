const LEVELS: readonly string[] = ['DEBUG', 'ERROR', 'FATAL', 'INFO', 'TRACE', 'WARN']
const ROOT = 'root'

/**
 * The loggers of a broker as Kafka's tools see them (KIP-412). This broker tells what it does by events, so there is
 * the root logger alone, whose level is kept for as long as the broker runs and filters nothing.
 */
export class BrokerLoggers {
  readonly #levels = new Map<string, string>([[ROOT, 'INFO']])

  /** Level by name. */
  get levels(): ReadonlyMap<string, string> {
    return this.#levels
  }

  /** Why the level cannot be set, in Kafka's words, or null. */
  problemWith(name: string, level: string): string | null {
    const unknown = this.problemWithName(name)
    if (unknown !== null || LEVELS.includes(level)) return unknown
    return (
      `Cannot set the log level of ${name} to ${level} as it is not a supported log level. ` +
      `Valid log levels are ${LEVELS.join(', ')}`
    )
  }

  problemWithName(name: string): string | null {
    return this.#levels.has(name) ? null : `Logger ${name} does not exist!`
  }

  /** Whether the logger has a level that others inherit, so that it cannot be without. */
  isRoot(name: string): boolean {
    return name === ROOT
  }

  set(name: string, level: string): void {
    this.#levels.set(name, level)
  }
}
