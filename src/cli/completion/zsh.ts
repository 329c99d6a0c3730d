import type { CommandWords, OptionWords } from './words.js';

/** For zsh, by its own `_arguments`. */
export function zshScript(commands: readonly CommandWords[]): string {
  const verbs = commands.map(({ name, description }) => `    '${name}:${description}'`);
  const cases = commands.map(({ name, takes, options }) => {
    const specs = [...options.flatMap(optionSpecs), ...ARGUMENTS[takes]].map((spec) => `        ${spec}`);
    return `      ${name})\n        _arguments -s \\\n${specs.join(' \\\n')}\n        ;;`;
  });
  return `#compdef waveplan
# zsh completion for waveplan:  source <(waveplan completion zsh)
_waveplan_runs() {
  local -a runs
  runs=(.waveplan/runs/*(/N:t))
  compadd -a runs
}
_waveplan() {
  local -a verbs
  verbs=(
${verbs.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe 'verb' verbs
    return
  fi
  local verb="$words[2]"
  words=("\${(@)words[2,-1]}")
  (( CURRENT-- ))
  case "$verb" in
${cases.join('\n')}
  esac
}
if [[ "$funcstack[1]" == _waveplan ]]; then _waveplan "$@"; elif (( $+functions[compdef] )); then compdef _waveplan waveplan; fi
`;
}

const ARGUMENTS: Readonly<Record<CommandWords['takes'], readonly string[]>> = {
  plan: [`'*:plan:_files -g "*.(yaml|yml)"'`],
  run: [`'1:run:_waveplan_runs'`],
  shell: [`'1:shell:(bash zsh fish)'`],
  file: [`'1:file:_files'`],
  nothing: [],
};

function optionSpecs({ flags, description, value }: OptionWords): readonly string[] {
  return flags.map((flag) => `'${flag}[${description}]${valueSpec(value)}'`);
}

function valueSpec(value: OptionWords['value']): string {
  if (value === 'none') return '';
  if (value === 'file') return ':file:_files';
  if (value === 'folder') return ':folder:_files -/';
  if (value === 'run') return ':run:_waveplan_runs';
  return value === 'other' ? ':value: ' : `:value:(${value.join(' ')})`;
}
