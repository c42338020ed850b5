/** One record that a producer sent: the key it belongs to and its number within that key, from 0. */
export interface SentRecord {
  readonly key: string
  readonly sequence: number
}

/** An acknowledged send, with when it was acknowledged and where it went. */
export interface Ack extends SentRecord {
  readonly partition: number
  readonly sentMs: number
  readonly ackedMs: number
}

/** What the clients saw: the evidence that a scenario's verdict rests on. */
export class History {
  readonly acks: Ack[] = []
  /** Sends whose outcome is unknown: the client gave up. They may or may not be in the log. */
  readonly unknown: SentRecord[] = []
  readonly consumed = new Map<string, number>()

  recordAck(ack: Ack): void {
    this.acks.push(ack)
  }

  recordUnknown(record: SentRecord): void {
    this.unknown.push(record)
  }

  recordConsumed(value: string): void {
    this.consumed.set(value, (this.consumed.get(value) ?? 0) + 1)
  }

  /** How long no record sent to `partition` was acknowledged around `fromMs`; null while that lasts. */
  unavailableMs(partition: number, fromMs: number): number | null {
    const first = this.acks.find((ack) => ack.partition === partition && ack.ackedMs > fromMs + 1)
    return first === undefined ? null : first.ackedMs - fromMs
  }
}

/** The text of a record: unique in a run. */
export function valueOf({ key, sequence }: SentRecord): string {
  return `${key}:${sequence}`
}

/** The record of a text made by `valueOf`. */
export function recordOf(value: string): SentRecord {
  const at = value.lastIndexOf(':')
  return { key: value.slice(0, at), sequence: Number(value.slice(at + 1)) }
}
