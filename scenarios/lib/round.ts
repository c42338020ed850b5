/** One injected failure and what it cost. */
export interface Round {
  readonly title: string
  readonly killed: number
  readonly partition: string
  readonly newLeader: number
  readonly unavailableMs: number
  /** Records that the returned broker had and nobody had acked. */
  readonly truncatedRecords: number
  readonly backInIsrMs: number
}
