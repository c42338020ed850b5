const SEPARATOR = '#'

/** A line of a numbered source, as the value of its record. */
export interface Line {
  readonly task: string
  readonly sequence: number
}

export function encodeLine({ task, sequence }: Line): string {
  return `${task}${SEPARATOR}${sequence}`
}

/** Null for a text that is no line. */
export function decodeLine(text: string): Line | null {
  const parts = /^(.+)#(\d+)$/.exec(text)
  const [, task, sequence] = parts ?? []
  return task === undefined || sequence === undefined ? null : { task, sequence: Number(sequence) }
}
