import type { Check, Tally } from './checks.ts'
import type { Round } from './round.ts'
import type { Story } from './story.ts'

/** One thing that can be shown: what it does, told in one line, and how it runs. */
export interface Scenario {
  readonly name: string
  readonly summary: string
  run(story: Story): Promise<ScenarioResult>
}

export interface ScenarioResult {
  readonly tally: Tally
  readonly rounds: readonly Round[]
  readonly checks: readonly Check[]
}
