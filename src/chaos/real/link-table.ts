/** Which of a node's two listeners a connection goes to; a combined node has both. */
export type ListenerRole = 'client' | 'controller'

/** One-way traffic that a rule is about. Left out: any. */
export interface LinkMatch {
  readonly from?: string
  readonly to?: string
  /** The listener at the accepting end of the connection. */
  readonly role?: ListenerRole
}

/** Ends what was begun; safe to call twice. */
export type Undo = () => void

interface Rule {
  readonly match: LinkMatch
  readonly delayMs: number
  readonly isCut: boolean
}

/** The rules of all links between hosts, one-way each: what is cut, what is late. */
export class LinkTable {
  readonly #rules = new Set<Rule>()
  readonly #listeners: (() => void)[] = []

  /** Hears every change. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Nothing passes; connections stay open, and new ones are accepted and stall. */
  cut(match: LinkMatch): Undo {
    return this.#add({ match, delayMs: 0, isCut: true })
  }

  delay(match: LinkMatch, delayMs: number): Undo {
    return this.#add({ match, delayMs, isCut: false })
  }

  clear(): void {
    this.#rules.clear()
    this.#changed()
  }

  isCut(from: string, to: string, role: ListenerRole): boolean {
    for (const { isCut, match } of this.#rules) {
      if (isCut && fits(match, from, to, role)) return true
    }
    return false
  }

  delayMs(from: string, to: string, role: ListenerRole): number {
    let sum = 0
    for (const { delayMs, match } of this.#rules) {
      if (fits(match, from, to, role)) sum += delayMs
    }
    return sum
  }

  #add(rule: Rule): Undo {
    this.#rules.add(rule)
    this.#changed()
    return () => {
      if (this.#rules.delete(rule)) this.#changed()
    }
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }
}

function fits(match: LinkMatch, from: string, to: string, role: ListenerRole): boolean {
  if (match.role !== undefined && match.role !== role) return false
  return isHost(match.from, from) && isHost(match.to, to)
}

/** A client in its second life calls itself `name/2`, one of its parts perhaps `name-part`: it is still that host. */
export function isHost(wanted: string | undefined, name: string): boolean {
  if (wanted === undefined || name === wanted) return true
  return name.startsWith(`${wanted}/`) || name.startsWith(`${wanted}-`)
}
