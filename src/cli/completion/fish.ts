import type { CommandWords, OptionWords } from './words.js';

/** For fish, one `complete` a line. */
export function fishScript(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  const lines = commands.flatMap(({ name, description, takes, options }) => {
    const after = `complete -c waveplan -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c waveplan -n 'not __fish_seen_subcommand_from ${names}' -a ${name} -d '${description}'`,
      ...ARGUMENTS[takes].map((rest) => `${after} ${rest}`),
      ...options.map((option) => `${after} ${optionPart(option)}`),
    ];
  });
  return `# fish completion for waveplan:  waveplan completion fish > ~/.config/fish/completions/waveplan.fish
complete -c waveplan -f
${lines.join('\n')}
`;
}

const RUNS = `'(command ls .waveplan/runs 2>/dev/null)'`;

const ARGUMENTS: Readonly<Record<CommandWords['takes'], readonly string[]>> = {
  plan: [`-a '(__fish_complete_suffix .yaml; __fish_complete_suffix .yml)'`],
  run: [`-a ${RUNS}`],
  shell: [`-a 'bash zsh fish'`],
  file: ['-F'],
  nothing: [],
};

function optionPart({ flags, description, value }: OptionWords): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  return [...names, `-d '${description}'`, ...valuePart(value)].join(' ');
}

function valuePart(value: OptionWords['value']): readonly string[] {
  if (value === 'none') return [];
  if (value === 'file') return ['-r', '-F'];
  if (value === 'folder') return ['-x', `-a '(__fish_complete_directories)'`];
  if (value === 'run') return ['-a', RUNS];
  return value === 'other' ? ['-x'] : ['-x', `-a '${value.join(' ')}'`];
}
