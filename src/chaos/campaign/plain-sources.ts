import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const FOLDERS = ['src', 'broker', 'connect'] as const
/** Below the packages, so that the copies find them. */
const PLACE = join(ROOT, 'node_modules', '.cache', 'kafkette-sim')
const TYPESCRIPT_IMPORT = /((?:from|import)\s*\(?\s*['"]\.[^'"]*)\.ts(['"])/g

/** The sources as JavaScript, in a folder of this process. */
export interface PlainSources extends Disposable {
  /** Where the copy of a file of ours is. */
  pathOf(file: string): string
}

/**
 * Copies all sources without their types. Node's own stripper is WebAssembly, which there is none of with
 * `--jitless`.
 */
export function plainSources(): PlainSources {
  const folder = join(PLACE, String(process.pid))
  for (const top of FOLDERS) {
    for (const name of readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })) {
      if (name.endsWith('.ts')) copyPlain(join(top, name), folder)
    }
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
  return {
    pathOf: (file) => join(folder, plainName(relative(ROOT, file))),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function copyPlain(file: string, folder: string): void {
  const source = stripTypeScriptTypes(readFileSync(join(ROOT, file), 'utf8'))
  const target = join(folder, plainName(file))
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, source.replaceAll(TYPESCRIPT_IMPORT, '$1.js$2'))
}

function plainName(file: string): string {
  return file.replace(/\.ts$/, '.js')
}
