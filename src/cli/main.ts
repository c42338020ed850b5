#!/usr/bin/env node
import { enableCompileCache } from 'node:module'

// Compiled code is kept between runs, so that the second start takes a fraction of the first; only what is
// imported after this line profits.
enableCompileCache()
const { run } = await import('./program.ts')
await run(process.argv)
