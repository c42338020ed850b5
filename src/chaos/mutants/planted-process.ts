import { fileURLToPath } from 'node:url'

/** Read by plant.ts: which of the planted bugs. */
export const PLANT_VARIABLE = 'KAFKETTE_SIM_MUTANT'
const PLANT = fileURLToPath(new URL('plant.ts', import.meta.url))

/** What a Node process is started with so that it has the bug of this name. */
export interface PlantedStart {
  readonly execArgv: readonly string[]
  readonly env: NodeJS.ProcessEnv
}

export function plantedStart(name: string): PlantedStart {
  return { execArgv: ['--import', PLANT], env: { ...process.env, [PLANT_VARIABLE]: name } }
}
