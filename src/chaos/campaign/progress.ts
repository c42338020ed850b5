import { createLogUpdate } from 'log-update'

const BAR_CHARS = 24
/** Without a terminal, a line each so often: a log is read afterwards. */
const LINE_EVERY_MS = 10_000
const BAR_EVERY_MS = 100

export interface Progress {
  /** So many are done; `note` says more. */
  show(done: number, note: string): void
  /** Lines that stay, above the bar. */
  print(line: string): void
  end(): void
}

/** A bar on a terminal, plain lines elsewhere, both on standard error: standard output is the result's. */
export function createProgress(total: number, unit: string, stream = process.stderr): Progress {
  return stream.isTTY ? new BarProgress(total, unit, stream) : new LineProgress(total, unit, stream)
}

class BarProgress implements Progress {
  readonly #total: number
  readonly #unit: string
  readonly #log: ReturnType<typeof createLogUpdate>
  readonly #fromMs = performance.now()
  #shownAtMs = -Infinity

  constructor(total: number, unit: string, stream: NodeJS.WriteStream) {
    this.#total = total
    this.#unit = unit
    this.#log = createLogUpdate(stream)
  }

  show(done: number, note: string): void {
    const nowMs = performance.now()
    if (nowMs - this.#shownAtMs < BAR_EVERY_MS && done < this.#total) return
    this.#shownAtMs = nowMs
    const full = Math.round((done / Math.max(1, this.#total)) * BAR_CHARS)
    const bar = '█'.repeat(full) + '░'.repeat(BAR_CHARS - full)
    const left = timeLeft(done, this.#total, nowMs - this.#fromMs)
    this.#log(`${bar} ${done}/${this.#total} ${this.#unit}  ${note}  ${left}`)
  }

  print(line: string): void {
    this.#log.persist(line)
  }

  end(): void {
    this.#log.done()
  }
}

class LineProgress implements Progress {
  readonly #total: number
  readonly #unit: string
  readonly #stream: NodeJS.WriteStream
  readonly #fromMs = performance.now()
  #shownAtMs = performance.now()

  constructor(total: number, unit: string, stream: NodeJS.WriteStream) {
    this.#total = total
    this.#unit = unit
    this.#stream = stream
  }

  show(done: number, note: string): void {
    const nowMs = performance.now()
    if (nowMs - this.#shownAtMs < LINE_EVERY_MS) return
    this.#shownAtMs = nowMs
    const left = timeLeft(done, this.#total, nowMs - this.#fromMs)
    this.print(`${done} of ${this.#total} ${this.#unit}, ${note}, ${left}`)
  }

  print(line: string): void {
    this.#stream.write(`${line}\n`)
  }

  end(): void {
    // Every line is whole already.
  }
}

function timeLeft(done: number, total: number, tookMs: number): string {
  if (done === 0) return 'beginning'
  const seconds = Math.ceil(((tookMs / done) * (total - done)) / 1000)
  const minutes = Math.floor(seconds / 60)
  return minutes === 0 ? `${seconds} s left` : `${minutes} min ${seconds % 60} s left`
}
