import type { Command } from 'commander'
import { ToolCommand } from '../kafka-tool.ts'

/** What may follow a command line so far, by the commands in it: `''`, `storage`, `storage format`. */
export type CommandWords = ReadonlyMap<string, readonly string[]>

/** The commands and options of a program, two levels deep. */
export function commandWords(program: Command): CommandWords {
  const words = new Map<string, readonly string[]>()
  words.set('', [...visible(program), '--help', '--version'].sort())
  for (const command of program.commands) {
    words.set(command.name(), wordsOf(command))
    for (const nested of command.commands) {
      words.set(`${command.name()} ${nested.name()}`, wordsOf(nested))
    }
  }
  return words
}

function visible(command: Command): readonly string[] {
  return command.commands.map((each) => each.name())
}

function wordsOf(command: Command): readonly string[] {
  if (command instanceof ToolCommand) return [...new Set(command.toolOptions)].sort()
  const options = command.options.flatMap(({ long }) => long ?? [])
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? [])
  return [...new Set([...visible(command), ...choices, ...options, '--help'])].sort()
}
