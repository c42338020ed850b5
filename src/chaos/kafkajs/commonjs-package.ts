import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { compileFunction } from 'node:vm'
import { present } from '../../base/assert.ts'

const MODULE_PARAMETERS = 'exports, require, module, __filename, __dirname'

type ModuleFunction = (...values: readonly unknown[]) => void
type BoundToGlobals = (...globals: readonly unknown[]) => ModuleFunction

interface CompiledModule {
  readonly bind: BoundToGlobals
  readonly resolve: (request: string) => string
}

/** What code of the package finds under these names instead of what Node has there. */
export interface SandboxNames {
  readonly globals: Readonly<Record<string, unknown>>
  /** By name as `require` is called with it; a module that is not here is refused. */
  readonly modules: Readonly<Record<string, unknown>>
}

/**
 * A CommonJS package, unmodified, that can be brought to life many times over, each time under other globals.
 * They are shadowed by function parameters; so the package sees them everywhere, and nothing outside it does.
 * The compiled functions hold no state and are shared by all lives.
 */
export class CommonjsPackage {
  readonly #entry: string
  readonly #globalNames: readonly string[]
  readonly #compiled = new Map<string, CompiledModule>()

  /** `globalNames` are the names that every life has to give. */
  constructor(name: string, globalNames: readonly string[]) {
    this.#entry = createRequire(import.meta.url).resolve(name)
    this.#globalNames = globalNames
  }

  /** Runs the package's main module anew, with all its modules, and returns what it exports. */
  instantiate(names: SandboxNames): unknown {
    const values = this.#globalNames.map((name) =>
      present(names.globals[name] ?? null, `the global ${name} of a sandbox`),
    )
    const loaded = new Map<string, { exports: unknown }>()
    const load = (file: string): unknown => {
      const known = loaded.get(file)
      if (known !== undefined) return known.exports
      const module = { exports: {} as unknown }
      loaded.set(file, module)
      if (file.endsWith('.json')) {
        module.exports = JSON.parse(readFileSync(file, 'utf8'))
        return module.exports
      }
      const { bind, resolve } = this.#compile(file)
      const require = (request: string): unknown => {
        if (request.startsWith('.')) return load(resolve(request))
        if (Object.hasOwn(names.modules, request)) return names.modules[request]
        throw new Error(`the sandbox has no module "${request}"`)
      }
      bind(...values)(module.exports, require, module, file, dirname(file))
      return module.exports
    }
    return load(this.#entry)
  }

  #compile(file: string): CompiledModule {
    const known = this.#compiled.get(file)
    if (known !== undefined) return known
    // In two layers, for a module may declare a name of its own that is also one of the globals.
    const source = `return function (${MODULE_PARAMETERS}) {${readFileSync(file, 'utf8')}\n}`
    const compiled: CompiledModule = {
      bind: compileFunction(source, [...this.#globalNames], { filename: file }) as BoundToGlobals,
      resolve: createRequire(file).resolve,
    }
    this.#compiled.set(file, compiled)
    return compiled
  }
}
