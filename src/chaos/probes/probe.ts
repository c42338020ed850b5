import type { NodeEvent } from '../../ports/events.ts'

/**
 * Something that ought to happen sometimes (Antithesis: a sometimes-assertion). All probes are known before
 * a run, so that one which is never hit is reported.
 */
export interface Probe {
  /** `area.what-happened`, e.g. `replica.truncated-more-than-one-batch`. */
  readonly name: string
  readonly says: string
  /** Profiles in which it is expected; others are not asked for it. */
  readonly profiles: readonly string[]
  /** The only kind of event that can hit it; left out, any may. */
  readonly kind?: string
  isHit(event: NodeEvent): boolean
}
