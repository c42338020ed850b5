import { describe, expect, it, vi } from 'vitest'
import { ClientHost } from '../../../../../src/chaos/real/client-host.ts'
import { SimRandom } from '../../../../../src/sim/sim-random.ts'

function host(): ClientHost {
  return new ClientHost('client-1', SimRandom.ofSeed(1), () => undefined)
}

describe('the machine of a client', () => {
  it('does in a burst, in order, what fell into a pause', async () => {
    const client = host()
    const { clock } = client.begin()
    const seen: string[] = []
    client.pause()
    clock.after(0, 'a', () => seen.push('a'))
    const cancelled = clock.after(1, 'b', () => seen.push('b'))
    clock.after(2, 'c', () => seen.push('c'))
    await new Promise((resolve) => {
      setTimeout(resolve, 10)
    })
    expect(seen).toEqual([])
    clock.cancel(cancelled)
    client.resume()
    expect(seen).toEqual(['a', 'c'])
  })

  it('is silent after a crash, and lives again', async () => {
    const client = host()
    const seen: string[] = []
    const first = client.begin()
    first.clock.after(0, 'old', () => seen.push('old'))
    client.crash()
    expect(client.isUp).toBe(false)
    const second = client.begin()
    second.clock.after(1, 'new', () => seen.push('new'))
    await vi.waitFor(() => expect(seen).toEqual(['new']))
    expect(client.isUp).toBe(true)
  })
})
