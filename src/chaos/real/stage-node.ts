/** One node of a stage as a process of the system, whatever program it runs. */
export interface StageNode {
  readonly id: number
  readonly name: string
  readonly isVoter: boolean
  readonly addresses: NodeAddresses
  /** Where its data lies. */
  readonly directory: string
  /** A process of it runs, paused or not. */
  readonly isUp: boolean
  readonly isPaused: boolean
  /** Resolves when it serves clients. */
  start(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
  /** In order: its leaderships move away first. */
  shutdown(): Promise<void>
  /** SIGSTOP and SIGCONT. */
  pause(): void
  resume(): void
  /** At once, without waiting: the harness itself is about to end. */
  abandon(): void
}

/** Ports of one node: where it listens, and where everybody else dials. */
export interface NodeAddresses {
  readonly host: string
  readonly client: { readonly port: number; readonly proxyPort: number }
  /** Null on a node that is no voter. */
  readonly controller: { readonly port: number; readonly proxyPort: number } | null
}
