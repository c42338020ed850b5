// The runner as a user calls it: the list, typos, a run in simulation, exit codes, twins.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { SCENARIOS } from '../../scenarios/catalogue.ts'

const RUN = fileURLToPath(new URL('../../scenarios/run.ts', import.meta.url))
const LIMIT_MS = 120_000

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** As in CI, where a pipe gets plain text all the same. */
const CI_ENV = { ...process.env, CI: 'true', FORCE_COLOR: undefined }

function scenario(parameters: readonly string[], env: NodeJS.ProcessEnv = CI_ENV): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [RUN, ...parameters],
      { timeout: LIMIT_MS, env, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        resolve({
          code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1,
          stdout,
          stderr,
        })
      },
    )
  })
}

describe('npm run scenario', () => {
  it('lists all scenarios by section, with their modes', async () => {
    const { code, stdout } = await scenario([])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^A\. Replication and failover\n/)
    for (const { name, modes, summary } of SCENARIOS) {
      const line = stdout.split('\n').find((each) => each.trim().startsWith(`${name} `))
      expect(line).toContain(modes.join(' '))
      expect(line).toContain(summary)
    }
  })

  it('are as many as the README says', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
    expect(/what can be shown: (\d+) failures/.exec(readme)?.[1]).toBe(String(SCENARIOS.length))
  })

  it('lists them as data', async () => {
    const { stdout } = await scenario(['--list', '--json'])
    const rows = JSON.parse(stdout) as { name: string; section: string; modes: string[] }[]
    expect(rows.map(({ name }) => name).sort()).toEqual(SCENARIOS.map(({ name }) => name).sort())
    expect(rows.find(({ name }) => name === 'zombie-leader')).toMatchObject({
      section: 'A',
      number: 7,
      modes: ['sim', 'real', 'kafka'],
    })
  })

  it.each([
    [['zombie-leadr'], 'unknown scenario "zombie-leadr" (did you mean "zombie-leader"?)'],
    [['zombie'], 'unknown scenario "zombie" (did you mean "zombie-leader"?)'],
    [['failover', '--mode', 'sm'], 'unknown mode "sm" (did you mean "sim"?)'],
    [['failover', '--sed', '1'], "unknown option '--sed'\n(Did you mean --seed?)"],
    [['failover', '--seed', 'x'], '--seed must be a whole number from 0, not "x"'],
    [['failover', '--seeds', '9..1'], '--seeds must be like 1..500, not "9..1"'],
    [
      ['failover', '--mode', 'sim', '--bootstrap-server', 'a:1'],
      '--bootstrap-server needs --mode kafka',
    ],
  ])('refuses %j with exit code 2 and what could be meant', async (parameters, message) => {
    const { code, stderr, stdout } = await scenario(parameters)
    expect(stderr).toContain(message)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  it('says in one line that Java is missing', async () => {
    const env = { ...process.env, PATH: '/nonexistent', JAVA_HOME: '' }
    const { code, stderr } = await scenario(['zombie-leader', '--mode', 'kafka', '--json'], env)
    expect(code).toBe(2)
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^Java 17 or newer is missing: install /),
    ])
  })

  it('says in one line that Maven is missing', { timeout: LIMIT_MS }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'kafkette-java-'))
    mkdirSync(join(directory, 'bin'))
    const java = join(directory, 'bin', 'java')
    writeFileSync(java, '#!/bin/sh\necho \'openjdk version "17.0.1"\' >&2\n', { mode: 0o755 })
    const env = {
      ...process.env,
      PATH: '/nonexistent',
      JAVA_HOME: directory,
      XDG_CACHE_HOME: directory,
    }
    const { code, stderr } = await scenario(['zombie-leader', '--mode', 'kafka', '--json'], env)
    rmSync(directory, { recursive: true })
    expect(code).toBe(2)
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^Maven is missing: install it/),
    ])
  })
})

describe('a scenario in simulation', () => {
  it('ends with exit code 0 and its data on one line', { timeout: LIMIT_MS }, async () => {
    const { code, stdout } = await scenario(['failover', '--mode', 'sim', '--json'])
    expect(stdout.trim().split('\n')).toHaveLength(1)
    expect(JSON.parse(stdout)).toMatchObject({
      scenario: 'failover',
      verdict: 'pass',
      broken: null,
    })
    expect(code).toBe(0)
  })

  it(
    'tells a story that ends with trace and verdict, and writes it',
    { timeout: LIMIT_MS },
    async () => {
      const out = mkdtempSync(join(tmpdir(), 'kafkette-out-'))
      const { stdout } = await scenario([
        'zombie-leader',
        '--mode',
        'sim',
        '--seed',
        '4',
        '--out',
        out,
      ])
      const lines = stdout.trimEnd().split('\n')
      expect(lines[0]).toBe('zombie-leader, mode sim, seed 4')
      expect(lines[1]).toMatch(/what happened +leader +ISR +HW +epoch/)
      expect(stdout).toMatch(/leader\(t-0\), stands still/)
      expect(stdout).toMatch(/t-0 is led by broker \d in epoch 1/)
      expect(lines.at(-2)).toMatch(/^trace: [0-9a-f]{64}$/)
      expect(lines.at(-1)).toBe('verdict: pass')
      expect(lines.length).toBeLessThan(40)
      expect(JSON.parse(readFileSync(join(out, 'verdict.json'), 'utf8'))).toMatchObject({
        verdict: 'pass',
      })
      expect(readFileSync(join(out, 'story.md'), 'utf8')).toContain(
        '| s | what happened | leader |',
      )
      const [first = ''] = readFileSync(join(out, 'history.jsonl'), 'utf8').split('\n')
      expect(JSON.parse(first)).toMatchObject({ index: 0, kind: expect.any(String) as string })
      rmSync(out, { recursive: true })
    },
  )

  it('runs many seeds with moved fault times', { timeout: LIMIT_MS }, async () => {
    const { code, stdout } = await scenario([
      'min-isr-block',
      '--mode',
      'sim',
      '--seeds',
      '1..2',
      '--json',
    ])
    expect(JSON.parse(stdout)).toMatchObject({ runs: 2, failed: 0, verdict: 'pass' })
    expect(code).toBe(0)
  })

  it('has a twin that fails as it should', { timeout: LIMIT_MS }, async () => {
    const { code, stdout } = await scenario(['failover', '--mode', 'sim', '--twins'])
    expect(stdout).toMatch(/^ok {3}twin "acks=1" .* shows acked records are lost: \d+\n/)
    expect(code).toBe(0)
  })
})

it('runs over processes, sockets and files', { timeout: LIMIT_MS }, async () => {
  const { code, stdout } = await scenario(['zombie-leader', '--mode', 'real', '--json'])
  const report = JSON.parse(stdout) as { broken: string | null; timeline: { text: string }[] }
  expect(report.broken).toBeNull()
  expect(report.timeline.some(({ text }) => text.includes('stands still'))).toBe(true)
  expect(code).toBe(0)
})
