import { ConfigError } from '../../base/errors.ts'
import type { Profile } from '../plan/plan.ts'
import type { Draw } from './draw.ts'

/** What a campaign can be asked for. */
export const SWARM_PROFILES = ['data', 'groups', 'quorum', 'connect', 'all'] as const
export type SwarmProfile = Profile | 'all'

const ALL: readonly (readonly [Profile, number])[] = [
  ['data', 50],
  ['groups', 20],
  ['quorum', 20],
  ['connect', 10],
]

/** Which profile a seed of `asked` runs. */
export function profileOf(asked: SwarmProfile, draw: Draw): Profile {
  if (asked === 'transactions') {
    throw new ConfigError('profile transactions: nothing of it exists yet, there is nothing to run')
  }
  return asked === 'all' ? draw.weighted('profile', ALL) : asked
}
