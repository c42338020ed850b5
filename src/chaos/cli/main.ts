#!/usr/bin/env node
import { enableCompileCache } from 'node:module'

// Compiled code is kept between runs, as in src/cli/main.ts.
enableCompileCache()
const { run } = await import('./program.ts')
await run(process.argv)
