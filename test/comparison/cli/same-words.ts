import type { ToolOutcome } from '../../support/tool-run.ts'
import type { ToolName } from './kafka-tools.ts'

/**
 * What both tools must agree on. Left out, reviewed one by one:
 * - stack traces, which tell of Java's code, and our reasons after "Caused by";
 * - the text of the help, which is in our own words: its first line and its place must agree;
 * - the name of the program in usage lines, and how these are justified;
 * - ids, times and offsets of the metadata log that no two runs share.
 */
export function sameWords(outcome: ToolOutcome, tool: ToolName, name: string): ToolOutcome {
  const isArgparse = tool === 'cluster' || tool === 'metadata-quorum'
  const tidy = (text: string): string => {
    const plain = withoutTraces(withoutHelp(text), tool === 'configs')
      .replaceAll(new RegExp(`-${name}\\b`, 'g'), '-NAME')
      .replaceAll(/(TopicId: )\S{22}/g, '$1ID')
      .trimEnd()
    return isArgparse ? argparse(plain, tool) : plain
  }
  return { code: outcome.code, out: tidy(outcome.out), err: tidy(outcome.err) }
}

function withoutHelp(text: string): string {
  return text.replace(/(^|\n)Option {2,}[\s\S]*$/, '$1HELP')
}

/** `configs` names the exception itself, the other tools print it after the message that says the same. */
function withoutTraces(text: string, isException: boolean): string {
  const trace = /^(?:\tat |\t\.\.\. |\tSuppressed: |Caused by: | at \[Source)/
  const exception =
    /^(?:Exception in thread "main" )?(?:java|org|com|joptsimple|net)[\w.$]*(?:Exception|Error)\b/
  return text
    .split('\n')
    .filter((line) => !trace.test(line) && (isException || !exception.test(line)))
    .join('\n')
}

/** Usage is the same when the words are: the width of lines is not. */
function argparse(text: string, tool: ToolName): string {
  return text
    .replaceAll(`kafkette ${tool}`, `kafka-${tool}`)
    .replace(/Did you mean:[\s\S]*$/, '')
    .replace(/usage:[\s\S]*?(?=kafka-[a-z-]+:\s+error)/, '')
    .replace(/usage:[\s\S]*$/, 'HELP')
    .replaceAll(/\d+ ms ago/g, 'AGO')
    .replaceAll(/\b1[78]\d{11}\b/g, 'TIME')
    .replaceAll(/(HighWatermark|MaxFollowerLag|MaxFollowerLagTimeMs|LeaderEpoch): +-?\d+/g, '$1')
    .replaceAll(/(?<=\t)\d+ *\t-?\d+ *(?=\t)/g, 'END')
    .replaceAll(/\s+/g, '')
}
