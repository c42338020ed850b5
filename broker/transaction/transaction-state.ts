/** Kafka's names by Kafka's ids, which stand in the records. The last two are never written. */
const STATES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
] as const

export type TransactionState = (typeof STATES)[number]

/** From which states each state may be reached. */
const PREVIOUS: Readonly<Record<TransactionState, readonly TransactionState[]>> = {
  Empty: ['Empty', 'CompleteCommit', 'CompleteAbort'],
  Ongoing: ['Ongoing', 'Empty', 'CompleteCommit', 'CompleteAbort'],
  PrepareCommit: ['Ongoing'],
  // A producer of protocol 2 may abort what it never began: it cannot know (KIP-890).
  PrepareAbort: ['Ongoing', 'PrepareEpochFence', 'Empty', 'CompleteCommit', 'CompleteAbort'],
  CompleteCommit: ['PrepareCommit'],
  CompleteAbort: ['PrepareAbort'],
  Dead: ['Empty', 'CompleteCommit', 'CompleteAbort'],
  PrepareEpochFence: ['Ongoing'],
}

export function stateId(state: TransactionState): number {
  return STATES.indexOf(state)
}

/** Null for an id that Kafka does not know. */
export function stateOfId(id: number): TransactionState | null {
  return STATES[id] ?? null
}

/** By the exact name that tools show; null for any other. */
export function stateNamed(name: string): TransactionState | null {
  return STATES.find((state) => state === name) ?? null
}

export function mayFollow(before: TransactionState, after: TransactionState): boolean {
  return PREVIOUS[after].includes(before)
}

/** The end is decided and the markers are under way. */
export function isPrepared(state: TransactionState): state is 'PrepareCommit' | 'PrepareAbort' {
  return state === 'PrepareCommit' || state === 'PrepareAbort'
}

/** No transaction is under way; a transactional id in these states may expire. */
export function isAtRest(state: TransactionState): boolean {
  return state === 'Empty' || state === 'CompleteCommit' || state === 'CompleteAbort'
}
