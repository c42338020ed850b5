import { beforeEach, describe, expect, it } from 'vitest'
import { NodeLives } from '../../../../../src/chaos/real/node-lives.ts'
import { StageNodeStub } from '../../../../support/stage-node-stub.ts'

let failures: string[]
let lives: NodeLives
let node: StageNodeStub

beforeEach(() => {
  failures = []
  lives = new NodeLives(({ name }, error) => {
    failures.push(`${name}: ${String(error)}`)
  })
  node = new StageNodeStub('n1')
})

describe('the lives of nodes', () => {
  it('tells of a start that fails by itself', async () => {
    lives.start(node)
    expect(lives.starting).toBe('n1')
    node.fail('no disk')
    await node.settled()
    expect(failures).toEqual(['n1: Error: no disk'])
    expect(lives.starting).toBeNull()
  })

  it.each(['kill', 'shutDown'] as const)(
    'does not blame a node for a start that a %s ended, and can start it again',
    async (end) => {
      lives.start(node)
      await lives[end](node)
      expect(failures).toEqual([])
      expect(lives.starting).toBeNull()
      lives.start(node)
      node.serve()
      await node.settled()
      expect(node.isUp).toBe(true)
      expect(node.starts).toBe(2)
      await node.kill()
      lives.start(node)
      node.fail('of itself')
      await node.settled()
      expect(failures).toEqual(['n1: Error: of itself'])
    },
  )

  it('starts a node once at a time, and not when it is up', async () => {
    lives.start(node)
    lives.start(node)
    node.serve()
    await node.settled()
    lives.start(node)
    expect(node.starts).toBe(1)
  })

  it('ends a start that gets its process after the kill, and starts nothing after the close', async () => {
    node.isWaiting = true
    lives.start(node)
    expect(node.isUp).toBe(false)
    const closing = lives.close([node])
    node.beginNow()
    await closing
    expect(node.isUp).toBe(false)
    lives.start(node)
    expect(node.starts).toBe(1)
    expect(failures).toEqual([])
  })
})
