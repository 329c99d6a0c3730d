import { parseAgents } from '../plan/agents-setting.js';
import { closest } from '../plan/closest.js';
import type { AgentsSetting, ValidPlan } from '../plan/valid-plan.js';

/** What a line typed at the question asks for. */
export type PromptCommand =
  | { readonly kind: 'yes' }
  | { readonly kind: 'no' }
  | { readonly kind: 'help' }
  | { readonly kind: 'why' }
  | { readonly kind: 'waves' }
  | { readonly kind: 'what-if' }
  | { readonly kind: 'show' }
  | { readonly kind: 'task'; readonly id: string }
  | { readonly kind: 'agents'; readonly setting: AgentsSetting }
  | { readonly kind: 'backup'; readonly mode: ValidPlan['backup'] }
  | { readonly kind: 'sync'; readonly mode: ValidPlan['sync'] }
  /** Nothing that is understood; `answer` says what would be. */
  | { readonly kind: 'unclear'; readonly answer: string };

/** The commands, with what stands after them and what they do: for help and for completion. */
export const PROMPT_COMMANDS: readonly (readonly [string, string, string])[] = [
  ['yes', '', 'run the plan'],
  ['no', '', 'leave everything as it is'],
  ['why', '', 'the reasons for the number of agents'],
  ['waves', '', 'every wave with all of its tasks'],
  ['task', 'ID', 'one task in full'],
  ['what-if', '', 'what other numbers of agents are predicted to take'],
  ['agents', 'N|N%|auto', 'run with another number of agents, and show the plan again'],
  ['backup', 'commit|ref|none', 'make the backup in another way, and show the plan again'],
  ['sync', 'wave|eager', 'wait for whole waves, or start each subtask when its own needs are done'],
  ['plan', '', 'show the plan again'],
  ['help', '', 'this list'],
];

const WORDS: Readonly<Record<string, PromptCommand['kind'] & ('yes' | 'no' | 'help' | 'why' | 'waves' | 'what-if' | 'show')>> = {
  y: 'yes',
  yes: 'yes',
  proceed: 'yes',
  ok: 'yes',
  go: 'yes',
  n: 'no',
  no: 'no',
  q: 'no',
  quit: 'no',
  exit: 'no',
  cancel: 'no',
  help: 'help',
  '?': 'help',
  h: 'help',
  why: 'why',
  waves: 'waves',
  'what-if': 'what-if',
  whatif: 'what-if',
  plan: 'show',
  show: 'show',
};

const BACKUPS: readonly ValidPlan['backup'][] = ['commit', 'ref', 'none'];

/** Reads a line. `tasks` are the names that `task` takes. */
export function readPromptCommand(line: string, tasks: readonly string[]): PromptCommand {
  const [first = '', ...rest] = line.trim().split(/\s+/);
  const word = first.toLowerCase();
  const argument = rest.join(' ');
  if (word === '') return { kind: 'unclear', answer: 'Please answer yes or no, or ask: help lists what is understood.' };
  const plain = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  if (plain !== undefined) {
    if (argument === '') return { kind: plain };
    return { kind: 'unclear', answer: `'${word}' stands alone.` };
  }
  switch (word) {
    case 'agents': {
      const setting = parseAgents(argument);
      if (setting.ok) return { kind: 'agents', setting: setting.value };
      return { kind: 'unclear', answer: `agents: ${argument === '' ? 'say how many, such as agents 8' : setting.error}` };
    }
    case 'backup': {
      const mode = BACKUPS.find((known) => known === argument.toLowerCase());
      return mode === undefined
        ? { kind: 'unclear', answer: `backup takes one of ${BACKUPS.join(', ')}.` }
        : { kind: 'backup', mode };
    }
    case 'sync': {
      const mode = argument.toLowerCase();
      return mode === 'wave' || mode === 'eager'
        ? { kind: 'sync', mode }
        : { kind: 'unclear', answer: 'sync takes wave or eager.' };
    }
    case 'task': {
      if (tasks.includes(argument)) return { kind: 'task', id: argument };
      if (argument === '') return { kind: 'unclear', answer: `task: say which one, such as task ${tasks[0] ?? 'ID'}` };
      const near = closest(argument, tasks);
      return {
        kind: 'unclear',
        answer: `There is no task '${argument}'${near === undefined ? '' : `: did you mean '${near}'?`}`,
      };
    }
    default: {
      const near = closest(
        word,
        PROMPT_COMMANDS.map(([name]) => name),
      );
      const hint = near === undefined ? '' : ` Did you mean '${near}'?`;
      return {
        kind: 'unclear',
        answer: `'${word}' is not understood.${hint} Please answer 'yes' to run the plan, 'no' to leave everything as it is, or 'help'.`,
      };
    }
  }
}

/** What can follow what has been typed so far, for the Tab key. */
export function completePrompt(line: string, tasks: readonly string[]): readonly string[] {
  const typed = line.trimStart();
  const choices: Readonly<Record<string, readonly string[]>> = {
    task: tasks,
    agents: ['auto'],
    backup: BACKUPS,
    sync: ['wave', 'eager'],
  };
  const space = typed.indexOf(' ');
  if (space === -1) return PROMPT_COMMANDS.map(([name]) => name).filter((name) => name.startsWith(typed));
  const word = typed.slice(0, space);
  const rest = typed.slice(space + 1).trimStart();
  const known = Object.hasOwn(choices, word) ? (choices[word] ?? []) : [];
  return known.filter((choice) => choice.startsWith(rest)).map((choice) => `${word} ${choice}`);
}
