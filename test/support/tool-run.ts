import { API_HANDLERS } from '../../broker/api/index.ts'
import { runTool, type KafkaTool, type ToolIo } from '../../src/cli/kafka-tool.ts'

/** What one command line of a tool came to. */
export interface ToolOutcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a tool inside this process; words stand between spaces. */
export function runLine(tool: KafkaTool, line: string): Promise<ToolOutcome> {
  return collect((io) => runTool(tool, wordsOf(line), io))
}

/** The same for the tools that have a function of their own. */
export function runWith(
  run: (args: readonly string[], io: ToolIo) => Promise<number>,
  line: string,
): Promise<ToolOutcome> {
  return collect((io) => run(wordsOf(line), io))
}

/** Whether our brokers serve an API. */
export function isServed(apiKey: number): boolean {
  return API_HANDLERS.some(({ api }) => api.key === apiKey)
}

async function collect(run: (io: ToolIo) => Promise<number>): Promise<ToolOutcome> {
  let out = ''
  let err = ''
  const code = await run({
    out: (line) => {
      out += `${line}\n`
    },
    err: (line) => {
      err += `${line}\n`
    },
  })
  return { code, out, err }
}

function wordsOf(line: string): readonly string[] {
  return line.split(' ').filter((word) => word !== '')
}
