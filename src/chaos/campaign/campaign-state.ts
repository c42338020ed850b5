import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { ConfigError } from '../../base/errors.ts'
import { swarmText, type Swarm } from '../swarm/swarm-profile.ts'
import type { SeedOutcome } from './seed-outcome.ts'

const FILE = 'seeds.jsonl'
const CHUNK_BYTES = 1_048_576
const NEWLINE = 0x0a

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
    const lines = jsonLines(state.path)
    const found = lines.next().value as CampaignHeader | undefined
    const what = found === undefined ? 'nothing' : whatOf(found)
    if (what !== whatOf(header)) {
      throw new ConfigError(
        `${state.path} holds ${what}, not ${whatOf(header)}: leave out --resume to begin anew`,
      )
    }
    const done = [...lines] as readonly SeedOutcome[]
    // A line that was cut by the end of the process must not be continued by the next one.
    const whole = `${state.path}.tmp`
    writeFileSync(whole, '')
    for (const value of [found, ...done]) appendFileSync(whole, `${JSON.stringify(value)}\n`)
    renameSync(whole, state.path)
    return { state, done }
  }

  add(outcome: SeedOutcome): void {
    appendFileSync(this.path, `${JSON.stringify(outcome)}\n`)
  }
}

function whatOf(header: CampaignHeader): string {
  return `${swarmText(header)} of commit ${header.commit}`
}

/** The values of the lines, up to the first that is none. A hundred thousand seeds are more than one string can hold. */
function* jsonLines(path: string): Generator<unknown, undefined> {
  const file = openSync(path, 'r')
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES)
    let rest: Buffer = Buffer.alloc(0)
    for (let length = readSync(file, chunk); length > 0; length = readSync(file, chunk)) {
      let bytes = Buffer.concat([rest, chunk.subarray(0, length)])
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE)) {
        try {
          yield JSON.parse(bytes.toString('utf8', 0, end))
        } catch {
          return undefined
        }
        bytes = bytes.subarray(end + 1)
      }
      rest = bytes
    }
    return undefined
  } finally {
    closeSync(file)
  }
}
