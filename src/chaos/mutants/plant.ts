import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { present } from '../../base/assert.ts'
import { plantedSource } from './mutant.ts'
import { MUTANTS } from './mutants.ts'
import { PLANT_VARIABLE } from './planted-process.ts'

// Imported before all else (`node --import`) by a process that is to have one bug: the source of the mutant's
// file is changed on its way from the disk to the compiler. Loading it a second way would go unnoticed, so
// the process ends when the file is asked for and its text is not the expected one.

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

const name = process.env[PLANT_VARIABLE]
const mutant = present(
  MUTANTS.find((each) => each.name === name),
  `${PLANT_VARIABLE}=${name}: a mutant`,
)
const target = `${ROOT}${mutant.file}`

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (!url.startsWith('file:') || fileURLToPath(url) !== target) return loaded
    const source = present(loaded.source, `the source of ${mutant.file}`)
    const text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString()
    return { ...loaded, source: plantedSource(mutant, text) }
  },
})
