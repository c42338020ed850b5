/** What happens in a worker, for people and for programs. */
export interface WorkerEvent {
  readonly kind:
    | 'worker.ready'
    | 'worker.stopped'
    | 'connector.running'
    | 'connector.failed'
    | 'task.failed'
    | 'task.abandoned'
    | 'record.failed'
    | 'setting.unknown'
    | 'setting.ignored'
    | 'warning'
  readonly level: 'info' | 'warn' | 'error'
  readonly connector: string | null
  /** Number of the task, null when it is about no single one. */
  readonly task: number | null
  /** One line. */
  readonly message: string
}

export type Tell = (event: WorkerEvent) => void

/** A task's or connector's own voice. */
export interface Voice {
  tell(kind: WorkerEvent['kind'], level: WorkerEvent['level'], message: string): void
}

/** Adds to every event whom it is about. */
export function voiceOf(tell: Tell, connector: string | null, task: number | null = null): Voice {
  const who = connector === null ? '' : `${connector}${task === null ? '' : `-${task}`}: `
  return {
    tell: (kind, level, message) => {
      tell({ kind, level, connector, task, message: `${who}${message.replace(/\s*\n\s*/g, ' ')}` })
    },
  }
}
