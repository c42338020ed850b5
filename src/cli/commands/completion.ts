import { Argument, Command } from 'commander'
import { commandWords } from '../completion/command-words.ts'
import { completionScript, SHELLS, type Shell } from '../completion/shell-scripts.ts'

/** `kafkette completion`: a script for the shell, made of the commands that there are. */
export function completionCommand(): Command {
  return new Command('completion')
    .description('Print a completion script for bash, zsh or fish.')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText('after', EXAMPLES)
    .action((shell: Shell, _flags: object, command: Command) => {
      process.stdout.write(completionScript(shell, commandWords(command.parent ?? command)))
    })
}

const EXAMPLES = `
Examples:
  source <(kafkette completion bash)
  kafkette completion zsh > "\${fpath[1]}/_kafkette"
  kafkette completion fish > ~/.config/fish/completions/kafkette.fish`
