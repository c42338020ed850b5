const FIRST_CONTROLLER_ID = 100
const [CODE_0, CODE_9] = [48, 57]

/** The node id of a node of a world by its name: `b2` and `n2` are 2, `c2` is 102; null for a client. */
export function nodeIdOf(name: string): number | null {
  const kind = name.charAt(0)
  if ((kind !== 'b' && kind !== 'c' && kind !== 'n') || name.length < 2) return null
  let id = 0
  for (let index = 1; index < name.length; index += 1) {
    const code = name.charCodeAt(index)
    if (code < CODE_0 || code > CODE_9) return null
    id = id * 10 + code - CODE_0
  }
  return kind === 'c' ? FIRST_CONTROLLER_ID + id : id
}
