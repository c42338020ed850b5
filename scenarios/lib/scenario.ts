import type { Check, Tally } from './checks.ts'
import type { Story } from './story.ts'

/** One thing that can be shown: what it does, told in one line, and how it runs. */
export interface Scenario {
  readonly name: string
  readonly summary: string
  run(story: Story): Promise<ScenarioResult>
}

/** One injected failure and what it cost. */
export interface Round {
  readonly title: string
  readonly killed: number
  readonly partition: string
  readonly newLeader: number
  readonly unavailableMs: number
  readonly backInIsrMs: number
}

export interface ScenarioResult {
  readonly tally: Tally
  readonly rounds: readonly Round[]
  readonly checks: readonly Check[]
}
