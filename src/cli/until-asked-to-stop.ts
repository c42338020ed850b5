export interface StopRequest {
  /** Resolves with what asked this process to end. */
  readonly asked: Promise<string>
  /** Aborted at the same moment. */
  readonly signal: AbortSignal
  /** Stops listening, so that nothing of this keeps the process alive. */
  readonly release: () => void
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const INTERRUPTED = 130

/**
 * Listens for what may ask this process to end: Ctrl-C, SIGTERM, a closed terminal, or (if wanted) the end
 * of standard input. A second signal ends it at once with exit code 130.
 */
export function untilAskedToStop(options: { readonly endsWithStdin: boolean }): StopRequest {
  const { promise, resolve } = Promise.withResolvers<string>()
  const abort = new AbortController()
  let isAsked = false
  const ask = (reason: string): void => {
    isAsked = true
    abort.abort()
    resolve(reason)
  }
  const onSignal = (name: NodeJS.Signals): void => {
    if (isAsked) process.exit(INTERRUPTED)
    ask(name)
  }
  const onStdinEnd = (): void => ask('standard input closed')
  for (const name of SIGNALS) process.on(name, onSignal)
  if (options.endsWithStdin) {
    for (const event of ['end', 'close', 'error']) process.stdin.once(event, onStdinEnd)
    process.stdin.resume()
  }
  return {
    asked: promise,
    signal: abort.signal,
    release: () => {
      for (const name of SIGNALS) process.off(name, onSignal)
      if (options.endsWithStdin) process.stdin.destroy()
    },
  }
}
