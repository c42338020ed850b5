// Goal: the house rules hold in every file. Method: read the import lines and the words of all
// sources; the table below says who may import whom, and a wrong line is named with its file.
import { existsSync, readFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const LIMIT = 600
const TEST_LIMIT = 800

/** Longest matching folder rules. Think before you widen one: the arrows of docs/architecture.md depend on them. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'src/base': [],
  'src/ports': ['src/base'],
  'src/wire': ['src/base'],
  'src/real': ['src/base', 'src/ports'],
  'src/sim': ['src/base', 'src/ports'],
  'src/client': ['src/base', 'src/ports', 'src/wire'],
  'broker/config.ts': ['src/base', 'broker/config-keys.ts'],
  'broker/config-keys.ts': [],
  'broker/log': ['src/base', 'src/ports', 'src/wire'],
  'broker/metadata': ['src/base', 'src/wire'],
  'broker/replica': [
    'src/base',
    'src/ports',
    'src/wire',
    'src/client/connection.ts',
    'src/client/fetch-session.ts',
    'broker/log',
    'broker/metadata',
  ],
  'broker/coordinator': ['src/base', 'src/ports', 'src/wire'],
  'broker/group': ['src/base', 'src/ports', 'src/wire', 'broker/coordinator', 'broker/metadata'],
  'broker/transaction': [
    'src/base',
    'src/ports',
    'src/wire',
    'src/client/connection.ts',
    'broker/coordinator',
    'broker/metadata',
  ],
  'broker/controller': ['src/base', 'src/ports', 'src/wire', 'broker/log', 'broker/metadata'],
  'broker/api': [
    'src/base',
    'src/ports',
    'src/wire',
    'broker/server/request-context.ts',
    'broker/config.ts',
    'broker/config-description.ts',
    'broker/metadata',
    'broker/replica',
    'broker/group',
    'broker/transaction',
    'broker/coordinator',
    'broker/controller',
  ],
  'broker/server': [
    'src/base',
    'src/ports',
    'src/wire',
    'src/client/connection.ts',
    'broker/api',
    'broker/security',
    'broker/config.ts',
    'broker/metadata',
    'broker/replica',
    'broker/group',
    'broker/transaction',
    'broker/controller',
  ],
  broker: ['src/base', 'src/ports', 'src/wire', 'src/client', 'broker'],
  connect: ['src/base', 'src/ports', 'src/wire', 'src/client', 'connect'],
  'src/fixture': [
    'src/base',
    'src/ports',
    'src/real',
    'src/sim',
    'src/client',
    'broker/index.ts',
    'broker/config.ts',
    'connect/index.ts',
  ],
  'src/index.ts': ['src/fixture', 'src/base', 'src/ports'],
  'src/cli': [
    'src/base',
    'src/ports',
    'src/real',
    'src/fixture',
    'src/client',
    'src/index.ts',
    'connect/index.ts',
    'scenarios/run.ts',
  ],
  // The dump of a log reads bytes; all other tools speak through the client.
  'src/cli/dump-log': ['src/base', 'src/wire', 'src/cli'],
  'src/chaos/plan': ['src/base'],
  'src/chaos/history': [],
  'src/chaos/checks': [
    'src/base',
    'src/chaos/history',
    'src/chaos/plan',
    'src/chaos/invariants.ts',
  ],
  'src/chaos/state': [
    'src/base',
    'src/ports',
    'src/wire',
    'broker',
    'src/chaos/history',
    'src/chaos/plan',
    'src/chaos/invariants.ts',
  ],
  'src/chaos/workload': [
    'src/base',
    'src/ports',
    'src/wire',
    'src/client',
    'connect/index.ts',
    'src/chaos/history',
    'src/chaos/plan',
    'src/chaos/run',
  ],
  'src/chaos': [
    'src/base',
    'src/ports',
    'src/wire',
    'src/client',
    'src/sim',
    'src/real',
    'src/fixture',
    'src/index.ts',
    'broker/index.ts',
    'connect/index.ts',
  ],
  scenarios: [
    'src/base',
    'src/chaos',
    'src/ports',
    'src/fixture',
    'src/index.ts',
    'src/wire',
    'src/client',
    'src/real',
    'src/sim',
    'tools/apache-kafka',
    'scenarios',
  ],
  bench: ['src', 'broker', 'connect', 'scenarios', 'bench'],
  tools: ['src', 'broker', 'tools'],
  examples: ['src/index.ts', 'connect/index.ts'],
  test: ['src', 'broker', 'connect', 'scenarios', 'tools', 'bench', 'test'],
}

/** Packages and Node modules that only the edges may use. */
const EDGES = [
  'src/real',
  'src/fixture',
  'src/cli',
  'src/dashboard',
  'connect/rest',
  'connect/connectors',
  'connect/main',
  'src/chaos/campaign',
  'src/chaos/cli',
  'src/chaos/kafkajs',
  'src/chaos/mutants',
  'src/chaos/real',
  'scenarios',
  'bench',
  'tools',
  'examples',
  'test',
]
const EDGE_ONLY =
  /^(node:(?!zlib$|events$).*|fastify|lmdb|commander|cli-table3|picocolors|kafkajs|vitest|tinybench|fast-check)/
const NODE_IN_CORE: Readonly<Record<string, readonly string[]>> = {
  'src/sim/trace.ts': ['node:crypto'],
}

const files = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'],
  { cwd: ROOT, encoding: 'utf8' },
)
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(ROOT, file)))
const sources = new Map(files.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]))
const isGenerated = (text: string): boolean => text.startsWith('// Generated by')
const isTest = (file: string): boolean => file.startsWith('test/')

describe('tidy', () => {
  it('imports only what the house allows', () => {
    const wrong: string[] = []
    for (const [file, text] of sources) {
      const rule = ruleFor(file)
      for (const target of importsOf(text)) {
        const problem = target.startsWith('.')
          ? wrongFile(file, target, rule)
          : wrongPackage(file, target)
        if (problem !== null) wrong.push(problem)
      }
    }
    expect(wrong).toEqual([])
  })

  it('keeps files short', () => {
    const long = [...sources]
      .filter(([, text]) => !isGenerated(text))
      .map(([file, text]) => ({ file, lines: text.split('\n').length - 1 }))
      .filter(({ file, lines }) => lines > (isTest(file) ? TEST_LIMIT : LIMIT))
    expect(long).toEqual([])
  })

  it('has no banned words', () => {
    const banned = [
      /\b(TODO|FIXME|XXX)\b/,
      /\b(describe|it|test)\.(only|skip|todo)\(/,
      /\benum [A-Z]/,
      /@ts-(ignore|nocheck)/,
    ]
    const found: string[] = []
    for (const [file, text] of sources) {
      if (file === 'test/tidy.test.ts' || isGenerated(text)) continue
      for (const word of banned) {
        const hit = word.exec(text)
        if (hit !== null) found.push(`${file}: ${hit[0]}`)
      }
    }
    expect(found).toEqual([])
  })

  it('names files in kebab-case and never after nothing', () => {
    const odd = files.filter((file) => {
      const name = file.split('/').at(-1) ?? ''
      return !/^[a-z0-9]+(?:[-.][a-z0-9]+)*\.ts$/.test(name) || /^(utils|types)\.ts$/.test(name)
    })
    expect(odd).toEqual([])
  })

  it('heads every API handler with its four lists', () => {
    const bare = [...sources]
      .filter(([file]) => /^broker\/api\/\d\d-/.test(file))
      .filter(
        ([, text]) =>
          !['Versions:', 'Behaviour:', 'Added:', 'Not done:'].every((word) =>
            text.slice(0, 2000).includes(word),
          ),
      )
      .map(([file]) => file)
    expect(bare).toEqual([])
  })
})

function importsOf(text: string): readonly string[] {
  return [
    ...text.matchAll(
      /(?:^|\n)(?:import|export)\s[^'"\n]*(?:\n[^'"]*?)?from\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g,
    ),
  ].map((hit) => hit[1] ?? hit[2] ?? '')
}

function ruleFor(file: string): { readonly folder: string; readonly allowed: readonly string[] } {
  const folder = Object.keys(MAY_IMPORT)
    .filter((name) => file === name || file.startsWith(`${name}/`))
    .sort((a, b) => b.length - a.length)[0]
  if (folder === undefined) return { folder: '', allowed: ['src', 'broker', 'connect', 'tools'] }
  return { folder, allowed: MAY_IMPORT[folder] ?? [] }
}

function wrongFile(file: string, target: string, rule: ReturnType<typeof ruleFor>): string | null {
  const path = relative(ROOT, join(ROOT, dirname(file), target))
  const isInside = (name: string): boolean => path === name || path.startsWith(`${name}/`)
  if (isInside(rule.folder) || rule.allowed.some(isInside)) return null
  return `${file} imports ${path}; ${rule.folder} may import only ${rule.allowed.join(', ') || 'itself'}`
}

function wrongPackage(file: string, target: string): string | null {
  if (!EDGE_ONLY.test(target)) return null
  if (EDGES.some((edge) => file.startsWith(`${edge}/`)) || !file.includes('/')) return null
  if (NODE_IN_CORE[file]?.includes(target) === true) return null
  return `${file} imports ${target}; only ${EDGES.join(', ')} may`
}
