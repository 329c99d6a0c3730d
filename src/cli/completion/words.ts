import type { Command, Option } from 'commander';

/** What can be completed, read off the program itself, so that it cannot lag behind. */
export interface CommandWords {
  readonly name: string;
  readonly description: string;
  /** What its first argument is. */
  readonly takes: 'plan' | 'run' | 'shell' | 'file' | 'nothing';
  readonly options: readonly OptionWords[];
}

/** One option of a verb. */
export interface OptionWords {
  /** Such as `-j` and `--agents`. */
  readonly flags: readonly string[];
  readonly description: string;
  readonly value: 'none' | 'file' | 'folder' | 'run' | 'other' | readonly string[];
}

/** The verbs of a program, in order. */
export function describeCommands(program: Command): readonly CommandWords[] {
  return program.commands.map((command) => ({
    name: command.name(),
    description: firstClause(command.description()),
    takes: takenBy(command),
    options: [...command.options.map(optionWords), { flags: ['--help'], description: 'show the help', value: 'none' as const }],
  }));
}

function takenBy(command: Command): CommandWords['takes'] {
  const [first] = command.registeredArguments;
  switch (first?.name()) {
    case undefined:
      return 'nothing';
    case 'plan':
    case 'run':
    case 'shell':
      return first.name() as 'plan' | 'run' | 'shell';
    default:
      return 'file';
  }
}

function optionWords(option: Option): OptionWords {
  const flags = [option.short, option.long].filter((flag) => typeof flag === 'string');
  return { flags, description: firstClause(option.description), value: takenValue(option) };
}

function takenValue(option: Option): OptionWords['value'] {
  if (!option.required && !option.optional) return 'none';
  if (option.argChoices !== undefined) return option.argChoices;
  const name = /[<[]([^>\]]*)[>\]]/.exec(option.flags)?.[1] ?? '';
  if (name === 'run') return 'run';
  if (name === 'dir') return 'folder';
  return name === 'file' || name.startsWith('report') ? 'file' : 'other';
}

/** Descriptions stand between quotes of three shells: what would end those is left out. */
function firstClause(text: string): string {
  return text
    .replace(/['"`\\$[\]:]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
