import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ConfigError } from '../../base/errors.ts'
import { swarmText, type Swarm } from '../swarm/swarm-profile.ts'
import type { SeedOutcome } from './seed-outcome.ts'

const FILE = 'seeds.jsonl'

/** What a state file is about; its first line. Results of another code are no results of this one. */
export interface CampaignHeader extends Swarm {
  readonly commit: string
}

/** The outcomes of a campaign on disk, one JSON line each, written as seeds finish. */
export class CampaignState {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /** Begins anew in this folder. */
  static create(folder: string, header: CampaignHeader): CampaignState {
    const state = new CampaignState(join(folder, FILE))
    mkdirSync(dirname(state.path), { recursive: true })
    writeFileSync(state.path, `${JSON.stringify(header)}\n`)
    return state
  }

  /** Goes on with what is there. Throws `ConfigError` when that is another campaign's. */
  static resume(
    folder: string,
    header: CampaignHeader,
  ): { readonly state: CampaignState; readonly done: readonly SeedOutcome[] } {
    const state = new CampaignState(join(folder, FILE))
    if (!existsSync(state.path)) return { state: CampaignState.create(folder, header), done: [] }
    const [first, ...rest] = jsonLines(readFileSync(state.path, 'utf8'))
    const found = first as CampaignHeader | undefined
    const what = found === undefined ? 'nothing' : whatOf(found)
    if (what !== whatOf(header)) {
      throw new ConfigError(
        `${state.path} holds ${what}, not ${whatOf(header)}: leave out --resume to begin anew`,
      )
    }
    const done = rest as readonly SeedOutcome[]
    // A line that was cut by the end of the process must not be continued by the next one.
    const lines = [found, ...done].map((value) => `${JSON.stringify(value)}\n`)
    writeFileSync(state.path, lines.join(''))
    return { state, done }
  }

  add(outcome: SeedOutcome): void {
    appendFileSync(this.path, `${JSON.stringify(outcome)}\n`)
  }
}

function whatOf(header: CampaignHeader): string {
  return `${swarmText(header)} of commit ${header.commit}`
}

/** The values of the lines, up to the first that is none. */
function jsonLines(text: string): readonly unknown[] {
  const values: unknown[] = []
  for (const line of text.split('\n')) {
    if (line === '') continue
    try {
      values.push(JSON.parse(line))
    } catch {
      return values
    }
  }
  return values
}
