import { ConfigError } from '../../base/errors.ts'
import type { Profile } from '../plan/plan.ts'
import type { Draw } from './draw.ts'
import type { SwarmSize } from './swarm-size.ts'

/** What a campaign can be asked for. */
export const SWARM_PROFILES = ['data', 'groups', 'quorum', 'connect', 'all'] as const
export type SwarmProfile = Profile | 'all'

/** What the seeds of a campaign are drawn from: the same seed of another swarm is another plan. */
export interface Swarm {
  readonly profile: SwarmProfile
  readonly size: SwarmSize
}

const ALL: readonly (readonly [Profile, number])[] = [
  ['data', 50],
  ['groups', 20],
  ['quorum', 20],
  ['connect', 10],
]

/** As people call it: the size only when it is not the usual one. */
export function swarmText({ profile, size }: Swarm): string {
  return size === 'full' ? `profile ${profile}` : `profile ${profile} (${size})`
}

/** What `npm run sim` has to be told to draw from it. */
export function swarmFlags({ profile, size }: Swarm): readonly string[] {
  return [`--profile ${profile}`, ...(size === 'full' ? [] : [`--size ${size}`])]
}

/** Which profile a seed of `asked` runs. */
export function profileOf(asked: SwarmProfile, draw: Draw): Profile {
  if (asked === 'transactions') {
    throw new ConfigError('profile transactions: no plan of it can be drawn yet')
  }
  return asked === 'all' ? draw.weighted('profile', ALL) : asked
}
