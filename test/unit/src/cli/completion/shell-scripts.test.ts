import { spawnSync } from 'node:child_process'
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { commandWords } from '../../../../../src/cli/completion/command-words.ts'
import { completionScript, SHELLS } from '../../../../../src/cli/completion/shell-scripts.ts'
import { dumpLogCommand } from '../../../../../src/cli/commands/dump-log.ts'
import { storageCommand } from '../../../../../src/cli/commands/storage.ts'

const words = commandWords(
  new Command('kafkette')
    .enablePositionalOptions()
    .addCommand(dumpLogCommand())
    .addCommand(storageCommand()),
)

describe('shell completion', () => {
  it('knows commands, their commands and all options', () => {
    expect(words.get('')).toEqual(['--help', '--version', 'dump-log', 'storage'])
    expect(words.get('storage')).toEqual(['--help', 'format', 'info', 'random-uuid'])
    expect(words.get('storage format')).toContain('--initial-controllers')
    expect(words.get('dump-log')).toContain('--cluster-metadata-decoder')
  })

  it.each(SHELLS)('names every word in the script for %s', (shell) => {
    const script = completionScript(shell, words)
    for (const word of [...words.values()].flat()) expect(script).toContain(word.replace('--', ''))
  })

  it.each([
    [['kafkette', 'st'], 'storage'],
    [['kafkette', 'storage', ''], '--help format info random-uuid'],
    [['kafkette', 'storage', 'format', '--ini'], '--initial-controllers'],
    [['kafkette', 'dump-log', '--files', 'x', '--off'], '--offsets-decoder'],
    [['kafkette', 'nosuch', ''], ''],
  ])('completes %o in bash', (line, found) => {
    const ask = `COMP_WORDS=(${line.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 )); _kafkette; echo "\${COMPREPLY[*]}"`
    const { stdout, stderr } = spawnSync(
      'bash',
      ['-c', `${completionScript('bash', words)}\n${ask}`],
      {
        encoding: 'utf8',
      },
    )
    expect([stdout, stderr]).toEqual([`${found}\n`, ''])
  })
})
