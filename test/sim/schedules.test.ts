// Goal: a shrunk schedule brings its failure back, as long as the bug is there. Method: schedule files are carried out
// by the command line, with the planted bug that they were shrunk from and without it; and every schedule of a bug
// that was really found (test/regressions) passes since its repair.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { runAnyPlan } from '../../src/chaos/campaign/run-seed.ts'
import { parseSchedule } from '../../src/chaos/plan/plan-file.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const REGRESSIONS = fileURLToPath(new URL('../regressions', import.meta.url))
const PLANTED = 'test/sim/schedules/truncate-to-high-watermark.json'

function replay(...more: string[]): { readonly status: number | null; readonly out: string } {
  const { status, stdout } = spawnSync(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      'src/chaos/cli/main.ts',
      '--replay',
      PLANTED,
      ...more,
    ],
    { cwd: ROOT, encoding: 'utf8' },
  )
  return { status, out: stdout }
}

describe('a schedule file', () => {
  it('fails as it says with the bug that it was shrunk from', () => {
    const { status, out } = replay('--mutant', 'truncate-to-high-watermark')
    expect(out).toMatch(/verdict: fail \(R14\), as the schedule says\n$/)
    expect(status).toBe(1)
  })

  it('passes without it, and says that this is not what the schedule says', () => {
    const { status, out } = replay()
    expect(out).toMatch(/verdict: pass, the schedule says fail \(R14\)\n$/)
    expect(status).toBe(0)
  })
})

describe('schedules of bugs that campaigns found', () => {
  const files = readdirSync(REGRESSIONS).filter((file) => file.endsWith('.json'))

  it('pass', async () => {
    const failed: string[] = []
    for (const file of files) {
      const { plan } = parseSchedule(readFileSync(`${REGRESSIONS}/${file}`, 'utf8'))
      const { verdict, invariant, reason } = await runAnyPlan(plan)
      if (verdict !== 'pass') failed.push(`${file}: ${verdict} ${invariant ?? ''} ${reason ?? ''}`)
    }
    expect(failed).toEqual([])
  })
})
