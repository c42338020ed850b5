import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { TimeoutError } from '../../src/base/errors.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const LIMIT_MS = 55_000

export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** A command line that runs, with what it printed so far. `await using` kills it when it is still there. */
export class CliProcess implements AsyncDisposable {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''
  #onText: () => void = () => undefined

  constructor(file: string, args: readonly string[]) {
    this.child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file, ...args], {
      cwd: ROOT,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
    })
    this.child.stdin.on('error', () => undefined)
    this.child.stdout.on('data', (text: Buffer) => {
      this.stdout += text.toString()
      this.#onText()
    })
    this.child.stderr.on('data', (text: Buffer) => {
      this.stderr += text.toString()
      this.#onText()
    })
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr })
        this.#onText()
      })
    })
  }

  get pid(): number {
    return this.child.pid!
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** What `pattern` finds once it stands in the output; rejects when the process ends before. */
  async text(pattern: RegExp, from: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpExecArray> {
    return within(`${pattern} on ${from}`, this, async () => {
      for (;;) {
        const found = pattern.exec(this[from])
        if (found !== null) return found
        if (this.child.exitCode !== null || this.child.signalCode !== null) {
          throw new Error(`ended without ${pattern} on ${from}: ${this.stdout}${this.stderr}`)
        }
        await new Promise<void>((resolve) => {
          this.#onText = resolve
        })
      }
    })
  }

  async end(): Promise<Ended> {
    return within('the end of the process', this, () => this.ended)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL')
    await this.ended
  }
}

/** `kafkette ...` straight from the sources. */
export function kafkette(...args: readonly string[]): CliProcess {
  return new CliProcess(MAIN, args)
}

/** Whether a process with this id is there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function within<T>(what: string, cli: CliProcess, wait: () => Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    late.reject(new TimeoutError(`no ${what} in ${LIMIT_MS} ms: ${cli.stdout}${cli.stderr}`))
  }, LIMIT_MS)
  try {
    return await Promise.race([wait(), late.promise])
  } finally {
    clearTimeout(timer)
  }
}
