/** What a member of a cooperative group says when it joins. */
export interface CooperativeMember {
  readonly memberId: string
  /** What it has, as of `generation`. */
  readonly owned: readonly number[]
  readonly generation: number
}

/**
 * Shares out the partitions of one topic: evenly, each member keeping what it has as far as its share allows. A
 * partition that moves is given to nobody in this round: its owner gives it up first, and the next round hands it
 * on (the contract of Kafka's CooperativeStickyAssignor, KIP-429).
 */
export function assignCooperatively(
  partitionCount: number,
  members: readonly CooperativeMember[],
): ReadonlyMap<string, readonly number[]> {
  const sorted = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
  const owners = ownersOf(sorted, partitionCount)
  const target = new Map<string, number[]>(sorted.map(({ memberId }) => [memberId, []]))
  const least = Math.floor(partitionCount / sorted.length)
  let extra = partitionCount % sorted.length
  const homeless: number[] = []
  for (const { memberId } of sorted) {
    const owned = [...owners].filter(([, owner]) => owner === memberId).map(([each]) => each)
    const isLarger = owned.length > least && extra > 0
    if (isLarger) extra -= 1
    const kept = owned.slice(0, least + (isLarger ? 1 : 0))
    target.set(memberId, kept)
    homeless.push(...owned.slice(kept.length))
  }
  for (let partition = 0; partition < partitionCount; partition += 1) {
    if (!owners.has(partition)) homeless.push(partition)
  }
  handOut(
    homeless.sort((a, b) => a - b),
    target,
    owners,
  )
  return target
}

/** Gives each to the member with the fewest, but what still belongs to another only counts. */
function handOut(
  partitions: readonly number[],
  target: ReadonlyMap<string, number[]>,
  owners: ReadonlyMap<number, string>,
): void {
  const counts = new Map([...target].map(([memberId, list]) => [memberId, list.length]))
  for (const partition of partitions) {
    let taker = ''
    for (const [memberId, count] of counts) {
      if (taker === '' || count < (counts.get(taker) ?? 0)) taker = memberId
    }
    counts.set(taker, (counts.get(taker) ?? 0) + 1)
    const owner = owners.get(partition)
    if (owner === undefined || owner === taker) target.get(taker)?.push(partition)
  }
}

/** Who has what; of two that say so the one of the newer generation, of the same generation neither. */
function ownersOf(
  members: readonly CooperativeMember[],
  partitionCount: number,
): ReadonlyMap<number, string> {
  const owners = new Map<number, string>()
  for (let partition = 0; partition < partitionCount; partition += 1) {
    const claims = members.filter(({ owned }) => owned.includes(partition))
    const newest = claims.reduce((most, { generation }) => Math.max(most, generation), -1)
    const [owner, ...others] = claims.filter(({ generation }) => generation === newest)
    if (owner !== undefined && others.length === 0) owners.set(partition, owner.memberId)
  }
  return owners
}
