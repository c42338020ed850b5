/** A host of the network as its links see it. */
export interface SimHost {
  readonly name: string
  /** Its machine is off: what comes in finds nobody, not even a refusal. */
  isDark: boolean
  latencyFactor: number
}

/** One direction between two hosts. */
export interface SimLink {
  readonly from: SimHost
  readonly to: SimHost
  /** Nothing travels until it is healed. */
  isCut: boolean
}

export function isBlocked(link: SimLink): boolean {
  return link.isCut || link.to.isDark
}

/** How much longer than usual data takes over this link; a host's own traffic stays inside it. */
export function latencyFactor({ from, to }: SimLink): number {
  return from === to ? 1 : from.latencyFactor * to.latencyFactor
}
