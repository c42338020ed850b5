const NAME = /^([bcn])(\d+)$/
const FIRST_CONTROLLER_ID = 100

/** The node id of a node of a world by its name: `b2` and `n2` are 2, `c2` is 102; null for a client. */
export function nodeIdOf(name: string): number | null {
  const parts = NAME.exec(name)
  if (parts === null) return null
  return Number(parts[2]) + (parts[1] === 'c' ? FIRST_CONTROLLER_ID : 0)
}
