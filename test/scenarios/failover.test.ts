// The scenario as a user runs it, with its output as data: real processes, real SIGKILL.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import type { Report } from '../../scenarios/lib/play-report.ts'
import type { ScenarioResult } from '../../scenarios/lib/scenario.ts'

const RUN = fileURLToPath(new URL('../../scenarios/run.ts', import.meta.url))
const LIMIT_MS = 60_000

function scenario(...args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(process.execPath, [RUN, ...args], { timeout: LIMIT_MS })
}

it(
  'survives the leader and the active controller, and says so as data',
  { timeout: LIMIT_MS },
  async () => {
    const { stdout } = await scenario('failover', '--json')
    const lines = stdout.trim().split('\n')
    expect(lines).toHaveLength(1)
    const report = JSON.parse(lines[0]!) as Report & ScenarioResult
    expect(report.error).toBeNull()
    expect(report.checks.filter(({ passed }) => !passed)).toEqual([])
    expect(report.verdict).toBe('pass')
    expect(report.tally).toMatchObject({ lost: 0, duplicated: 0 })
    expect(report.tally.acked).toBeGreaterThan(100)
    expect(report.rounds.map(({ title }) => title)).toEqual(['plain broker', 'active controller'])
    expect(report.rounds.every(({ killed, newLeader }) => killed !== newLeader)).toBe(true)
  },
)

it('lists the scenarios when none is named, and helps with a typo', async () => {
  expect((await scenario()).stdout).toContain('failover')
  await expect(scenario('failovr')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('did you mean "failover"?') as string,
  })
})
