import { failover } from './failover.ts'
import type { Scenario } from './lib/scenario.ts'
import { minIsrBlock } from './min-isr-block.ts'
import { zombieLeader } from './zombie-leader.ts'

/** Every scenario that there is; a new one needs a line here. */
export const SCENARIOS: readonly Scenario[] = [failover, minIsrBlock, zombieLeader]
