import { simFailover } from './sim-failover.ts'

// Prints the trace hash of one simulated failover: node test/support/print-sim-trace.ts SEED

const seed = Number(process.argv[2] ?? '1')
process.stdout.write(`${simFailover(seed, { losesUnsynced: false }).hash}\n`)
