const SMALLEST_PLAIN = 1e-3
const FIRST_SCIENTIFIC = 1e7

/** `Double.toString`: `10.0`, `0.5`, `1.0E7`. */
export function javaDouble(value: number): string {
  if (!Number.isFinite(value)) return `${value}`
  const size = Math.abs(value)
  if (size === 0 || (size >= SMALLEST_PLAIN && size < FIRST_SCIENTIFIC))
    return withPoint(`${value}`)
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  return `${withPoint(digits)}E${Number(exponent)}`
}

/** Java's `Double.parseDouble`; null when the text is no number. */
export function parseDouble(text: string): number | null {
  const [, digits] = /^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[fFdD]?\s*$/.exec(text) ?? []
  return digits === undefined ? null : Number(digits)
}

function withPoint(digits: string): string {
  return digits.includes('.') ? digits : `${digits}.0`
}
