// Goal: the command line of the simulation as a stranger meets it. Method: whole processes; seeds of campaigns are
// run by a runner that runs nothing, and one by the real one.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CliProcess } from '../support/cli-process.ts'

const MAIN = fileURLToPath(new URL('../../src/chaos/cli/main.ts', import.meta.url))
const RUNNER = new URL('../support/fake-seed-runner.ts', import.meta.url).href
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sim-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const sim = (...args: readonly string[]): CliProcess => new CliProcess(MAIN, args)
const campaign = (...args: readonly string[]): CliProcess =>
  sim('--profile', 'data', '--out', folder, '--runner', RUNNER, ...args)

const WRONG: readonly (readonly [string, string, RegExp])[] = [
  ['an unknown option', '--seds 3', /unknown option '--seds'\n\(Did you mean (one of )?--seeds?/],
  ['an unknown profile', '--seeds 3 --profile dta', /Allowed choices are data, groups/],
  ['a number that is none', '--seeds many', /'many' is invalid. expected a whole number/],
  ['no seed', '--seeds 0', /expected a whole number from 1 on/],
  [
    'two things at once',
    '--seeds 3 --seed 4',
    /^sim: --seeds and --seed cannot be used together\n$/,
  ],
  ['an extra argument', '--seeds 3 now', /too many arguments/],
  [
    'what does not exist yet',
    '--seeds 3 --profile transactions',
    /^sim: .*no plan of it can be drawn yet.*\n$/,
  ],
  [
    'an unknown mutant',
    '--mutants --only ack-before-hv',
    /^sim: there is no mutant "ack-before-hv" \(did you mean "ack-before-hw"\?\); see --list-mutants\n$/,
  ],
]

describe('npm run sim', () => {
  it.each(WRONG)('answers %s with exit code 2 and a line about it', async (_, line, message) => {
    const { code, stdout, stderr } = await sim(...line.split(' ')).end()
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(message)
  })

  it('shows every option in its help, which is also what comes without any', async () => {
    const [asked, none] = await Promise.all([sim('--help').end(), sim().end()])
    expect([asked.code, none.code]).toEqual([0, 0])
    expect(none.stdout).toBe(asked.stdout)
    const options = ['seeds', 'seed', 'from', 'workers', 'profile', 'json', 'out', 'resume']
    const more = ['keep-going', 'determinism', 'mutants', 'only', 'max-seeds', 'list-mutants']
    for (const option of [...options, ...more, 'verbose', 'wall-limit']) {
      expect(asked.stdout).toContain(`--${option}`)
    }
    expect(asked.stdout).toContain('npm run sim -- --seeds 1000')
  })

  it('lists the planted bugs, as data too', async () => {
    const [text, data] = await Promise.all([
      sim('--list-mutants').end(),
      sim('--list-mutants', '--json').end(),
    ])
    const mutants = JSON.parse(data.stdout) as readonly { readonly name: string }[]
    for (const { name } of mutants) expect(text.stdout).toContain(`${name}\n`)
    expect(text.stdout).toMatch(/\n\d+ mutants\n$/)
  })

  it('ends a campaign that found nothing with 0, and one that did with 1 and the command to repeat it', async () => {
    const good = await campaign('--seeds', '5').end()
    expect(good.code).toBe(0)
    expect(good.stdout).toContain('5 seeds of profile data: 5 pass')
    const bad = await campaign('--seeds', '3', '--from', '900').end()
    expect(bad.code).toBe(1)
    expect(bad.stderr).toMatch(/seed 901 .*: fail D1 at 1.234 s: b2 lost offset 901/)
    expect(bad.stdout).toContain('1 x D1 (broker): bN lost offset N of t-N  [seeds 901]')
    expect(bad.stdout).toContain('  npm run sim -- --seed 901 --profile data\n')
    expect(bad.stdout).toContain('3 seeds of profile data: 1 pass, 1 fail, 1 harness-error')
  })

  it('prints a report as JSON and nothing else on standard output', async () => {
    const { code, stdout } = await campaign('--seeds', '4', '--json').end()
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      profile: 'data',
      ending: 'complete',
      seeds: 4,
      verdicts: { pass: 4 },
      isGood: true,
    })
  })

  it('tells what it has after Ctrl-C and goes on with --resume', async () => {
    const run = campaign('--seeds', '60', '--from', '905', '--workers', '1', '--verbose')
    await run.text(/seed 907 .*: pass/, 'stderr')
    run.kill('SIGINT')
    const ended = await run.end()
    expect(ended.code).toBe(130)
    expect(ended.stdout).toMatch(/\d+ seeds of profile data: \d+ pass/)
    expect(ended.stderr).toContain(
      `Interrupted; go on with: npm run sim -- --seeds 60 --from 905 --profile data --out ${folder} --resume\n`,
    )
    const rest = await campaign('--seeds', '10', '--from', '905', '--resume').end()
    expect(rest.code).toBe(0)
    expect(rest.stderr).toMatch(/[3-9] seeds are known from /)
    expect(rest.stdout).toContain('10 seeds of profile data: 10 pass')
  })

  it('runs one seed of the real thing, the same each time', async () => {
    const line = ['--seed', '3', '--profile', 'data']
    const [one, other] = await Promise.all([sim(...line).end(), sim(...line, '--json').end()])
    expect(one.stdout).toMatch(/^plan data-3: 5 combined nodes/)
    expect(one.stdout).toMatch(/quorum.elected/)
    const hash = /\ntrace: ([0-9a-f]{64})\nverdict: \w+/.exec(one.stdout)?.[1]
    expect(JSON.parse(other.stdout)).toMatchObject({ traceHash: hash })
    expect(one.code).toBe(other.code)
  })
})
