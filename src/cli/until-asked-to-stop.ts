import type { Cluster } from '../fixture/cluster.ts'

export interface StopOptions {
  /** Whether the end of standard input is a request to stop. */
  readonly endsWithStdin: boolean
  readonly cluster?: Pick<Cluster, 'allDied'>
}

/**
 * Resolves with the reason once somebody asks this process to end: Ctrl-C, SIGTERM, a closed terminal,
 * or (if wanted) the end of standard input. A second Ctrl-C ends it at once.
 */
export function untilAskedToStop({ endsWithStdin, cluster }: StopOptions): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(130))
        resolve(signal)
      })
    }
    void cluster?.allDied.then(() => {
      resolve('every broker has died')
    })
    if (!endsWithStdin) return
    process.stdin.once('end', () => {
      resolve('standard input closed')
    })
    process.stdin.once('error', () => {
      resolve('standard input failed')
    })
    process.stdin.resume()
  })
}
