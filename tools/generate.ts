/** Rewrites every generated file from the tables in tools/protocol and tools/configs: `npm run generate`. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { apiCoverage } from './api-coverage.ts'
import { generateConfigKeys } from './generate-configs.ts'
import { generateReleases } from './generate-releases.ts'
import { plantedBugs } from './planted-bugs.ts'
import { generateProtocol } from './protocol-files.ts'

const ROOT = join(import.meta.dirname, '..')
/** Folders in which nothing but generated files lives. */
const OWNED_FOLDERS = ['src/wire/messages', 'src/wire/records']

const files = generateProtocol()
files.set('broker/config-keys.ts', generateConfigKeys())
files.set('broker/server/protocol-releases.ts', generateReleases())
files.set('docs/reference/api-coverage.md', apiCoverage())
files.set('docs/reference/planted-bugs.md', plantedBugs())
for (const folder of OWNED_FOLDERS) {
  mkdirSync(join(ROOT, folder), { recursive: true })
  for (const name of readdirSync(join(ROOT, folder))) {
    if (!files.has(`${folder}/${name}`)) rmSync(join(ROOT, folder, name))
  }
}
for (const [path, text] of files) {
  mkdirSync(dirname(join(ROOT, path)), { recursive: true })
  writeFileSync(join(ROOT, path), text)
}
console.log(`${files.size} files written`)
