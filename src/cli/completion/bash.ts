import type { CommandWords, OptionWords } from './words.js';

/** For bash 4 and later, also without the bash-completion package. */
export function bashScript(commands: readonly CommandWords[]): string {
  const cases = commands.map(({ name, takes, options }) => {
    const values = options.flatMap((option) => valueCase(option));
    const flags = options.flatMap((option) => option.flags).join(' ');
    return `    ${name})
      case "$prev" in
${[...values, ''].join('\n').trimEnd()}
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '${flags}' -- "$cur")); return; fi
      ${ARGUMENTS[takes]}
      ;;`;
  });
  return `# bash completion for waveplan:  source <(waveplan completion bash)
_waveplan_runs() { (cd .waveplan/runs 2>/dev/null && printf '%s\\n' *); }
_waveplan() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')} --help --version' -- "$cur"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
}
complete -o filenames -F _waveplan waveplan
`;
}

// Names of files may hold spaces; words of ours do not.
const PLANS = `local IFS=$'\\n'; COMPREPLY=($(compgen -f -X '!*.y*ml' -- "$cur") $(compgen -d -- "$cur"))`;
const FILES = `local IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$cur"))`;
const RUNS = 'COMPREPLY=($(compgen -W "$(_waveplan_runs)" -- "$cur"))';

const ARGUMENTS: Readonly<Record<CommandWords['takes'], string>> = {
  plan: PLANS,
  run: RUNS,
  shell: `COMPREPLY=($(compgen -W 'bash zsh fish' -- "$cur"))`,
  file: FILES,
  nothing: ':',
};

function valueCase({ flags, value }: OptionWords): readonly string[] {
  if (value === 'none') return [];
  const pattern = flags.join('|');
  if (value === 'file') return [`        ${pattern}) ${FILES}; return ;;`];
  if (value === 'folder') return [`        ${pattern}) local IFS=$'\\n'; COMPREPLY=($(compgen -d -- "$cur")); return ;;`];
  if (value === 'run') return [`        ${pattern}) ${RUNS}; return ;;`];
  if (value === 'other') return [`        ${pattern}) return ;;`];
  return [`        ${pattern}) COMPREPLY=($(compgen -W '${value.join(' ')}' -- "$cur")); return ;;`];
}
