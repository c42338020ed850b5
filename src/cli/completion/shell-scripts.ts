import type { CommandWords } from './command-words.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const

export type Shell = (typeof SHELLS)[number]

/** A script that teaches a shell the words of `kafkette`; where none fits, it completes file names. */
export function completionScript(shell: Shell, words: CommandWords): string {
  switch (shell) {
    case 'bash':
      return bashScript(words)
    case 'zsh':
      return zshScript(words)
    case 'fish':
      return fishScript(words)
  }
}

function cases(words: CommandWords, indent: string): string {
  return [...words]
    .map(([path, known]) => `${indent}'${path}') words='${known.join(' ')}' ;;`)
    .join('\n')
}

/** The commands that have commands of their own: the next word belongs to the path. */
function parents(words: CommandWords): readonly string[] {
  const paths = [...words.keys()].filter((path) => path.includes(' '))
  return [...new Set(paths.map((path) => path.split(' ')[0] ?? ''))]
}

function bashScript(words: CommandWords): string {
  return `# bash completion of kafkette. Load it with: source <(kafkette completion bash)
_kafkette() {
  local cur path words
  cur="\${COMP_WORDS[COMP_CWORD]}"
  path=''
  if (( COMP_CWORD > 1 )); then path="\${COMP_WORDS[1]}"; fi
  case "$path" in
    ${parents(words).join('|')})
      if (( COMP_CWORD > 2 )); then path="$path \${COMP_WORDS[2]}"; fi ;;
  esac
  case "$path" in
${cases(words, '    ')}
    *) words='' ;;
  esac
  COMPREPLY=( $(compgen -W "$words" -- "$cur") )
}
complete -o default -F _kafkette kafkette
`
}

function zshScript(words: CommandWords): string {
  return `#compdef kafkette
# zsh completion of kafkette. Load it with: source <(kafkette completion zsh)
_kafkette() {
  local path_words words_text
  path_words=''
  if (( CURRENT > 2 )); then path_words="\${words[2]}"; fi
  case "$path_words" in
    ${parents(words).join('|')})
      if (( CURRENT > 3 )); then path_words="$path_words \${words[3]}"; fi ;;
  esac
  case "$path_words" in
${cases(words, '    ').replaceAll(" words='", " words_text='")}
    *) words_text='' ;;
  esac
  compadd -- \${=words_text}
  [[ -z "$path_words" || "\${words[CURRENT]}" == -* ]] || _files
}
if [[ "\${funcstack[1]}" == _kafkette ]]; then _kafkette "$@"; else compdef _kafkette kafkette; fi
`
}

function fishScript(words: CommandWords): string {
  const lines = [
    '# fish completion of kafkette. Load it with: kafkette completion fish | source',
    'complete -c kafkette -e',
  ]
  for (const [path, known] of words) {
    const condition = fishCondition(path, words)
    for (const word of known) {
      const what = word.startsWith('--') ? `-l '${word.slice(2)}'` : `-f -a '${word}'`
      lines.push(`complete -c kafkette -n '${condition}' ${what}`)
    }
  }
  return `${lines.join('\n')}\n`
}

/** The commands must be there, and none of those that may follow them. */
function fishCondition(path: string, words: CommandWords): string {
  if (path === '') return '__fish_use_subcommand'
  const [command = '', nested] = path.split(' ')
  const seen = `__fish_seen_subcommand_from ${command}`
  if (nested !== undefined) return `${seen}; and __fish_seen_subcommand_from ${nested}`
  const followers = (words.get(command) ?? []).filter((word) => words.has(`${command} ${word}`))
  return followers.length === 0
    ? seen
    : `${seen}; and not __fish_seen_subcommand_from ${followers.join(' ')}`
}
