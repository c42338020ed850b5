import { WireError } from '../../src/base/errors.ts'
import { apis } from '../../src/wire/messages/index.ts'
import { encodeToBuffer, type Api, type Input } from '../../src/wire/schema.ts'
import { SCENES } from './cases/index.ts'
import { batch, DATA_RECORDS, DATA_TOPIC, produceBody, WIDE_TOPIC } from './cases/data-scenes.ts'
import type { BodyValue, Scene, Step } from './case.ts'
import { differencesOf, type Difference } from './differences.ts'
import { normalForm } from './normal-form.ts'
import { bothOutcomes, type Outcome, type Target, type VersionRange } from './target.ts'
import type { Tolerated, ToleratedList } from './tolerated.ts'
import { bodyOfVersion, variationsOf } from './variations.ts'

export type PairState = 'equal' | 'tolerated' | 'open' | 'different' | 'not served' | 'not compared'

export interface FoundDifference extends Difference {
  readonly case: string
  readonly tolerated: Tolerated | null
}

/** One API key in one version: what came of comparing it. */
export interface Pair {
  readonly key: number
  readonly api: string
  readonly version: number
  readonly state: PairState
  readonly cases: number
  readonly differences: readonly FoundDifference[]
}

export interface ComparisonOptions {
  readonly kafka: Target
  readonly ours: Target
  readonly tolerated: ToleratedList
  /** Which keys; all when it is empty. */
  readonly keys: ReadonlySet<number>
  /** Only the cases written by hand, and only the newest and the oldest version of each key. */
  readonly isShort: boolean
  readonly onPair: (done: number, of: number, pair: Pair) => void
}

type AnyApi = Api<unknown, unknown>

interface Wanted {
  readonly api: AnyApi
  readonly version: number
  readonly isServed: boolean
}

/** Asks both clusters the same, version by version, and compares what they answer. */
export class Comparison {
  readonly #options: ComparisonOptions
  #caseNumber = 0

  constructor(options: ComparisonOptions) {
    this.#options = options
  }

  async run(): Promise<readonly Pair[]> {
    const wanted = await this.#wanted()
    await this.#prepare()
    const pairs: Pair[] = []
    for (const one of wanted) {
      const pair = await this.#comparePair(one)
      pairs.push(pair)
      this.#options.onPair(pairs.length, wanted.length, pair)
    }
    return pairs
  }

  /** Every pair that Apache advertises on one of its listeners. */
  async #wanted(): Promise<readonly Wanted[]> {
    const { kafka, ours, keys, isShort } = this.#options
    const theirs = merged(await kafka.versions('broker'), await kafka.versions('controller'))
    const own = merged(await ours.versions('broker'), await ours.versions('controller'))
    const wanted: Wanted[] = []
    for (const api of apis as readonly AnyApi[]) {
      const range = theirs.get(api.key)
      if (range === undefined || (keys.size > 0 && !keys.has(api.key))) continue
      // Old versions of Produce are advertised for the sake of librdkafka, and not served.
      const min = Math.max(range.min, api.request.validVersions[0])
      const served = own.get(api.key)
      for (let version = min; version <= range.max; version += 1) {
        if (isShort && version !== min && version !== range.max) continue
        const isServed = served !== undefined && version >= served.min && version <= served.max
        wanted.push({ api, version, isServed })
      }
    }
    return wanted
  }

  async #prepare(): Promise<void> {
    const api = apiOf(0)
    for (const target of this.#targets) {
      for (const topic of [DATA_TOPIC, WIDE_TOPIC]) await target.needTopic(topic, 0)
      const body = bodyOfVersion(
        produceBody(DATA_TOPIC.name, batch(DATA_RECORDS)),
        api.request.fields,
        9,
      )
      await target.send(api, 9, await target.fill(body, 0))
      await this.#awaitCoordinators(target)
      // The first block of producer ids has to be fetched first.
      const noTransaction = { transactionalId: null, transactionTimeoutMs: 1000 }
      await this.#sendWhenReady(target, apiOf(22), 0, noTransaction)
    }
  }

  /** The topic of the offsets is made when somebody asks for a coordinator, and not before. */
  async #awaitCoordinators(target: Target): Promise<void> {
    const find = apiOf(10)
    await this.#sendWhenReady(target, find, 0, { key: 'any' })
    const describe = apiOf(15)
    const groups = Array.from({ length: 20 }, (_, index) => `any-${index}`)
    await this.#sendWhenReady(target, describe, 0, { groups })
  }

  async #comparePair({ api, version, isServed }: Wanted): Promise<Pair> {
    const about = { key: api.key, api: api.name, version }
    const scenes = SCENES.get(api.key)
    if (!isServed || scenes === undefined) {
      return { ...about, state: 'not served', cases: 0, differences: [] }
    }
    const differences: FoundDifference[] = []
    let cases = 0
    for (const scene of this.#casesOf(scenes, api, version)) {
      const found = await this.#compare(scene, api, version)
      if (found === null) continue
      cases += 1
      for (const difference of found) {
        const tolerated = this.#options.tolerated.find(api.name, version, scene.name, difference)
        differences.push({ ...difference, case: scene.name, tolerated })
      }
    }
    const state = cases === 0 ? 'not compared' : stateOf(differences)
    return { ...about, state, cases, differences }
  }

  #casesOf(scenes: readonly Scene[], api: AnyApi, version: number): readonly Scene[] {
    const { fields } = api.request
    return scenes.flatMap((scene) => {
      const own = { ...scene, body: bodyOfVersion(scene.body, fields, version) }
      if (this.#options.isShort || scene.isVaried === false) return [own]
      return [own, ...variationsOf(own, fields, version)]
    })
  }

  /** Null when this version cannot carry the body. */
  async #compare(scene: Scene, api: AnyApi, version: number): Promise<Difference[] | null> {
    this.#caseNumber += 1
    const caseNumber = this.#caseNumber
    const { kafka, ours } = this.#options
    const bodies = await Promise.all(
      this.#targets.map((target) => this.#bodyFor(scene, target, caseNumber)),
    )
    const [theirBody, ourBody] = bodies
    if (theirBody === undefined || ourBody === undefined) return null
    if (!isEncodable(api, version, theirBody) || !isEncodable(api, version, ourBody)) return null
    const outcomes: [Outcome, Outcome] = await bothOutcomes(
      kafka.send(api, version, theirBody, scene.listener),
      ours.send(api, version, ourBody, scene.listener),
    )
    await this.#askAgain(scene, api, version, outcomes, [theirBody, ourBody])
    // What is still to come would be taken for the answer to the next request.
    if (outcomes.some(({ kind }) => kind === 'silent'))
      for (const target of this.#targets) target.close()
    return differencesOf(
      normalForm(api, version, outcomes[0], kafka, caseNumber),
      normalForm(api, version, outcomes[1], ours, caseNumber),
    )
  }

  /** One that is not ready yet when the other is (a leader just made, a block of ids on its way) is asked again. */
  async #askAgain(
    scene: Scene,
    api: AnyApi,
    version: number,
    outcomes: [Outcome, Outcome],
    bodies: readonly Input<unknown>[],
  ): Promise<void> {
    for (let attempt = 0; attempt < MAX_ASKED_AGAIN; attempt += 1) {
      const [kafka, ours] = outcomes.map(isNotReady)
      if (kafka === ours) return
      const index = kafka === true ? 0 : 1
      const [target, body] = [this.#targets[index], bodies[index]]
      if (target === undefined || body === undefined) return
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      outcomes[index] = await target.send(api, version, body, scene.listener)
    }
  }

  async #bodyFor(scene: Scene, target: Target, caseNumber: number): Promise<Input<unknown>> {
    for (const topic of scene.topics ?? []) await target.needTopic(topic, caseNumber)
    for (const step of scene.before ?? []) await this.#prelude(step, target, caseNumber)
    return target.fill(scene.body, caseNumber)
  }

  async #prelude(step: Step, target: Target, caseNumber: number): Promise<void> {
    const api = apiOf(step.key)
    const body = bodyOfVersion(step.body, api.request.fields, step.version)
    const filled = await target.fill(body, caseNumber)
    const outcome = await this.#sendWhenReady(target, api, step.version, filled)
    if (outcome.kind !== 'answer') return
    for (const [name, field] of Object.entries(step.capture ?? {})) {
      target.capture(name, (outcome.body as Record<string, BodyValue>)[field] ?? '')
    }
  }

  /** A coordinator that is just loading is asked again, as every client does. */
  async #sendWhenReady(
    target: Target,
    api: AnyApi,
    version: number,
    body: Input<unknown>,
  ): Promise<Outcome> {
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await target.send(api, version, body)
      const isLoading =
        outcome.kind === 'answer' && LOADING.test(JSON.stringify(outcome.body, errorFieldsOnly))
      if (!isLoading || attempt === MAX_ATTEMPTS) return outcome
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }

  get #targets(): readonly Target[] {
    return [this.#options.kafka, this.#options.ours]
  }
}

const MAX_ATTEMPTS = 100
const RETRY_MS = 50
/** COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR. */
const LOADING = /"errorCode":(14|15|16)\b/

const MAX_ASKED_AGAIN = 10
/** NOT_LEADER_OR_FOLLOWER, COORDINATOR_LOAD_IN_PROGRESS. */
const NOT_READY = /"errorCode":(6|14)\b/

function isNotReady(outcome: Outcome): boolean {
  return outcome.kind === 'answer' && NOT_READY.test(JSON.stringify(outcome.body, errorFieldsOnly))
}

function errorFieldsOnly(_: string, value: unknown): unknown {
  if (Buffer.isBuffer(value) || typeof value === 'bigint') return null
  return value
}

export function stateOf(differences: readonly FoundDifference[]): PairState {
  if (differences.length === 0) return 'equal'
  if (differences.some(({ tolerated }) => tolerated === null)) return 'different'
  return differences.some(({ tolerated }) => tolerated?.isOpen === true) ? 'open' : 'tolerated'
}

function isEncodable(api: AnyApi, version: number, body: Input<unknown>): boolean {
  try {
    encodeToBuffer(api.request, version, body)
    return true
  } catch (error) {
    if (error instanceof WireError) return false
    throw error
  }
}

function apiOf(key: number): AnyApi {
  const api = apis.find((candidate) => candidate.key === key)
  if (api === undefined) throw new WireError(`there is no API key ${key}`)
  return api
}

function merged(
  one: ReadonlyMap<number, VersionRange>,
  other: ReadonlyMap<number, VersionRange>,
): ReadonlyMap<number, VersionRange> {
  const both = new Map(one)
  for (const [key, range] of other) {
    const known = both.get(key)
    both.set(key, {
      min: Math.min(range.min, known?.min ?? range.min),
      max: Math.max(range.max, known?.max ?? range.max),
    })
  }
  return both
}
