import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { KafketteError } from '../../base/errors.ts'
import type { Swarm } from '../swarm/swarm-profile.ts'
import type { SeedOutcome } from './seed-outcome.ts'
import type { SeedRequest } from './worker-messages.ts'

const MAIN = fileURLToPath(new URL('worker-main.ts', import.meta.url))
const STDERR_KEPT_CHARS = 4000

/** Something that runs seeds, one at a time. */
export interface SeedWorker {
  /** Rejects when the worker died or took too long; then it is of no more use. */
  run(seed: number, swarm: Swarm): Promise<SeedOutcome>
  close(): void
}

export interface WorkerProcessOptions {
  /** A seed that takes longer is given up, and its process killed. */
  readonly wallLimitMs: number
  /** URL of the module whose `runSeed` is called. */
  readonly runner?: string
  /** Runs go on after a broken invariant. */
  readonly keepGoing?: boolean
  /** Options of Node for the process. */
  readonly execArgv?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** Another Node than this one. */
  readonly execPath?: string
}

/** A worker in a process of its own: what it does to its memory, or to itself, is no other seed's concern. */
export class WorkerProcess implements SeedWorker {
  readonly #child: ChildProcess
  readonly #wallLimitMs: number
  readonly #keepGoing: boolean
  #stderr = ''
  #waiting: PromiseWithResolvers<SeedOutcome> | null = null
  #ended: string | null = null

  constructor(options: WorkerProcessOptions) {
    this.#wallLimitMs = options.wallLimitMs
    this.#keepGoing = options.keepGoing ?? false
    this.#child = fork(MAIN, options.runner === undefined ? [] : [options.runner], {
      execArgv: ['--disable-warning=TimeoutNegativeWarning', ...(options.execArgv ?? [])],
      env: options.env ?? process.env,
      ...(options.execPath !== undefined && { execPath: options.execPath }),
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#child.stderr?.on('data', (text: Buffer) => {
      this.#stderr = (this.#stderr + text.toString()).slice(-STDERR_KEPT_CHARS)
    })
    this.#child.on('message', (outcome) => this.#settle((it) => it.resolve(outcome as SeedOutcome)))
    this.#child.on('error', (error) => this.#end(error.message))
    this.#child.on('close', (code, signal) => this.#end(`ended with ${signal ?? `code ${code}`}`))
  }

  async run(seed: number, swarm: Swarm): Promise<SeedOutcome> {
    if (this.#ended !== null) throw new KafketteError('WORKER', this.#ended)
    const waiting = Promise.withResolvers<SeedOutcome>()
    this.#waiting = waiting
    const timer = setTimeout(() => {
      this.#end(`gave no answer in ${this.#wallLimitMs} ms and was killed`)
      this.#child.kill('SIGKILL')
    }, this.#wallLimitMs)
    const request: SeedRequest = { seed, swarm, keepGoing: this.#keepGoing }
    this.#child.send(request, (error) => {
      if (error !== null) this.#end(error.message)
    })
    try {
      return await waiting.promise
    } finally {
      clearTimeout(timer)
    }
  }

  close(): void {
    this.#child.kill('SIGKILL')
  }

  #end(how: string): void {
    const text = this.#stderr.trim()
    this.#ended ??= `the worker process ${how}${text === '' ? '' : `: ${text}`}`
    const message = this.#ended
    this.#settle((it) => it.reject(new KafketteError('WORKER', message)))
  }

  #settle(how: (waiting: PromiseWithResolvers<SeedOutcome>) => void): void {
    const waiting = this.#waiting
    this.#waiting = null
    if (waiting !== null) how(waiting)
  }
}
