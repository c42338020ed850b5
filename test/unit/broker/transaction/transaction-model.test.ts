// Goal: under any order of requests, retries, slow and lost commits, refused writes, refused markers and changes of the
// coordinator, memory is the fold of the log, no transaction gets two outcomes, a commit that was promised is written
// everywhere, and every request is answered once. Method: random lists of actions over a log in memory.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { TransactionWorld, type Told } from '../../../support/transaction-world.ts'

/** What protocols 0 and 1 answer to an end that is decided. */
const NO_IDENTITY = '-1/-1'
const IDS = ['t', 'u'] as const
const ACTIONS = {
  begin: 2,
  goOn: 1,
  add: 8,
  commit: 5,
  abort: 3,
  endAgain: 2,
  run: 5,
  runLong: 1,
  hold: 1,
  release: 4,
  refuseWrites: 1,
  takeWrites: 4,
  refuseMarkers: 1,
  takeMarkers: 4,
  failOver: 1,
  failOverWithLoss: 1,
  changeLevel: 1,
} as const

type ActionName = keyof typeof ACTIONS

const names = Object.entries(ACTIONS).flatMap(([name, weight]) =>
  Array<ActionName>(weight).fill(name as ActionName),
)
const actions = fc.array(fc.tuple(fc.constantFrom(...names), fc.nat({ max: 11 })), {
  minLength: 40,
  maxLength: 100,
})

/** An EndTxn with what its producer had in the transaction. */
interface AskedEnd {
  readonly told: Told[]
  readonly isCommit: boolean
  readonly producer: string
  readonly protocol: 0 | 2
  readonly partitions: readonly number[]
}

/** The producers of the two transactional ids as they see themselves. */
class Producers {
  readonly world: TransactionWorld
  readonly answers: Told[][] = []
  readonly ends: AskedEnd[] = []
  readonly #identities = new Map<string, string>()
  /** Answers that may still come, each with what it means. */
  #open: (readonly [Told[], () => void])[] = []
  readonly #added = new Map<string, number[]>()
  readonly #lastEnd = new Map<string, () => Told[]>()

  constructor(world: TransactionWorld) {
    this.world = world
  }

  begin(id: string, expected: string | null): void {
    const told = this.world.init(expected, { transactionalId: id, timeoutMs: 20_000 })
    this.#await(told, () => {
      if (isIdentity(told)) this.#identities.set(id, told[0]!)
      this.#added.set(id, [])
    })
  }

  goOn(id: string): void {
    this.begin(id, this.#identities.get(id) ?? null)
  }

  add(id: string, partition: number): void {
    const producer = this.#identities.get(id)
    if (producer === undefined) return
    const told = this.world.addTo(id, producer, [partition], this.world.level === 2 ? 2 : 0)
    this.#await(told, () => {
      if (told[0] === 'NONE') this.#added.set(id, [...(this.#added.get(id) ?? []), partition])
    })
  }

  end(id: string, isCommit: boolean): void {
    const producer = this.#identities.get(id)
    if (producer === undefined) return
    const protocol = this.world.level === 2 ? 2 : 0
    const ask = (): Told[] => this.world.endOf(id, producer, isCommit, protocol)
    this.#lastEnd.set(id, ask)
    const told = ask()
    const partitions = this.#added.get(id) ?? []
    this.ends.push({ told, isCommit, producer, protocol, partitions })
    this.#await(told, () => {
      if (protocol === 2 && isIdentity(told)) this.#identities.set(id, told[0]!)
      if (isIdentity(told) || told[0] === NO_IDENTITY) this.#added.set(id, [])
    })
  }

  endAgain(id: string): void {
    const ask = this.#lastEnd.get(id)
    if (ask !== undefined) this.answers.push(ask())
  }

  /** Takes up the answers that have come since. */
  listen(): void {
    const open = this.#open
    this.#open = open.filter(([told]) => told.length === 0)
    for (const [told, act] of open) if (told.length > 0) act()
  }

  #await(told: Told[], act: () => void): void {
    this.answers.push(told)
    this.#open.push([told, act])
    this.listen()
  }
}

function isIdentity(told: Told[]): boolean {
  return /^\d+\/\d+$/.test(told[0] ?? '')
}

function perform(producers: Producers, name: ActionName, index: number): void {
  const { world } = producers
  const id = IDS[index % 2]!
  switch (name) {
    case 'begin':
      return producers.begin(id, null)
    case 'goOn':
      return producers.goOn(id)
    case 'add':
      return producers.add(id, index % 3)
    case 'commit':
      return producers.end(id, true)
    case 'abort':
      return producers.end(id, false)
    case 'endAgain':
      return producers.endAgain(id)
    case 'run':
      return world.run(index * 20)
    case 'runLong':
      return world.run(index * 2500)
    case 'hold':
      world.log.isHeld = true
      return
    case 'release':
      world.log.isHeld = false
      return world.log.commit(0)
    case 'refuseWrites':
      world.log.appendError = ErrorCode.NOT_ENOUGH_REPLICAS
      return
    case 'takeWrites':
      world.log.appendError = ErrorCode.NONE
      return
    case 'refuseMarkers':
      world.markerError = (_, __, partition) =>
        partition === index % 3 ? ErrorCode.NOT_ENOUGH_REPLICAS : ErrorCode.NONE
      return
    case 'takeMarkers':
      world.markerError = () => ErrorCode.NONE
      return
    case 'failOver':
      return world.failOver()
    case 'failOverWithLoss':
      return world.failOver({ losesTail: true })
    case 'changeLevel':
      world.level = index % 3
  }
}

/** By `producer/epoch partition`, commit or abort. */
function outcomes(world: TransactionWorld): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [index, marker] of world.markers.entries()) {
    // Without the bump of protocol 2 one epoch may stand for many transactions.
    if (world.protocols[index] !== 2) continue
    const [partition = '', result = '', producer = ''] = marker.split(' ')
    const key = `${producer} ${partition}`
    expect(found.get(key) ?? result, `one outcome of ${key}`).toBe(result)
    found.set(key, result)
  }
  return found
}

/** Nothing stands in the way any more, and what waits is carried out. */
function mend(world: TransactionWorld): void {
  world.markerError = () => ErrorCode.NONE
  world.log.appendError = ErrorCode.NONE
  world.log.isHeld = false
  world.log.commit(0)
  world.run(1000)
}

/** Returns how many markers were promised. */
function check(list: readonly (readonly [ActionName, number])[], seed: number): number {
  const world = new TransactionWorld({ seed, level: Math.min(2, seed % 5) })
  const producers = new Producers(world)
  for (const [name, index] of list) {
    producers.listen()
    perform(producers, name, index)
    expect(world.dump()).toBe(world.replayedDump())
    for (const told of producers.answers) expect(told.length).toBeLessThanOrEqual(1)
  }
  mend(world)
  for (const told of producers.answers) expect(told).toHaveLength(1)
  expect(world.dump()).toBe(world.replayedDump())
  expect(world.dump()).not.toContain('Prepare')
  const written = outcomes(world)
  let promised = 0
  for (const { told, isCommit, producer, protocol, partitions } of producers.ends) {
    if (protocol === 0 || !isIdentity(told)) continue
    const [producerId, epoch] = producer.split('/').map(Number)
    const marker = `${producerId}/${epoch! + 1}`
    for (const partition of partitions) {
      promised += 1
      expect(written.get(`${marker} foo-${partition}`)).toBe(isCommit ? 'commit' : 'abort')
    }
  }
  return promised
}

describe('the transaction coordinator', () => {
  it('keeps its promises under any order of events', () => {
    let promised = 0
    fc.assert(
      fc.property(actions, fc.nat({ max: 1000 }), (list, seed) => {
        promised += check(list, seed)
      }),
      { numRuns: 120, seed: 7 },
    )
    expect(promised).toBeGreaterThan(50)
  })
})
