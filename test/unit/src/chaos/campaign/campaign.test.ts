// Goal: every seed ends with an outcome, whatever its worker does. Method: workers that run nothing.
import { describe, expect, it } from 'vitest'
import {
  MAX_FAILURES,
  runCampaign,
  type CampaignOptions,
} from '../../../../../src/chaos/campaign/campaign.ts'
import { WorkerProcess, type SeedWorker } from '../../../../../src/chaos/campaign/worker-process.ts'
import { outcome, runSeed } from '../../../../support/fake-seed-runner.ts'

const RUNNER = new URL('../../../../support/fake-seed-runner.ts', import.meta.url).href

function options(given: Partial<CampaignOptions>): CampaignOptions {
  return {
    swarm: { profile: 'data', size: 'full' },
    seeds: [1, 2, 3],
    done: [],
    workers: 2,
    keepGoing: false,
    createWorker: () => ({ run: (seed) => runSeed({ seed }), close: () => undefined }),
    onOutcome: () => undefined,
    signal: new AbortController().signal,
    ...given,
  }
}

describe('runCampaign', () => {
  it('gives the outcomes in the order of the seeds, whichever ends first', async () => {
    const seeds = [905, 1, 2, 3]
    const heard: number[] = []
    const result = await runCampaign(
      options({ seeds, onOutcome: ({ seed }) => void heard.push(seed) }),
    )
    expect(result.outcomes.map(({ seed }) => seed)).toEqual(seeds)
    expect(heard).toEqual([1, 2, 3, 905])
    expect(result).toMatchObject({ ending: 'complete', ranNow: 4 })
  })

  it('does not run again what is done, and keeps its outcome', async () => {
    const done = [outcome(2, { traceHash: 'from before' })]
    const result = await runCampaign(options({ done }))
    expect(result.outcomes.map(({ traceHash }) => traceHash)).toEqual([
      'hash of 1',
      'from before',
      'hash of 3',
    ])
    expect(result.ranNow).toBe(2)
  })

  it('makes a new worker when one dies, and loses no other seed', async () => {
    let made = 0
    const createWorker = (): SeedWorker => {
      made += 1
      return {
        run: async (seed) => {
          if (seed === 2) throw new Error('the worker died')
          return outcome(seed)
        },
        close: () => undefined,
      }
    }
    const { outcomes } = await runCampaign(options({ createWorker, workers: 1 }))
    expect(outcomes.map(({ verdict }) => verdict)).toEqual(['pass', 'harness-error', 'pass'])
    expect(outcomes[1]?.reason).toBe('the worker died')
    expect(made).toBe(2)
  })

  it('ends after many failures unless it is to keep going', async () => {
    const seeds = Array.from({ length: 3 * MAX_FAILURES }, (_, index) => index)
    const createWorker = (): SeedWorker => ({
      run: async (seed) => outcome(seed, { verdict: 'stuck' }),
      close: () => undefined,
    })
    const ended = await runCampaign(options({ seeds, createWorker, workers: 1 }))
    expect(ended.ending).toBe('too-many-failures')
    expect(ended.outcomes).toHaveLength(MAX_FAILURES)
    const all = await runCampaign(options({ seeds, createWorker, keepGoing: true }))
    expect(all.ending).toBe('complete')
  })

  it('gives up the seeds under way when it is aborted, and tells what it has', async () => {
    const interrupt = new AbortController()
    const result = await runCampaign(
      options({
        seeds: [1, 903, 3],
        workers: 1,
        signal: interrupt.signal,
        createWorker: () => {
          const end = Promise.withResolvers<never>()
          return {
            run: (seed) => {
              if (seed !== 903) return runSeed({ seed })
              interrupt.abort()
              return end.promise
            },
            close: () => end.reject(new Error('closed')),
          }
        },
      }),
    )
    expect(result.ending).toBe('interrupted')
    expect(result.outcomes.map(({ seed }) => seed)).toEqual([1])
  })

  it('takes a process that dies, hangs or throws for a harness error of that seed only', async () => {
    const { outcomes } = await runCampaign(
      options({
        seeds: [1, 902, 903, 904, 2, 901],
        createWorker: () => new WorkerProcess({ wallLimitMs: 4000, runner: RUNNER }),
      }),
    )
    expect(outcomes.map(({ verdict }) => verdict)).toEqual([
      'pass',
      'harness-error',
      'harness-error',
      'harness-error',
      'pass',
      'fail',
    ])
    const [, died, hung, threw] = outcomes
    expect(died?.reason).toMatch(/^the worker process ended with code 9/)
    expect(hung?.reason).toBe('the worker process gave no answer in 4000 ms and was killed')
    expect(threw?.reason).toMatch(/ended with code 1: [^]*no such seed/)
  })
})
