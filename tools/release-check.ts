import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Packs the build, installs the package into an empty project and uses it as a stranger would: types, one broker,
// the command line.

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'kafkette-release-'))

const USER_CODE = `import { startCluster, type Cluster } from 'kafkette'

const cluster: Cluster = await startCluster({ brokers: 1 })
if (cluster.bootstrapServers === '') throw new Error('no address')
await cluster.broker(1).kill()
await cluster.broker(1).restart()
await cluster.stop()
await using processes = await startCluster({ brokers: 2, isolation: 'process' })
if (processes.brokers.some(({ pid }) => pid === process.pid)) throw new Error('not a process')
console.log('used')
`
const TSCONFIG = {
  compilerOptions: {
    target: 'es2024',
    module: 'nodenext',
    strict: true,
    types: ['node'],
    typeRoots: [join(ROOT, 'node_modules/@types')],
    skipLibCheck: false,
    noEmit: true,
    lib: ['es2024', 'esnext.disposable'],
  },
  files: ['use.ts'],
}

try {
  const packed = run('npm', ['pack', '--json', '--pack-destination', directory], ROOT)
  const { filename, files } = firstPackage(packed)
  const names = files.map(({ path }) => path)
  for (const wanted of [
    'package.json',
    'README.md',
    'dist/src/index.js',
    'dist/src/index.d.ts',
    'dist/src/cli/main.js',
  ]) {
    if (!names.includes(wanted)) throw new Error(`the package lacks ${wanted}`)
  }
  const foreign = names.filter(
    (name) => !/^(dist\/|README\.md|CHANGELOG\.md|package\.json|LICENSE)/.test(name),
  )
  if (foreign.length > 0) throw new Error(`the package carries ${foreign.join(', ')}`)
  writeFileSync(join(directory, 'package.json'), '{"type":"module","private":true}')
  writeFileSync(join(directory, 'use.ts'), USER_CODE)
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', `./${filename}`], directory)
  run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', directory], directory)
  expectText(run(process.execPath, ['use.ts'], directory), 'used')
  const cli = join(directory, 'node_modules/.bin/kafkette')
  expectText(run(process.execPath, [cli, '--help'], directory), 'connect-standalone')
  process.stdout.write(
    `release check: ${names.length} files, types, code and command line work from the package\n`,
  )
} finally {
  rmSync(directory, { recursive: true, force: true })
}

function run(command: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(
      `${command} ${args.join(' ')} failed in ${readdirSync(cwd).join(' ')}\n${stdout ?? ''}${stderr ?? ''}`,
      { cause: error },
    )
  }
}

function firstPackage(json: string): { filename: string; files: { path: string }[] } {
  const parsed = JSON.parse(json) as unknown
  const list = Array.isArray(parsed) ? parsed : Object.values(parsed as object)
  return list[0] as { filename: string; files: { path: string }[] }
}

function expectText(text: string, wanted: string): void {
  if (!text.includes(wanted)) throw new Error(`expected "${wanted}" in: ${text}`)
}
