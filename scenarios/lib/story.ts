import { colors } from '../../src/real/colors.ts'

/** One line of a scenario's story. */
export interface StoryLine {
  /** Milliseconds since the scenario began. */
  readonly atMs: number
  readonly text: string
}

/** What happened and when, told while it happens. */
export class Story {
  readonly lines: StoryLine[] = []
  readonly #startedMs = performance.now()
  readonly #isSilent: boolean

  constructor(options: { readonly isSilent: boolean }) {
    this.#isSilent = options.isSilent
  }

  nowMs(): number {
    return performance.now() - this.#startedMs
  }

  tell(text: string): void {
    const line = { atMs: Math.round(this.nowMs()), text }
    this.lines.push(line)
    this.#print(`${colors.dim(`${seconds(line.atMs)} s`)}  ${text}\n`)
  }

  heading(text: string): void {
    this.lines.push({ atMs: Math.round(this.nowMs()), text })
    this.#print(`\n${colors.bold(text)}\n`)
  }

  #print(text: string): void {
    if (!this.#isSilent) process.stdout.write(text)
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2).padStart(6)
}
