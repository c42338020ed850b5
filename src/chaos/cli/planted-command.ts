import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { ConfigError } from '../../base/errors.ts'
import { didYouMean } from '../../base/nearest-name.ts'
import { MUTANTS } from '../mutants/mutants.ts'
import { plantedStart } from '../mutants/planted-process.ts'

/** Runs the same command line in a process with this bug planted; its exit code. */
export async function plantedCommand(name: string, argv: readonly string[]): Promise<number> {
  const names = MUTANTS.map((mutant) => mutant.name)
  if (!names.includes(name)) {
    throw new ConfigError(`there is no mutant "${name}"${didYouMean(name, names)}`)
  }
  const { execArgv, env } = plantedStart(name)
  const [, main = '', ...rest] = argv
  const child = spawn(process.execPath, [...process.execArgv, ...execArgv, main, ...rest], {
    env,
    stdio: 'inherit',
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return code ?? 1
}
