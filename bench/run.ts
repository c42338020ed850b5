import { readdirSync } from 'node:fs'
import { didYouMean } from '../src/base/nearest-name.ts'

// `npm run bench` lists the questions, `npm run bench NAME` answers one.

const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && file !== 'run.ts')
  .map((file) => file.slice(0, -'.ts'.length))
  .sort()
const [name] = process.argv.slice(2)

if (name === undefined || name === '--help') {
  process.stdout.write(`npm run bench NAME, with NAME one of: ${names.join(', ')}\n`)
} else if (names.includes(name)) {
  await import(`./${name}.ts`)
} else {
  process.stderr.write(
    `unknown benchmark "${name}"${didYouMean(name, names)}; there are ${names.join(', ')}\n`,
  )
  process.exitCode = 2
}
