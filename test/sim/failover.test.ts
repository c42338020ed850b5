// Goal: the broker that serves TCP clients also runs in the simulated world, survives its leader there,
// and one seed gives one trace. Method: three whole brokers, a callback client that produces with
// acks=all, a crash of the partition leader under load, its return; the run is made twice.
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { withForbiddenGlobals } from '../../src/sim/forbidden-globals.ts'
import { simFailover } from '../support/sim-failover.ts'

describe('failover in simulation', () => {
  it('elects a leader out of the ISR and loses nothing that was acked', () => {
    const { acked, log, oldLeader, newLeader, isr } = withForbiddenGlobals(() =>
      simFailover(1, { losesUnsynced: false }),
    )
    expect(newLeader).not.toBe(oldLeader)
    expect(isr.toSorted((a, b) => a - b)).toEqual([1, 2, 3])
    expect(acked.filter((value) => !log.includes(value))).toEqual([])
  })

  it('survives a power cut of the leader that loses its unsynced tail', () => {
    const { acked, log, newLeader, oldLeader } = simFailover(2, { losesUnsynced: true })
    expect(newLeader).not.toBe(oldLeader)
    expect(acked.filter((value) => !log.includes(value))).toEqual([])
  })

  it('gives the same trace for the same seed, also after another seed in between', () => {
    const first = simFailover(7, { losesUnsynced: false })
    const other = simFailover(8, { losesUnsynced: false })
    const again = simFailover(7, { losesUnsynced: false })
    expect(again.rows).toBe(first.rows)
    expect(again.hash).toBe(first.hash)
    expect(other.hash).not.toBe(first.hash)
  })

  it('gives the same trace in fresh processes, in another time zone and locale, with a small heap', () => {
    const script = new URL('../support/print-sim-trace.ts', import.meta.url).pathname
    const hashOf = (env: Record<string, string>, flags: readonly string[]): string =>
      execFileSync(process.execPath, [...flags, script, '7'], {
        env: { ...process.env, ...env },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim()
    const here = simFailover(7, { losesUnsynced: false }).hash
    expect(hashOf({ TZ: 'UTC', LANG: 'C' }, [])).toBe(here)
    expect(
      hashOf({ TZ: 'Asia/Kathmandu', LANG: 'de_DE.UTF-8' }, ['--max-old-space-size=128']),
    ).toBe(here)
  })
})
