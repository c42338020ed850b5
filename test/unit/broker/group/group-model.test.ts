// Goal: the invariants G1 to G5 (and in the end G9) hold for one group under any order of joins, syncs,
// commits, crashes, lost commits, failed writes, slow replication and changes of the coordinator.
// Method: random lists of actions drive model clients; GroupModel checks after each action.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { GroupModel } from '../../../support/group-model.ts'
import { GroupWorld } from '../../../support/group-world.ts'

const ACTIONS = {
  step: 12,
  commit: 4,
  oldCommit: 2,
  oldSync: 1,
  fetch: 3,
  run: 4,
  runLong: 1,
  leave: 1,
  crash: 1,
  hold: 1,
  release: 2,
  breakWrites: 1,
  mendWrites: 2,
  failOver: 1,
  failOverWithLoss: 1,
} as const

type ActionName = keyof typeof ACTIONS

const names = Object.entries(ACTIONS).flatMap(([name, weight]) =>
  Array<ActionName>(weight).fill(name as ActionName),
)
const actions = fc.array(fc.tuple(fc.constantFrom(...names), fc.nat({ max: 11 })), {
  minLength: 20,
  maxLength: 120,
})

function perform(model: GroupModel, name: ActionName, index: number): void {
  const { world } = model
  switch (name) {
    case 'step':
      return model.step(index)
    case 'commit':
      return model.commit(index, 0)
    case 'oldCommit':
      return model.commit(index, 1 + (index % 3))
    case 'oldSync':
      return model.syncAgain(index, index % 2)
    case 'fetch':
      return model.fetch()
    case 'run':
      return world.run(index * 200)
    case 'runLong':
      return world.run(index * 3000)
    case 'leave':
      return model.leave(index)
    case 'crash':
      return model.crash(index)
    case 'hold':
      world.log.isHeld = true
      return
    case 'release':
      world.log.isHeld = false
      return world.log.commit(0)
    case 'breakWrites':
      world.log.appendError = ErrorCode.NOT_ENOUGH_REPLICAS
      return
    case 'mendWrites':
      world.log.appendError = ErrorCode.NONE
      return
    case 'failOver':
      return world.failOver({ isLoading: index % 2 === 0 })
    case 'failOverWithLoss':
      return world.failOver({ losesTail: true })
  }
}

function play(list: readonly (readonly [ActionName, number])[], seed: number): GroupModel {
  const world = new GroupWorld({ seed, config: { initialRebalanceDelayMs: (seed % 3) * 500 } })
  const model = new GroupModel(world, 3, 2)
  for (const [name, index] of list) {
    perform(model, name, index)
    model.check()
  }
  world.log.isHeld = false
  world.log.appendError = ErrorCode.NONE
  world.log.commit(0)
  world.run(1)
  model.settle()
  model.checkLog()
  return model
}

describe('a group under random events', () => {
  it('keeps its invariants and comes to rest', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(actions, fc.nat({ max: 1000 }), (list, seed) => {
        play(list, seed)
      }),
      { numRuns: 60 },
    )
  })

  it('gives the same events twice for the same seed', () => {
    const [list] = fc.sample(actions, { numRuns: 1, seed: 7 })
    const hashes = [1, 2].map(() => JSON.stringify(play(list!, 5).world.events))
    expect(hashes[0]).toBe(hashes[1])
  })
})
