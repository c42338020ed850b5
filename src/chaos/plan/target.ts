/** What the text of a fault's target says. */
export type Target =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'leader'; readonly topic: string; readonly partition: number }
  | {
      readonly kind: 'follower' | 'replica'
      readonly topic: string
      readonly partition: number
      readonly index: number
    }
  | { readonly kind: 'coordinator'; readonly group: string }
  | { readonly kind: 'controller' }
  | { readonly kind: 'other-controller'; readonly index: number }
  | { readonly kind: 'any-broker'; readonly index: number }
  | { readonly kind: 'all' }

export const SYMBOLS = [
  'leader(topic-0)',
  'follower(topic-0,0)',
  'replica(topic-0,0)',
  'coordinator(group)',
  'controller',
  'other-controller(0)',
  'any-broker(0)',
  'all',
] as const

const CALL = /^([a-z-]+)\((.*)\)$/
const PARTITION = /^(.+)-(\d{1,6})$/
const INDEX = /^\d{1,6}$/

/** Null when it is a symbol that does not exist, or one with the wrong arguments. */
export function parseTarget(text: string): Target | null {
  if (text === 'controller' || text === 'all') return { kind: text }
  const call = CALL.exec(text)
  if (call === null)
    return /[(),\s]/.test(text) || text === '' ? null : { kind: 'name', name: text }
  const [, symbol = '', inside = ''] = call
  switch (symbol) {
    case 'leader': {
      const place = partitionOf(inside)
      return place === null ? null : { kind: 'leader', ...place }
    }
    case 'follower':
    case 'replica':
      return replicaOf(symbol, inside)
    case 'coordinator':
      return inside === '' ? null : { kind: 'coordinator', group: inside }
    case 'other-controller':
    case 'any-broker':
      return INDEX.test(inside) ? { kind: symbol, index: Number(inside) } : null
    default:
      return null
  }
}

function replicaOf(kind: 'follower' | 'replica', inside: string): Target | null {
  const comma = inside.lastIndexOf(',')
  const index = inside.slice(comma + 1).trim()
  const place = comma < 0 ? null : partitionOf(inside.slice(0, comma))
  return place === null || !INDEX.test(index) ? null : { kind, ...place, index: Number(index) }
}

function partitionOf(text: string): { readonly topic: string; readonly partition: number } | null {
  const parts = PARTITION.exec(text.trim())
  return parts === null ? null : { topic: parts[1] ?? '', partition: Number(parts[2]) }
}
