import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it } from 'vitest'
import type { NodeEvent } from '../../../../src/ports/events.ts'
import { DiagnosticsEvents, EVENT_CHANNEL } from '../../../../src/real/diagnostics-events.ts'
import { NodeClock } from '../../../../src/real/node-clock.ts'

describe('diagnostics events', () => {
  it('reach the subscribers of the channel and the own listener with node and time', () => {
    const heard: unknown[] = []
    const own: NodeEvent[] = []
    const listener = (event: unknown): void => void heard.push(event)
    const sink = new DiagnosticsEvents('broker-1', new NodeClock(), (event) => own.push(event))
    sink.emit('quorum.elected', { leader: 1 })
    subscribe(EVENT_CHANNEL, listener)
    sink.emit('quorum.elected', { leader: 2, voters: [1, 2, 3] })
    unsubscribe(EVENT_CHANNEL, listener)
    expect(own.map((event) => event.fields.leader)).toEqual([1, 2])
    expect(heard).toEqual([
      {
        atMs: expect.any(Number),
        node: 'broker-1',
        kind: 'quorum.elected',
        fields: { leader: 2, voters: [1, 2, 3] },
      },
    ])
  })

  it('do not even look at the clock while nobody listens', () => {
    const clock = new NodeClock()
    clock.monoMs = () => expect.fail('looked at the clock')
    new DiagnosticsEvents('broker-1', clock).emit('x.y', {})
  })
})
