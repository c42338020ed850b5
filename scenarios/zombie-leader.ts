import { endedSends } from './lib/evidence.ts'
import { leaderChange, shows, sometimes, within } from './lib/expectation.ts'
import { at, c3, leaderOf, offsetsWatcher, producers, readers, topic } from './lib/plan-builders.ts'
import { scenario } from './lib/scenario.ts'

