import { readFileSync } from 'node:fs'
import { KafketteError } from '../../src/base/errors.ts'
import { isInVersions } from '../../src/wire/field-default.ts'
import type { Difference } from './differences.ts'

const FILE = new URL('tolerated.json', import.meta.url)

/** A difference that was looked at and stays, with the reason. What is left out fits everything. */
export interface Tolerated {
  readonly api: string
  /** A range of Kafka's: `0+`, `2-4`. */
  readonly versions: string
  /** A regular expression on the path; `^` and `$` are added. */
  readonly path: string
  /** A regular expression that is found in the name of the case. */
  readonly case?: string
  /** A regular expression that is found in the JSON of Kafka's value. */
  readonly kafka?: string
  readonly ours?: string
  readonly reason: string
  /** A fault of ours that is known and not repaired yet: no reason to fail, but not equal either. */
  readonly isOpen?: true
}

/** The reviewed list, and which entries of it were needed. */
export class ToleratedList {
  readonly entries: readonly Tolerated[]
  readonly #used = new Set<Tolerated>()

  constructor(entries: readonly Tolerated[]) {
    this.entries = entries
  }

  /** Throws `KafketteError` for an entry without a reason or with a pattern that is none. */
  static read(): ToleratedList {
    const entries = JSON.parse(readFileSync(FILE, 'utf8')) as readonly Tolerated[]
    for (const entry of entries) {
      const { path, case: name, kafka, ours, reason } = entry
      if ((reason ?? '').trim() === '') {
        throw new KafketteError('TOLERATED', `an entry of ${entry.api} has no reason`)
      }
      for (const pattern of [path, name, kafka, ours]) RegExp(pattern ?? '')
    }
    return new ToleratedList(entries)
  }

  find(api: string, version: number, name: string, difference: Difference): Tolerated | null {
    const found = this.entries.find((entry) => fits(entry, api, version, name, difference))
    if (found !== undefined) this.#used.add(found)
    return found ?? null
  }

  unused(): readonly Tolerated[] {
    return this.entries.filter((entry) => !this.#used.has(entry))
  }
}

function fits(
  entry: Tolerated,
  api: string,
  version: number,
  name: string,
  { path, kafka, ours }: Difference,
): boolean {
  return (
    entry.api === api &&
    isInVersions(entry.versions, version) &&
    new RegExp(`^(?:${entry.path})$`).test(path) &&
    new RegExp(entry.case ?? '').test(name) &&
    new RegExp(entry.kafka ?? '').test(JSON.stringify(kafka) ?? '') &&
    new RegExp(entry.ours ?? '').test(JSON.stringify(ours) ?? '')
  )
}
