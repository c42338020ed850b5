import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CampaignState } from '../../../../../src/chaos/campaign/campaign-state.ts'
import { outcome } from '../../../../support/fake-seed-runner.ts'

const HEADER = { profile: 'data', size: 'full', commit: 'abc' } as const
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'campaign-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('CampaignState', () => {
  it('goes on with the outcomes that were written', () => {
    const state = CampaignState.create(folder, HEADER)
    state.add(outcome(1))
    state.add(outcome(2, { verdict: 'fail', invariant: 'R1' }))
    const { done } = CampaignState.resume(folder, HEADER)
    expect(done).toEqual([outcome(1), outcome(2, { verdict: 'fail', invariant: 'R1' })])
  })

  it('leaves out a line that was cut, and writes the next one behind whole ones', () => {
    const state = CampaignState.create(folder, HEADER)
    state.add(outcome(1))
    appendFileSync(state.path, '{"seed":2,"verd')
    const resumed = CampaignState.resume(folder, HEADER)
    expect(resumed.done.map(({ seed }) => seed)).toEqual([1])
    resumed.state.add(outcome(3))
    expect(readFileSync(state.path, 'utf8').split('\n')).toHaveLength(4)
    expect(CampaignState.resume(folder, HEADER).done.map(({ seed }) => seed)).toEqual([1, 3])
  })

  it('reads lines longer than what it reads at a time', () => {
    const state = CampaignState.create(folder, HEADER)
    const long = outcome(1, { verdict: 'fail', reason: 'ä'.repeat(1_500_000) })
    state.add(long)
    state.add(outcome(2))
    expect(CampaignState.resume(folder, HEADER).done).toEqual([long, outcome(2)])
    expect(CampaignState.resume(folder, HEADER).done).toHaveLength(2)
  })

  it('begins anew where there is nothing, and when it is not to resume', () => {
    expect(CampaignState.resume(join(folder, 'new'), HEADER).done).toEqual([])
    CampaignState.create(folder, HEADER).add(outcome(1))
    CampaignState.create(folder, HEADER)
    expect(CampaignState.resume(folder, HEADER).done).toEqual([])
  })

  it('refuses what another profile, size or commit has left', () => {
    CampaignState.create(folder, HEADER)
    expect(() => CampaignState.resume(folder, { ...HEADER, commit: 'def' })).toThrow(
      /holds profile data of commit abc, not profile data of commit def/,
    )
    expect(() => CampaignState.resume(folder, { ...HEADER, profile: 'all' })).toThrow(
      /not profile all of/,
    )
    expect(() => CampaignState.resume(folder, { ...HEADER, size: 'small' })).toThrow(
      /holds profile data of commit abc, not profile data \(small\) of commit abc/,
    )
  })
})
