import type { SendOperation } from '../history/operation.ts'
import type { Finding } from './finding.ts'
import type { HistoryIndex, Send } from './history-index.ts'
import type { HistoryRule } from './history-rule.ts'
import { isCommitted, type PartitionHistory } from './partition-history.ts'

/**
 * P1: within a session a value is in the log once, and no two producers share a session, for the controller gives no
 * id twice. Across sessions nothing is promised. A client that keeps its sessions to itself, as kafkajs does, is left
 * out: it may take one value into two, or to two leaders.
 */
export const noDuplicates: HistoryRule = {
  invariant: 'P1',
  judge(history, finding) {
    if (history.evidence.budget.holdsQuorum) checkOwners(history, finding)
    for (const partition of history.lastingPartitions()) {
      checkOnce(history, partition, finding)
      const isSent = partition.sends.some(({ operation }) => hasKnownSession(operation))
      if (isSent && !isFinal(history, partition)) finding.unknown()
    }
  },
}

/** P2: a gap is refused and not in the log; a repeat is not called a gap. */
export const noGaps: HistoryRule = {
  invariant: 'P2',
  judge(history, finding) {
    if (!history.isDurable) return
    checkProbes(history, 'gap', 'a sequence far beyond the next one', finding)
    for (const { kind, operation, endedMs } of history.sends) {
      if (operation.expects !== 'duplicate' || !history.isLasting(operation.topic)) continue
      if (kind === 'info') continue
      finding.look()
      if (kind === 'ok' || operation.error !== 'OUT_OF_ORDER_SEQUENCE_NUMBER') continue
      const { value, topic, partition } = operation
      finding.violated(
        endedMs,
        `a repeat of ${value} to ${topic}-${partition} was refused as out of order`,
      )
    }
  },
}

/** P3: a batch of an older producer epoch is refused and not in the log. */
export const epochFencing: HistoryRule = {
  invariant: 'P3',
  judge(history, finding) {
    if (history.isDurable) checkProbes(history, 'fenced', 'an older producer epoch', finding)
  },
}

/** P5: the log has the records of a session in the order of their sends. */
export const sessionOrder: HistoryRule = {
  invariant: 'P5',
  judge(history, finding) {
    if (!history.isDurable) return
    for (const partition of history.lastingPartitions()) {
      checkSessions(history, partition, finding)
    }
  },
}

function hasKnownSession({ idempotent, producerId }: SendOperation): boolean {
  return idempotent && producerId >= 0
}

function isFinal(history: HistoryIndex, partition: PartitionHistory): boolean {
  return history.evidence.isFinalReadComplete && partition.hasFinalRead
}

function checkOwners(history: HistoryIndex, finding: Finding): void {
  const owners = new Map<number, string>()
  for (const { operation, process, invokedMs } of history.sends) {
    if (!hasKnownSession(operation)) continue
    const { producerId } = operation
    const owner = owners.get(producerId)
    if (owner === undefined) owners.set(producerId, process)
    else if (owner !== process) {
      finding.violated(
        invokedMs,
        `${owner} and ${process} were both given producer id ${producerId}`,
      )
    }
  }
}

/** Reads of one life of the log only: after a loss, what was read before may be sent again. */
function checkOnce(history: HistoryIndex, partition: PartitionHistory, finding: Finding): void {
  const places = new Map<string, number>()
  for (const { operation, atMs } of partition.polls) {
    if (!history.isDurable && operation.purpose !== 'final') continue
    for (const { offset, value } of operation.records ?? []) {
      const sent = history.sendOf.get(value)?.operation
      if (sent === undefined || !hasKnownSession(sent)) continue
      const known = places.get(value)
      places.set(value, offset)
      finding.look()
      if (known === undefined || known === offset) continue
      finding.violated(
        atMs,
        `${value} of an idempotent producer is at ${known} and at ${offset} of ${partition.name}`,
      )
    }
  }
}

function checkProbes(
  history: HistoryIndex,
  expects: 'gap' | 'fenced',
  what: string,
  finding: Finding,
): void {
  const probes = new Map<string, Send>()
  for (const send of history.sends) {
    const { operation, kind, endedMs, offset } = send
    if (operation.expects !== expects || !history.isLasting(operation.topic)) continue
    const { value, topic, partition } = operation
    probes.set(value, send)
    finding.look()
    if (kind !== 'ok') continue
    finding.violated(
      endedMs,
      `${value} was sent to ${topic}-${partition} with ${what} and acknowledged at offset ${offset}`,
    )
  }
  if (probes.size === 0) return
  for (const { operation, atMs } of history.polls) {
    for (const { offset, value } of operation.records ?? []) {
      if (!probes.has(value)) continue
      const { topic, partition } = operation
      finding.violated(
        atMs,
        `${value} was sent with ${what} and read at offset ${offset} of ${topic}-${partition}`,
      )
    }
  }
}

function checkSessions(history: HistoryIndex, partition: PartitionHistory, finding: Finding): void {
  const isRead = isFinal(history, partition)
  const last = new Map<string, { readonly value: string; readonly offset: number }>()
  for (const send of partition.sends) {
    const { expects, producerId, producerEpoch, value } = send.operation
    if (!hasKnownSession(send.operation) || expects !== undefined) continue
    const acked = isCommitted(send) ? send.offset : undefined
    const offset = partition.finalOffsets.get(value) ?? acked
    if (offset === undefined) continue
    const session = `${producerId}:${producerEpoch}`
    const before = last.get(session)
    if (!isRead) finding.unknown()
    if (before === undefined || offset > before.offset) last.set(session, { value, offset })
    if (before === undefined) continue
    finding.look()
    if (offset > before.offset) continue
    finding.violated(
      send.invokedMs,
      `${value} was sent after ${before.value} in one session and is at ${offset} of ${partition.name}, the other at ${before.offset}`,
    )
  }
}
