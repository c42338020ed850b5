import { present } from '../../src/base/assert.ts'

const NO_BYTES = Buffer.alloc(0)

/** One way of assigning that a member supports, with what it tells the leader about itself. */
export interface MemberProtocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface MemberOptions {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  /** In the member's order of preference. */
  readonly protocols: readonly MemberProtocol[]
  readonly assignment?: Buffer
}

/** A member of a classic group. Whether it awaits an answer is the group's knowledge. */
export class Member {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  rebalanceTimeoutMs: number
  sessionTimeoutMs: number
  protocols: readonly MemberProtocol[]
  assignment: Buffer
  /**
   * It has not seen its member id yet and cannot send heartbeats; its join may expire even while it
   * waits, so that clients that went away do not pile up.
   */
  isNew = false

  constructor(options: MemberOptions) {
    this.memberId = options.memberId
    this.groupInstanceId = options.groupInstanceId
    this.clientId = options.clientId
    this.clientHost = options.clientHost
    this.rebalanceTimeoutMs = options.rebalanceTimeoutMs
    this.sessionTimeoutMs = options.sessionTimeoutMs
    this.protocols = options.protocols
    this.assignment = options.assignment ?? NO_BYTES
  }

  get isStatic(): boolean {
    return this.groupInstanceId !== null
  }

  protocol(name: string): MemberProtocol | null {
    return this.protocols.find((protocol) => protocol.name === name) ?? null
  }

  /** What it told about itself under `name`; an assertion when it does not support that. */
  metadata(name: string): Buffer {
    return present(this.protocol(name), `protocol ${name} of member ${this.memberId}`).metadata
  }

  /** Nothing about its protocols has changed: same names in the same order, same bytes. */
  hasProtocols(protocols: readonly MemberProtocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every((protocol, index) => {
        const own = this.protocols[index]
        return own?.name === protocol.name && own.metadata.equals(protocol.metadata)
      })
    )
  }

  /** The same static member as another process. */
  successor(memberId: string): Member {
    return new Member({
      memberId,
      groupInstanceId: this.groupInstanceId,
      clientId: this.clientId,
      clientHost: this.clientHost,
      rebalanceTimeoutMs: this.rebalanceTimeoutMs,
      sessionTimeoutMs: this.sessionTimeoutMs,
      protocols: this.protocols,
      assignment: this.assignment,
    })
  }

  clearAssignment(): void {
    this.assignment = NO_BYTES
  }
}

/** The protocol that most members prefer among those that all support; ties go to the first member's order. */
export function selectProtocol(members: readonly (readonly MemberProtocol[])[]): string {
  const candidates = (members[0] ?? [])
    .map(({ name }) => name)
    .filter((name) => members.every((protocols) => protocols.some((own) => own.name === name)))
  const votes = new Map(candidates.map((name) => [name, 0]))
  for (const protocols of members) {
    const vote = protocols.find(({ name }) => votes.has(name))
    if (vote !== undefined) votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1)
  }
  const ranked = [...votes].sort(([, a], [, b]) => b - a)
  return present(ranked[0], 'a protocol that all members support')[0]
}

/** Copies, so that a member does not keep the whole request or log buffer alive. */
export function ownedProtocols(
  protocols: readonly { readonly name: string; readonly metadata: Buffer }[],
): readonly MemberProtocol[] {
  return protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) }))
}
