const INTERRUPTED = 130
const TERMINATED = 143

/**
 * Runs `clear` when this process ends before it could clear up: by `process.exit`, by Ctrl-C, by SIGTERM. Stopped
 * processes would outlive it otherwise. Returns the function that says: not needed any more.
 */
export function onExit(clear: () => void): () => void {
  const interrupt = (): void => process.exit(INTERRUPTED)
  const terminate = (): void => process.exit(TERMINATED)
  process.on('exit', clear)
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', terminate)
  return () => {
    process.off('exit', clear)
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', terminate)
  }
}
