import type { NodeEvent } from '../ports/events.ts'

const SHOWN_KINDS = new Set([
  'connection.refused',
  'coordinator.load-failed',
  'log-directory.offline',
  'log.storage-error',
  'topic.creation-refused',
])

/** An event that an operator wants to know of, as one line; null for all others. */
export function shownEvent({ kind, fields }: NodeEvent): string | null {
  if (!SHOWN_KINDS.has(kind)) return null
  const shown = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`)
  return `${kind} ${shown.join(' ')}`
}
