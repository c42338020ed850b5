import { enableCompileCache } from 'node:module'
import type { RunnerModule, SeedRequest } from './worker-messages.ts'

// One worker of a campaign: a process that runs the seeds it is told, one after another, with the runner of
// the module named by its argument. It ends when its parent does.

enableCompileCache()
// Refused requests are thousands of errors whose stacks nobody reads, a tenth of the time; `--seed` has them.
Error.stackTraceLimit = 0
const [runner = new URL('run-seed.ts', import.meta.url).href] = process.argv.slice(2)
const { runSeed } = (await import(runner)) as RunnerModule
let last: Promise<void> = Promise.resolve()

process.on('message', (request: SeedRequest) => {
  last = last.then(async () => {
    process.send?.(await runSeed(request))
  })
})
process.on('disconnect', () => process.exit())
// The terminal sends Ctrl-C to all processes of the group; what it means is the parent's to say.
process.on('SIGINT', () => undefined)
