import { appendFileSync, existsSync, readFileSync } from 'node:fs'

export interface GrowingFileOptions {
  readonly path: string
  /** Lines written at once, before anything reads the file. */
  readonly initialLines: number
  readonly linesPerStep: number
  readonly stepMs: number
}

/** A text file that somebody keeps appending to, as a log file would be. */
export class GrowingFile {
  readonly path: string
  readonly #options: GrowingFileOptions
  #lines = 0
  #timer: NodeJS.Timeout | null = null

  constructor(options: GrowingFileOptions) {
    this.path = options.path
    this.#options = options
    this.#append(options.initialLines)
  }

  get lineCount(): number {
    return this.#lines
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#append(this.#options.linesPerStep)
    }, this.#options.stepMs)
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  #append(count: number): void {
    let text = ''
    for (let i = 0; i < count; i += 1) {
      this.#lines += 1
      text += `line ${this.#lines} of a file that keeps growing\n`
    }
    appendFileSync(this.path, text)
  }
}

/** The complete lines of a file; none when it does not exist. */
export function linesOf(path: string): readonly string[] {
  if (!existsSync(path)) return []
  const parts = readFileSync(path, 'utf8').split('\n')
  parts.pop()
  return parts
}
