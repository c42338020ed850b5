import type { OptionSpec } from './option-parser.ts'

const WIDTH = 80
const GAP = 2
const HALF = (WIDTH - GAP) / 2

/** The options in two columns, in alphabetical order, as Kafka's tools print them. */
export function optionHelp(specs: readonly OptionSpec[]): string {
  const sorted = [...specs].sort((a, b) => (a.name < b.name ? -1 : 1))
  const rows = sorted.map((spec) => ({ left: wrap(leftOf(spec), HALF), right: textOf(spec) }))
  const leftWidth = Math.max(...rows.flatMap(({ left }) => left.map(({ length }) => length)))
  const lines = [['Option', 'Description'] as const, ['------', '-----------'] as const]
  const printed = lines.map(([left, right]) => left.padEnd(leftWidth + GAP) + right)
  for (const { left, right } of rows) {
    const described = wrap(right, WIDTH - GAP - leftWidth)
    for (let at = 0; at < Math.max(left.length, described.length); at += 1) {
      printed.push((left[at] ?? '').padEnd(leftWidth + GAP) + (described[at] ?? ''))
    }
  }
  return printed.map((line) => line.trimEnd()).join('\n')
}

function leftOf({ name, argument }: OptionSpec): string {
  if (argument === undefined) return `--${name}`
  const shown = argument.shown === '' ? argument.type : `${argument.type}: ${argument.shown}`
  return `--${name} ${argument.kind === 'required' ? `<${shown}>` : `[${shown}]`}`
}

function textOf({ description, argument }: OptionSpec): string {
  const value = argument?.defaultValue
  return value === undefined ? description : `${description} (default: ${value})`
}

/** Lines of at most `width`; what continues a line is indented by two. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    let line = ''
    for (const word of paragraph.split(' ')) {
      const longer = line === '' ? word : `${line} ${word}`
      if (longer.length <= width || line.trim() === '') line = longer
      else {
        lines.push(line)
        line = `  ${word}`
      }
    }
    lines.push(line)
  }
  return lines
}
